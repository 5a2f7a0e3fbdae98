-- depends_on: {{ ref('orders_v1') }}
select status, sum(amount) as amount
from {{ ref('orders_v1') }}
group by status
