select order_id, amount
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
) as orders_v1
where true
{% if target.name == 'dev' %}
  and placed >= date '2024-01-03'
{% elif var('only_paid', false) %}
  and status = 'paid'
{% else %}
  and status is not null
{% endif %}
{% if is_incremental() %}
  and order_id > 1
{% endif %}
