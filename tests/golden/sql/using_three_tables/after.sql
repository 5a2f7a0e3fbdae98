SELECT c.customer, c.name, SUM(o.amount) AS total, MAX(v.pages) AS pages
FROM shop.customers c
JOIN shop.orders_v2 o ON c.customer = o.buyer_id
LEFT JOIN shop.visits v ON c.customer = v.customer
WHERE c.customer < 14
GROUP BY c.customer, c.name
