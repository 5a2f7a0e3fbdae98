SELECT order_id::text AS key, COUNT(*) FILTER (WHERE status = 'paid') AS paid
FROM shop.orders_v1
GROUP BY 1
