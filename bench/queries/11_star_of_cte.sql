WITH recent AS (
  SELECT * FROM `prod.shop.orders_v1` WHERE placed_on = @day
)
SELECT order_id, status, total FROM recent WHERE total > 0
