select
    customer
    {% for column in ['status', 'placed'] %}
    , max({{ column }}) as last_{{ column }}
    {% endfor %}
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ source('shop', 'orders_v2') }}
) as orders_v1
group by customer
