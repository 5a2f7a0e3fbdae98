SELECT user_id FROM prod.core.users_v1 WHERE _PARTITIONTIME > '2024-01-01'
