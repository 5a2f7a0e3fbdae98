{% macro some_orders() %}
  select order_id, amount
  from {{ ref('orders_v1') }}
{% endmacro %}
