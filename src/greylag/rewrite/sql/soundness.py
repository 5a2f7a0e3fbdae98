"""When a mapping may be dissolved into a SELECT: the conditions, each with its reason.

`docs/rewriting.md` lists every rule. Each check raises `Unsound`; the read then takes boundary form, which
needs none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from sqlglot import exp

from greylag.rewrite.sql.model import Owner, ReadSite, Ref, Role, Scope, Source

_SELECT_ARGS = {
    "expressions",
    "from_",
    "joins",
    "laterals",
    "where",
    "group",
    "having",
    "qualify",
    "windows",
    "order",
    "limit",
    "offset",
    "distinct",
    "with_",
    "kind",
    "hint",
    "operation_modifiers",
    "into",
    "locks",
}


class Unsound(Exception):
    """Inline form would not surely mean the same for one read; `str` says why."""

    def __init__(self, site: ReadSite, why: str) -> None:
        super().__init__(why)
        self.site = site


class Place(StrEnum):
    """Where the mapping's predicate goes."""

    WHERE = "where"
    ON = "on"
    SUBQUERY = "subquery"


def check_shape(site: ReadSite, scope: Scope, source: Source) -> None:
    """The SELECT and the read are of a shape that inline form understands."""
    extra = [key for key, value in scope.select.args.items() if value and key not in _SELECT_ARGS]
    if extra:
        raise Unsound(site, f"the SELECT has {', '.join(sorted(extra)).upper()}")
    if scope.pivoted:
        raise Unsound(site, "its SELECT pivots")
    if not source.direct:
        raise Unsound(site, "it stands in a parenthesised join")
    if source.kept is not None:
        raise Unsound(site, source.kept)
    alias = site.table.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        raise Unsound(site, "its alias renames columns")
    for other in scope.sources:
        if other.join is not None and (other.join.method or "").upper() in ("NATURAL", "ASOF"):
            raise Unsound(site, f"a {other.join.method} JOIN takes columns by name")
        if other.join is not None and not _known(other.join):
            raise Unsound(site, f"a {other.join.method or _kind(other)} JOIN goes by more than its condition")


def _known(join: exp.Join) -> bool:
    """Not ANY, PASTE, POSITIONAL…: those pick rows by their order, or one of several."""
    kinds = ("", "INNER", "OUTER", "CROSS", "SEMI", "ANTI", "STRAIGHT_JOIN", "ARRAY", "ALL")
    return not join.method and (join.kind or "").upper() in kinds


def place(scope: Scope, source: Source) -> tuple[Place, Source | None]:
    """Where the mapping's predicate means the same as filtering the table before it is joined.

    WHERE when no outer join can fill the source with NULLs; the ON of its own join, which filters the source
    before the join; the ON of the RIGHT JOIN that fills it, whose left side it filters; else a subquery
    around the table. With ON comes the source whose join has it.
    """
    join = source.join
    kind, side = _kind(source), _side(source)
    on = join is not None and join.args.get("on") is not None
    if kind not in ("SEMI", "ANTI") and not nullable(scope, source):
        return Place.WHERE, None
    if on and (kind in ("SEMI", "ANTI") or side in ("", "LEFT")):
        return Place.ON, source
    filler = _filler(scope, source)
    if filler is not None:
        return Place.ON, filler
    return Place.SUBQUERY, None


def _filler(scope: Scope, source: Source) -> Source | None:
    """The RIGHT JOIN that is the first to fill the source with NULLs, if it has an ON to filter by."""
    if _side(source) in ("LEFT", "FULL") or _kind(source) in ("SEMI", "ANTI"):
        return None
    behind = scope.sources[scope.sources.index(source) + 1 :]
    for other in behind:
        if _side(other) == "FULL":
            return None
        if _side(other) == "RIGHT" and _kind(other) not in ("SEMI", "ANTI"):
            join = other.join
            return other if other.direct and join is not None and join.args.get("on") is not None else None
    return None


def _side(source: Source) -> str:
    return (source.join.side or "").upper() if source.join is not None else ""


def _kind(source: Source) -> str:
    return (source.join.kind or "").upper() if source.join is not None else ""


def nullable(scope: Scope, source: Source) -> bool:
    """Can an outer join of this SELECT fill the source's columns with NULLs?"""
    filled: set[int] = set()
    seen: list[Source] = []
    for item in scope.sources:
        if _kind(item) not in ("SEMI", "ANTI"):
            if _side(item) in ("RIGHT", "FULL"):
                filled.update(id(other) for other in seen)
            if _side(item) in ("LEFT", "FULL"):
                filled.add(id(item))
        seen.append(item)
    return id(source) in filled


def stars_unseen(scope: Scope) -> bool:
    """Does nobody see which columns a star of this SELECT brings? EXISTS, unless they are compared first."""
    compared = scope.select.args.get("distinct") is not None or isinstance(
        scope.select.parent, exp.SetOperation
    )
    return scope.role is Role.EXISTS and not compared


def within(scope: Scope) -> Iterator[Scope]:
    """The scope and every scope nested in its expressions."""
    yield scope
    for child in scope.children:
        yield from within(child)


def check_refs(site: ReadSite, scope: Scope, source: Source) -> None:
    """Every reference that may mean this source surely does, and means one column of it."""
    assert source.columns is not None
    for inner in within(scope):
        for ref in inner.refs:
            _check_ref(site, scope, source, ref)


def _check_ref(site: ReadSite, scope: Scope, source: Source, ref: Ref) -> None:
    mine = ref.source is source
    name = ref.parts[0].name
    if mine and ref.clause == "array-path":
        raise Unsound(site, f"its array column {name} is read as a table")
    if mine and ref.owner is Owner.UNCERTAIN:
        raise Unsound(site, f"{name} may belong to a table of the nested query, whose columns are not known")
    if mine and ref.owner is Owner.WHOLE_ROW:
        raise Unsound(site, f"{name} stands for a whole row")
    if ref.owner is Owner.AMBIGUOUS and ref.home is scope and (mine or len(ref.parts) > 1):
        merged = len(ref.parts) == 1 and name.lower() in {one.lower() for one in scope.using}
        if not merged:
            raise Unsound(site, f"{name} is ambiguous")
    if mine and ref.index == 0 and _is_alias(scope, ref):
        raise Unsound(site, f"{name} is the name of a column and of a table alias")


def _is_alias(scope: Scope, ref: Ref) -> bool:
    """Could the name be that of a table? `a.b` cannot, where table a is known to have no column b."""
    first, second = ref.parts[0].name.lower(), ref.parts[1].name.lower() if len(ref.parts) > 1 else None
    return any(
        source.name
        and source.name == first
        and (second is None or source.columns is None or second in (one.lower() for one in source.columns))
        for source in scope.sources
    )


def in_aggregate(node: exp.Expr, select: exp.Select) -> bool:
    """Is the node an argument of an aggregate function of this very SELECT?"""
    parent = node.parent
    while parent is not None and parent is not select:
        if isinstance(parent, exp.AggFunc) and not isinstance(parent.parent, exp.Window):
            return True
        parent = parent.parent
    return False


def ordered_directly(ref: Ref) -> bool:
    """Is the reference a bare item of its SELECT's ORDER BY?"""
    parent = ref.node.parent
    return (
        ref.clause == "order"
        and isinstance(parent, exp.Ordered)
        and parent.parent is not None
        and parent.parent.parent is ref.scope.select
    )


def grouped_directly(ref: Ref) -> bool:
    """Is the reference a bare item of its SELECT's GROUP BY?"""
    return ref.clause == "group" and isinstance(ref.node.parent, exp.Group)
