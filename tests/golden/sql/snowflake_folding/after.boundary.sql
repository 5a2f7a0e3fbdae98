select ORDER_ID, amount
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM shop.orders_v2
) as ORDERS_V1
where Status = 'paid'
