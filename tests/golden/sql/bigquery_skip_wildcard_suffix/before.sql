SELECT user_id FROM `prod.core.events_*` WHERE _TABLE_SUFFIX > '2024'
