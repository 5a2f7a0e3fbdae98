select order_id from {{ target.schema }}.orders_v1
