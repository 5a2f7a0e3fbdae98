{%- set limit = 3 -%}
select order_id, -- the key
       status
from {{- source('shop', 'orders_v1') -}}
where status is not null {#- kept #}
  and amount > {{ limit }}
