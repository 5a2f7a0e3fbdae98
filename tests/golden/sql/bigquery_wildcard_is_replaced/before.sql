SELECT e.user_id FROM `prod.core.events_*` e WHERE e.day > '2024'
