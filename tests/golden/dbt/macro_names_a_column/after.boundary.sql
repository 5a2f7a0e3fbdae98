select order_id, {{ cents_to_dollars('amount') }} as dollars, status
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ source('shop', 'orders_v2') }}
) as orders_v1
where placed >= '{{ var("start", "2024-01-02") }}'
