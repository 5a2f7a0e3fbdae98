{%- set limit = 3 -%}
select id as order_id, -- the key
       state as status
from {{- source('shop', 'orders_v2') -}}
where state is not null {#- kept #}
  and amount > {{ limit }}
