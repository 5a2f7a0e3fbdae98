select '{{ ref("orders_v1") }}' as name
