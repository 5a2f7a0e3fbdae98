SELECT * EXCEPT (channel) FROM prod.shop.orders_v1 WHERE status = 'shipped'
