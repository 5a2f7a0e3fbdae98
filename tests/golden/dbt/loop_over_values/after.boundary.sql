{% set states = ['open', 'paid', 'void'] %}
select
    customer,
    {% for s in states -%}
    sum(case when status = '{{ s }}' then amount else 0 end) as {{ s }}_amount,
    {% endfor -%}
    sum(amount) as total_amount
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ source('shop', 'orders_v2') }}
) as orders_v1
group by customer
