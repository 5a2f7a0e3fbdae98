select order_id, amount from (
  {{ dbt_utils.union_relations(relations=[ref('orders_v1'), ref('stg_refunds')]) }}
) as all_of_it
