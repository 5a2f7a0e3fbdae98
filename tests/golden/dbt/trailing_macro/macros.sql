{% macro more_filters() %}and o.status is not null and o.customer > 1{% endmacro %}
