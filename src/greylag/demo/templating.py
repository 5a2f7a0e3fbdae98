"""The demo's templates: data files in `templates/`, filled in with Jinja.

The delimiters are `[[ value ]]` and `[% if … %]`, so that dbt's own Jinja in a template stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlglot import TokenType, tokenize

TEMPLATES = Path(__file__).parent / "templates"

_NOT_KEYWORDS = frozenset(
    {TokenType.STRING, TokenType.IDENTIFIER, TokenType.VAR, TokenType.NUMBER, TokenType.HEREDOC_STRING}
)


def environment() -> Environment:
    """A Jinja environment over the demo's templates; an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )


def fill(jinja: Environment, template: str, values: Mapping[str, object]) -> str:
    """Fill in the template at a path below `templates/`."""
    return jinja.get_template(template).render(values)


def lower_keywords(sql: str) -> str:
    """The same SQL with its keywords in lower case; names, literals, comments and layout stay."""
    pieces: list[str] = []
    position = 0
    for token in tokenize(sql, read="bigquery"):
        start, end = token.start, token.end + 1
        if token.token_type in _NOT_KEYWORDS or sql[start:end].upper() != token.text.upper():
            continue
        pieces += [sql[position:start], sql[start:end].lower()]
        position = end
    return "".join([*pieces, sql[position:]])
