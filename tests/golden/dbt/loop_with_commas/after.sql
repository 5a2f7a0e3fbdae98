{% set tables = ['a', 'b'] %}
{% for t in tables %}
select '{{ t }}' as part, id as order_id, state as status
from {{ source('shop', 'orders_v2') }}
where amount > {{ loop.index }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
