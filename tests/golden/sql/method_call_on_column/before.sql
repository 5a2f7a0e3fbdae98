SELECT shop.upper() AS shop, id FROM core.orders_v1
