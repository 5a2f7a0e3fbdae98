"""What a file of a dbt project sees of its project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtSurroundings:
    """Variables of `dbt_project.yml` (name to value) and the project's own macros (name to whole source).

    A macro's source is its text from `{% macro ... %}` to `{% endmacro %}`. Macros of packages, and two
    macros of one name, are absent: nobody knows here what they render.
    """

    variables: Mapping[str, object] = field(default_factory=dict)
    macros: Mapping[str, str] = field(default_factory=dict)
