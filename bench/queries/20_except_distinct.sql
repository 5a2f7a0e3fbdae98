SELECT customer_id FROM prod.shop.customers_v1
EXCEPT DISTINCT
SELECT customer_id FROM prod.shop.orders_v1 WHERE status = 'cancelled'
