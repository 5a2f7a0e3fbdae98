{% macro the_orders() %}{{ return(ref('orders_v1')) }}{% endmacro %}
