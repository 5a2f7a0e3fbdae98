WITH named AS (
  SELECT name FROM shop.customers WHERE cust_no > 10
)
SELECT c.name, r.refund, orders_v2.amount, (SELECT COUNT(*) FROM named WHERE named.name = c.name) AS n
FROM shop.orders_v2
JOIN shop.customers AS c ON c.cust_no = orders_v2.buyer_id
JOIN shop.refunds AS r ON r.order_no = orders_v2.id AND r.refund > 0
WHERE orders_v2.channel = 'ALL'
ORDER BY ALL
