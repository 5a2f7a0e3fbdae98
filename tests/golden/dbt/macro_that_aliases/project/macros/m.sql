{% macro named(column) %}{{ column }} as {{ column }}_name{% endmacro %}
