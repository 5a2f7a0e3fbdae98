"""A union of which a query wants one branch: its own conditions rule the others out."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping

from sqlglot import exp

from greylag.mapping.compiled import Branches, Mapping
from greylag.mapping.conditions import flat
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import Owner, ReadSite, Scope, Source
from greylag.rewrite.sql.soundness import Unsound, nullable

Constants = AbcMapping[str, exp.Literal]
# Dialects whose comparisons may overlook case, accents or blanks at the end: by collation, silently.
_LOOSE_TEXT = {"mysql", "doris", "starrocks", "tsql", "fabric", "sqlite", "teradata", "singlestore"}


def pinned(
    site: ReadSite, branches: Branches, scope: Scope, source: Source, used: set[str], folding: Folding
) -> tuple[Mapping, tuple[exp.Expr, ...]]:
    """The one branch whose rows can pass the query's conditions, and those that all of its rows pass.

    Raises Unsound where not exactly one is left.
    """
    conditions = _conditions(scope, source)
    columns = {
        id(ref.node): folding.ident(ref.column)
        for ref in scope.refs
        if ref.source is source and ref.owner is Owner.SOURCE and ref.index == len(ref.parts) - 1
    }
    left: list[tuple[Mapping, tuple[exp.Expr, ...]]] = []
    for part in branches.parts:
        constants = _constants(part, folding)
        decisions = [_decide(one, columns, constants, folding.dialect) for one in conditions]
        if False not in decisions:
            true = [one for one, how in zip(conditions, decisions, strict=True) if how]
            left.append((part, tuple(true)))
    if len(left) != 1 or not left[0][1]:
        raise Unsound(
            site, "the mapping is a union, and the conditions of the query leave more than one branch"
        )
    mixed = sorted(used - branches.same)
    if mixed:
        raise Unsound(site, f"the branches of the mapping may give {mixed[0]} in different types")
    return left[0]


def _conditions(scope: Scope, source: Source) -> list[exp.Expr]:
    """Conditions that every row of the source has to pass, before or behind the joins, to be seen at all."""
    found: list[exp.Expr] = []
    where, join = scope.select.args.get("where"), source.join
    semi = join is not None and (join.kind or "").upper() in ("SEMI", "ANTI")
    if where is not None and not semi and not nullable(scope, source):
        found += flat(where.this)
    if join is not None and join.args.get("on") is not None and (join.side or "").upper() in ("", "LEFT"):
        found += flat(join.args["on"])
    return found


def _constants(part: Mapping, folding: Folding) -> dict[str, exp.Literal]:
    return {
        key: output.expression
        for output in part.outputs
        if isinstance(output.expression, exp.Literal)
        for key in folding.columns([output.name])
    }


def _decide(
    condition: exp.Expr, columns: AbcMapping[int, str], constants: Constants, dialect: str
) -> bool | None:
    """Whether a condition holds for every row (True), for none (False), or cannot be told."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.Not):
        inner = _decide(condition.this, columns, constants, dialect)
        return None if inner is None else not inner

    def constant(node: exp.Expr) -> exp.Literal | None:
        return constants.get(columns.get(id(node), ""))

    if type(condition) in (exp.EQ, exp.NEQ):
        for side, other in (
            (condition.this, condition.expression),
            (condition.expression, condition.this),
        ):
            if (value := constant(side)) is not None:
                same = _same(value, other, dialect)
                return same if same is None or type(condition) is exp.EQ else not same
        return None
    if isinstance(condition, exp.In) and not _computed(condition):
        value = constant(condition.this)
        return _any([_same(value, one, dialect) for one in condition.expressions]) if value else None
    return None


def _computed(condition: exp.In) -> bool:
    others = [key for key, value in condition.args.items() if value and key not in ("this", "expressions")]
    return bool(others)


def _any(found: list[bool | None]) -> bool | None:
    if True in found:
        return True
    return None if None in found or not found else False


def _same(value: exp.Literal, other: exp.Expr, dialect: str) -> bool | None:
    """Are two literals equal in the engine? None where that hangs on more than their letters."""
    if not isinstance(other, exp.Literal) or value.is_string != other.is_string:
        return None
    if not value.is_string:
        return int(value.name) == int(other.name) if value.is_int and other.is_int else None
    if value.name == other.name:
        return True
    one, two = (text.name.rstrip().casefold() for text in (value, other))
    loose = dialect in _LOOSE_TEXT or value.name.rstrip() == other.name.rstrip()
    if loose and (one == two or not (one.isascii() and two.isascii())):
        return None
    return False
