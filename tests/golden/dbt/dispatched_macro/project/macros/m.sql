{% macro shout(column) %}{{ return(adapter.dispatch('shout', 'shop')(column)) }}{% endmacro %}
{% macro default__shout(column) %}lower({{ column }}){% endmacro %}
{% macro duckdb__shout(column) %}upper({{ column }}){% endmacro %}
