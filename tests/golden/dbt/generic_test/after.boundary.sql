{% test known_order(model, column_name) %}
with known as (
  select order_id from (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}) as orders_v1 where status <> 'void'
)
select *
from {{ model }}
where {{ column_name }} not in (select order_id from known)
{% endtest %}
