{%- set orders = source("shop", "orders_v2") -%}
select a.order_id, b.status
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ orders }}
) as a
join (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ orders }}
) as b on a.order_id = b.order_id
