{% set states = ['open', 'paid', 'void'] %}
select
    buyer_id as customer,
    {% for s in states -%}
    sum(case when state = '{{ s }}' then amount else 0 end) as {{ s }}_amount,
    {% endfor -%}
    sum(amount) as total_amount
from {{ source('shop', 'orders_v2') }}
group by buyer_id
