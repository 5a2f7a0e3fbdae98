{% macro both(a, b) -%}
  ({{ a }} * 1000 + {{ b }})
{%- endmacro %}
