SELECT user_id FROM (SELECT account_id AS user_id, day, day AS _TABLE_SUFFIX FROM prod.core.events) e WHERE _TABLE_SUFFIX > '2024'
