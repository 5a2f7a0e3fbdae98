SELECT user_id FROM `prod.core.events_20240101`
