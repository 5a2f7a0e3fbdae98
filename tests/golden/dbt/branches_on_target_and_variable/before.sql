select order_id, amount
from {{ ref('orders_v1') }}
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
