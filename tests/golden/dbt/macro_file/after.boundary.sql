{# what the shop sells #}
{% macro paid_orders() %}
  select order_id, amount
  from (
    SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
  ) as orders_v1
  where status = 'paid'
{% endmacro %}

{% macro cents(column) %}({{ column }} * 100){% endmacro %}
