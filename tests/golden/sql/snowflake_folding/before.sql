select ORDER_ID, amount
from SHOP.ORDERS_V1
where Status = 'paid'
