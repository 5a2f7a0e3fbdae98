SELECT c.country, COUNT(*) AS customers, SUM(c.balance) AS balance
FROM prod.shop.customers_v1 c
WHERE c.balance > (SELECT AVG(balance) FROM prod.shop.customers_v1 WHERE balance > 0)
  AND NOT EXISTS (SELECT * FROM prod.shop.orders_v1 o WHERE o.customer_id = c.customer_id)
GROUP BY c.country
