"""Columns that a query reads without naming them: neither unfolding nor generated data follows those."""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.program import NotComparable

_BY_NUMBER = frozenset({"snowflake"})


def refuse_implicit(query: exp.Expr, dialect: str) -> None:
    """Raises NotComparable where columns are read by number, by pattern, or by a star in an expression."""
    for node in query.walk():
        if _is_implicit(node, dialect):
            whole = (
                node.parent if isinstance(node, exp.Star | exp.Column) and node.parent is not None else node
            )
            shown = whole.sql(dialect)[:60]
            raise NotComparable(f"`{shown}` reads columns that it does not name")


def _is_implicit(node: exp.Expr, dialect: str) -> bool:
    match node:
        case exp.PositionalColumn() | exp.Columns():
            return True
        case exp.Anonymous():
            return node.name.lower() == "columns"
        case exp.Parameter() | exp.Placeholder():
            return dialect in _BY_NUMBER and str(node.name).isdigit()
        case exp.Star():
            return not _is_plain(node)
        case _:
            return False


def _is_plain(star: exp.Star) -> bool:
    """A star that is a whole item of a SELECT over its own sources, or COUNT(*)."""
    parent = star.parent
    if isinstance(parent, exp.Count):
        return not any(star.args.get(arg) for arg in ("except_", "replace", "rename"))
    if isinstance(parent, exp.Column):
        select = parent.parent
        return isinstance(select, exp.Select) and parent.table.lower() in _sources(select)
    return isinstance(parent, exp.Select)


def _sources(select: exp.Select) -> set[str]:
    found: set[str] = set()
    for clause in (
        select.args.get("from_"),
        *(select.args.get("joins") or []),
        *(select.args.get("laterals") or []),
    ):
        if isinstance(clause, exp.Expr):
            for source in clause.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.Lateral, exp.Values):
                found.add(source.alias_or_name.lower())
                alias = source.args.get("alias")
                if isinstance(alias, exp.TableAlias):
                    found.update(column.name.lower() for column in alias.args.get("columns") or [])
    return found
