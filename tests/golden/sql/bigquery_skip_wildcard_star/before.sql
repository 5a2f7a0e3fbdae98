SELECT * FROM `prod.core.events_*`
