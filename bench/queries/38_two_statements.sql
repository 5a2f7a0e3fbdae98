CREATE TEMP TABLE chosen AS
SELECT customer_id FROM prod.shop.customers_v1 WHERE country IN ('SE', 'NO', 'FI');

SELECT o.customer_id, SUM(o.total) AS spent
FROM prod.shop.orders_v1 o
JOIN chosen USING (customer_id)
GROUP BY o.customer_id;
