{{ some_orders() }} where customer = 10
