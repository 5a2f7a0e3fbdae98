SELECT e.user_id FROM (SELECT account_id AS user_id, day FROM prod.core.events) e WHERE e.day > '2024'
