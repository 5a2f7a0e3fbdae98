{% macro from_orders() %}
  from (
    SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
  ) as orders_v1 where status = 'paid'
{% endmacro %}
