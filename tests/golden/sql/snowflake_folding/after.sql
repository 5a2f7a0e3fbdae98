select id as ORDER_ID, amount
from SHOP.orders_v2
where state = 'paid'
