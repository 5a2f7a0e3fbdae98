{% test known_order(model, column_name) %}
with known as (
  select order_id from {{ ref('orders_v1') }} where status <> 'void'
)
select *
from {{ model }}
where {{ column_name }} not in (select order_id from known)
{% endtest %}
