select
    customer
    {% for column in ['status', 'placed'] %}
    , max({{ column }}) as last_{{ column }}
    {% endfor %}
from {{ source('shop', 'orders_v1') }}
group by customer
