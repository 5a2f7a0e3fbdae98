{%- set orders = source("shop", "orders_v2") -%}
select a.id as order_id, b.state as status
from {{ orders }} as a
join {{ orders }} as b on a.id = b.id
