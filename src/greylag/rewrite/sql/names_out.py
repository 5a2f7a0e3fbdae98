"""The names that a SELECT gives its output columns, and what they stand for."""

from __future__ import annotations

from sqlglot import exp

from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import Ref, Scope
from greylag.rewrite.sql.soundness import in_aggregate

ALIAS_CLAUSES = {"group", "having", "qualify", "order", "windows"}


def explicit_aliases(scope: Scope, folding: Folding) -> dict[str, exp.Expr]:
    """Folded alias to the expression behind it. A field of a column (`a.b`) goes by its own name as well."""
    found: dict[str, exp.Expr] = {}
    for item in scope.select.expressions:
        if isinstance(item, exp.Alias) and isinstance(item.args.get("alias"), exp.Identifier):
            found[folding.ident(item.args["alias"])] = item.this
        elif (field := field_name(item, scope)) is not None:
            found[folding.ident(field)] = item
    return found


def field_name(item: exp.Expr, scope: Scope) -> exp.Identifier | None:
    """The name of an output that is a field of a column; None for a column itself, or anything else."""
    if isinstance(item, exp.Dot):
        return item.expression if isinstance(item.expression, exp.Identifier) else None
    if not isinstance(item, exp.Column) or not isinstance(item.this, exp.Identifier):
        return None
    is_field = any(ref.node is item and ref.source and ref.index < len(ref.parts) - 1 for ref in scope.refs)
    return item.this if is_field else None


def output_names(scope: Scope, folding: Folding) -> set[str]:
    """Every output name that is known: aliases, plain columns, and what stars bring."""
    names = set(explicit_aliases(scope, folding))
    for item in scope.select.expressions:
        if not isinstance(item, exp.Column | exp.Star):
            continue
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Identifier):
            names.add(folding.ident(item.this))
            continue
        table = item.args.get("table") if isinstance(item, exp.Column) else None
        wanted = folding.ident(table) if isinstance(table, exp.Identifier) else None
        for source in scope.sources:
            if wanted in (None, source.name) and source.columns is not None:
                names.update(source.columns)
    return names


def alias_means_other(ref: Ref, folding: Folding) -> bool:
    """Is the unqualified name also an alias of the SELECT for something other than this very column?"""
    name = folding.ident(ref.parts[0])
    behind = explicit_aliases(ref.scope, folding).get(name)
    if behind is None:
        return False
    if in_aggregate(ref.node, ref.scope.select) and any(
        not isinstance(one.parent, exp.Window) for one in behind.find_all(exp.AggFunc)
    ):
        return False  # an aggregate of an aggregate is refused everywhere: it is the column
    return not (
        isinstance(behind, exp.Column)
        and isinstance(behind.this, exp.Identifier)
        and folding.ident(behind.this) == name
        and field_name(behind, ref.scope) is None
        and any(other.node is behind and other.source is ref.source for other in ref.scope.refs)
    )
