SELECT user_id FROM `prod.core.events_*` e WHERE _TABLE_SUFFIX > '2024'
