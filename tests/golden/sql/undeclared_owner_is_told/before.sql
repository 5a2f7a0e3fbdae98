WITH named AS (
  SELECT name FROM shop.customers WHERE cust_no > 10
)
SELECT name, refund, amount, (SELECT COUNT(*) FROM named WHERE named.name = c.name) AS n
FROM shop.orders_v1
JOIN shop.customers AS c ON c.cust_no = customer
JOIN shop.refunds AS r ON r.order_no = order_id AND r.refund > 0
ORDER BY ALL
