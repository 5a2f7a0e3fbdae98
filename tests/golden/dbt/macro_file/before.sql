{# what the shop sells #}
{% macro paid_orders() %}
  select order_id, amount
  from {{ ref('orders_v1') }}
  where status = 'paid'
{% endmacro %}

{% macro cents(column) %}({{ column }} * 100){% endmacro %}
