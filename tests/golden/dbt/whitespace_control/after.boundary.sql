{%- set limit = 3 -%}
select order_id, -- the key
       status
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ source('shop', 'orders_v2') }}
) as orders_v1
where status is not null {#- kept #}
  and amount > {{ limit }}
