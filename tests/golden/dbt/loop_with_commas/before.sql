{% set tables = ['a', 'b'] %}
{% for t in tables %}
select '{{ t }}' as part, order_id, status
from {{ source('shop', 'orders_v1') }}
where amount > {{ loop.index }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
