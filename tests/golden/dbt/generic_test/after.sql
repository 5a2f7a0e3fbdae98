{% test known_order(model, column_name) %}
with known as (
  select id as order_id from {{ ref('orders_v2') }} where state <> 'void'
)
select *
from {{ model }}
where {{ column_name }} not in (select order_id from known)
{% endtest %}
