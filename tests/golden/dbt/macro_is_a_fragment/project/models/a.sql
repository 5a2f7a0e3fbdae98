select order_id {{ from_orders() }}
