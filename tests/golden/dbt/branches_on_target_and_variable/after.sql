select id as order_id, amount
from {{ ref('orders_v2') }}
where true
{% if target.name == 'dev' %}
  and placed >= date '2024-01-03'
{% elif var('only_paid', false) %}
  and state = 'paid'
{% else %}
  and state is not null
{% endif %}
{% if is_incremental() %}
  and id > 1
{% endif %}
