{# what the shop sells #}
{% macro paid_orders() %}
  select id as order_id, amount
  from {{ ref('orders_v2') }}
  where state = 'paid'
{% endmacro %}

{% macro cents(column) %}({{ column }} * 100){% endmacro %}
