select status, count(*) as orders
from (
  SELECT id AS order_id, buyer_id AS customer, amount,
         CASE state WHEN 'paid' THEN 'P' WHEN 'open' THEN 'O' ELSE 'X' END AS status, placed
  FROM {{ source('shop', 'orders_v2') }}
) as orders_v1
{{ config(materialized='view') }}
where status in ('P', 'O')
group by status
order by 1
