SELECT customer, c.name, SUM(o.amount) AS total, MAX(v.pages) AS pages
FROM shop.customers c
JOIN shop.orders_v1 o USING (customer)
LEFT JOIN shop.visits v USING (customer)
WHERE customer < 14
GROUP BY customer, c.name
