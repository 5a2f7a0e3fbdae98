SELECT c.name, o.order_id
FROM shop.orders_v1 o, shop.customers c
WHERE o.customer = c.customer
  AND status = 'paid'
