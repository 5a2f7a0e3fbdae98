{%- set orders = source("shop", "orders_v1") -%}
select a.order_id, b.status
from {{ orders }} as a
join {{ orders }} as b on a.order_id = b.order_id
