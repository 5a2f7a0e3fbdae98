-- depends_on: {{ ref('orders_v2') }}
select state as status, sum(amount) as amount
from {{ ref('orders_v2') }}
group by state
