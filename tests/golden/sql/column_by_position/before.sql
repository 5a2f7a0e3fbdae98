SELECT #3 AS third FROM core.orders_v1
