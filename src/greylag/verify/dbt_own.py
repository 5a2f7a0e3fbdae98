"""`{{ this }}` in an incremental model: it has the model's own columns, which nobody declares."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.verify.dbt_world import THIS


def qualified(old: str, new: str, dialect: str) -> tuple[str, str]:
    """Both texts, with the columns of queries over `{{ this }}` alone qualified, where they are its own.

    `select max(seen) from this` inside of another query could read `seen` of either; the model makes `this`,
    so the nearer one it is. Texts without such a query come back as they are.
    """
    if THIS.name not in old or THIS.parts[0] not in old:
        return old, new
    texts: list[str] = []
    for text in (old, new):
        try:
            statements = sqlglot.parse(text, dialect=dialect)
        except (SqlglotError, *PARSER_GIVES_UP):
            return old, new
        if len(statements) != 1 or statements[0] is None:
            return old, new
        _qualify(statements[0])
        texts.append(statements[0].sql(dialect=dialect))
    return texts[0], texts[1]


def _qualify(statement: exp.Expr) -> None:
    own = _outputs(statement)
    for table in statement.find_all(exp.Table):
        select = table.find_ancestor(exp.Select)
        if tuple(part.name for part in table.parts) != THIS.parts or select is None:
            continue
        if not isinstance(table.parent, exp.From) or select.args.get("joins"):
            continue
        for column in select.find_all(exp.Column):
            nearest = column.find_ancestor(exp.Select)
            if nearest is select and not column.table and column.name.lower() in own:
                column.set("table", exp.to_identifier(table.alias_or_name))


def _outputs(statement: exp.Expr) -> set[str]:
    """Lower-case output columns, through `select * from last_cte`; empty when they are not known."""
    ctes = {cte.alias: cte.this for cte in statement.find_all(exp.CTE)}
    query: exp.Expr = statement
    for _ in range(len(ctes) + 1):
        if not isinstance(query, exp.Query):
            return set()
        if not query.is_star:
            return {name.lower() for name in query.named_selects}
        source = query.args.get("from_") if isinstance(query, exp.Select) else None
        if source is None or query.args.get("joins") or query.selects != [exp.Star()]:
            return set()
        query = ctes.get(source.this.name, exp.Null())
    return set()
