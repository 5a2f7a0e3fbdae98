SELECT SUM(total) AS revenue FROM `prod.shop.orders_v1` WHERE total BETWEEN 10 AND 250 AND status = 'open'
