SELECT customer, SUM( amount ) / 100, CASE WHEN MAX(status) = 'paid' THEN 1 END, (customer)
FROM shop.orders_v1
GROUP BY customer
