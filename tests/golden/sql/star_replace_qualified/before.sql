SELECT c.name, o.* EXCLUDE (placed) REPLACE (UPPER(o.status) AS status, amount * 2 AS amount)
FROM shop.orders_v1 AS o
JOIN shop.customers AS c ON c.customer = o.customer
