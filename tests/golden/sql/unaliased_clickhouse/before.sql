SELECT customer, sum(amount), max(status) AS last
FROM shop.orders_v1
GROUP BY customer
