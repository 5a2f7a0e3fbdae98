SELECT c.name, o.id AS order_id
FROM shop.orders_v2 o, shop.customers c
WHERE o.buyer_id = c.customer
  AND o.state = 'paid'
  AND o.channel = 'ALL'
