{% macro late(column) %}({{ column }} > current_date and status = 'open'){% endmacro %}
