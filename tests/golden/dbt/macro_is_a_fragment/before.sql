{% macro from_orders() %}
  from {{ ref('orders_v1') }} where status = 'paid'
{% endmacro %}
