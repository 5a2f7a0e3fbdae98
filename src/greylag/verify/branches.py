"""Derived tables that are a UNION ALL: branches that a condition rules out go, what remains moves inwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from greylag.verify.deep import columns_of, has_star, places, plain_joins
from greylag.verify.dissolve import alias_columns
from greylag.verify.normal import conjuncts
from greylag.verify.recodes import filtering
from greylag.verify.volatile import is_volatile

Kind = Callable[[exp.Column], str | None]
_WHOLE = (
    "group",
    "having",
    "qualify",
    "distinct",
    "limit",
    "offset",
    "order",
    "windows",
    "laterals",
    "with_",
)
_ROWS = (exp.AggFunc, exp.Window, exp.Unnest, exp.Explode, exp.AnonymousAggFunc, exp.Posexplode)


def union_all(node: exp.Expr) -> list[exp.Select] | None:
    """The branches of a UNION ALL in their order; None when it is something else, or more."""
    while isinstance(node, exp.Subquery) and node.is_wrapper:
        node = node.this
    if isinstance(node, exp.Select):
        return [node]
    if not isinstance(node, exp.Union) or node.args.get("distinct") or node.args.get("by_name"):
        return None
    if any(node.args.get(arg) for arg in ("order", "limit", "offset", "with_", "side", "kind", "on")):
        return None
    left, right = union_all(node.this), union_all(node.expression)
    return [*left, *right] if left is not None and right is not None else None


def _union_of(branches: list[exp.Select]) -> exp.Expr:
    whole: exp.Expr = branches[0]
    for branch in branches[1:]:
        whole = exp.Union(this=whole, expression=branch, distinct=False)
    return whole


def _branches(source: exp.Expr) -> list[exp.Select] | None:
    if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Union):
        return None
    if any(source.args.get(arg) for arg in ("joins", "pivots", "laterals", "sample")) or alias_columns(
        source
    ):
        return None
    branches = union_all(source.this)
    if branches is None or not all(
        isinstance(item, exp.Alias) for branch in branches for item in branch.expressions
    ):
        return None
    names = [item.alias.lower() for item in branches[0].expressions]
    if len(set(names)) != len(names) or any(len(branch.expressions) != len(names) for branch in branches):
        return None
    return None if any(is_volatile(branch) or branch.args.get("kind") for branch in branches) else branches


def prune(node: exp.Select, kind: Kind) -> bool:
    """Drop branches of a UNION ALL that a condition rules out; push conditions into the rest."""
    if not plain_joins(node):
        return False
    for place, outer in list(places(node)):
        branches = _branches(place.this)
        if branches is None:
            continue
        alias = place.this.alias
        if has_star(node, alias):
            continue
        names = [item.alias.lower() for item in branches[0].expressions]
        if any(column.name.lower() not in names for column in columns_of(node, alias)):
            continue
        if _prune(node, place, outer, branches, kind):
            return True
    return False


def _prune(
    node: exp.Select, place: exp.Expr, outer: exp.Join | None, branches: list[exp.Select], kind: Kind
) -> bool:
    alias = place.this.alias
    names = [item.alias.lower() for item in branches[0].expressions]
    own = [condition for condition in _conditions(node, place, outer) if _only(condition, alias)]
    truths = [[_known(condition, alias, names, branch) for condition in own] for branch in branches]
    kept = [number for number, row in enumerate(truths) if False not in row]
    settled = [
        condition
        for position, condition in enumerate(own)
        if kept and all(truths[number][position] is True for number in kept)
    ]
    movable: list[exp.Expr] = []
    if outer is None:
        rest = [one for one in own if one not in settled]
        movable = [one for one in rest if _movable(branches) and _alike(one, alias, names, branches, kind)]
    if not kept or (len(kept) == len(branches) and not settled and not movable):
        return False
    remaining = [branches[number] for number in kept]
    for condition in movable:
        for branch in remaining:
            _narrow(branch, _inside(condition, alias, names, branch))
    for condition in (*settled, *movable):
        condition.replace(exp.Boolean(this=True))
    first = [item.alias for item in branches[0].expressions]
    for item, name in zip(remaining[0].expressions, first, strict=True):
        item.set("alias", exp.to_identifier(name))
    place.this.set("this", _union_of(remaining))
    return True


def _conditions(node: exp.Select, place: exp.Expr, outer: exp.Join | None) -> Iterator[exp.Expr]:
    if isinstance(place, exp.Join) and place.args.get("on") is not None:
        yield from conjuncts(place.args["on"])
    if outer is None and node.args.get("where") is not None:
        yield from conjuncts(node.args["where"].this)


def _only(condition: exp.Expr, alias: str) -> bool:
    """Does a condition look at one source alone, and at no query?"""
    columns = list(condition.find_all(exp.Column))
    if not columns or condition.find(exp.Query) is not None or is_volatile(condition):
        return False
    return all(column.table == alias for column in columns)


def _inside(condition: exp.Expr, alias: str, names: list[str], branch: exp.Select) -> exp.Expr:
    """The condition as the branch itself would say it."""
    holder = exp.Paren(this=condition.copy())
    for column in columns_of(holder, alias):
        column.replace(branch.expressions[names.index(column.name.lower())].this.copy())
    return holder.this  # type: ignore[no-any-return]


def _known(condition: exp.Expr, alias: str, names: list[str], branch: exp.Select) -> bool | None:
    found = filtering(_inside(condition, alias, names, branch))
    return bool(found.this) if isinstance(found, exp.Boolean) else None


def _alike(condition: exp.Expr, alias: str, names: list[str], branches: list[exp.Select], kind: Kind) -> bool:
    """Have the columns that are looked at one known type in all branches? A UNION would change others."""
    for column in columns_of(condition, alias):
        position = names.index(column.name.lower())
        kinds = {type_of(branch.expressions[position].this, kind) for branch in branches} - {"null"}
        if len(kinds) > 1 or None in kinds:
            return False
    return True


def type_of(node: exp.Expr, kind: Kind) -> str | None:
    """The type of an expression as a text, where it is plain to see; `null` for NULL."""
    node = node.unnest()
    match node:
        case exp.Null():
            return "null"
        case exp.Literal():
            return "text" if node.is_string else "number"
        case exp.Column():
            return kind(node)
        case exp.Cast():
            return repr(node.args["to"])
        case _:
            return None


def _movable(branches: list[exp.Select]) -> bool:
    """May a condition stand in WHERE of every branch?"""
    for branch in branches:
        if any(branch.args.get(arg) for arg in _WHOLE) or branch.args.get("from_") is None:
            return False
        if any(item.find(*_ROWS) is not None for item in branch.expressions):
            return False
    return True


def _narrow(branch: exp.Select, condition: exp.Expr) -> None:
    where = branch.args.get("where")
    both = condition if where is None else exp.And(this=where.this, expression=condition)
    branch.set("where", exp.Where(this=both))


def narrow_unions(node: exp.Select) -> None:
    """Branches yield what is read of them, in the order of the first branch's expressions."""
    for place, _ in list(places(node)):
        branches = _branches(place.this)
        if branches is None or len(branches) < 2 or has_star(node, place.this.alias):
            continue
        if any(branch.args.get("distinct") for branch in branches):
            continue
        if any(item.find(*_ROWS) is not None for branch in branches for item in branch.expressions):
            continue
        alias = place.this.alias
        used = {column.name.lower() for column in columns_of(node, alias)}
        names = [item.alias.lower() for item in branches[0].expressions]
        kept = [number for number, name in enumerate(names) if name in used]
        if not kept or used - set(names):
            continue
        for branch in branches:
            branch.set("expressions", [branch.expressions[number] for number in kept])


def distribute(node: exp.Select, kind: Kind) -> bool:
    """A SELECT that only projects and filters a UNION ALL is the UNION ALL of such SELECTs."""
    if not _only_projects(node):
        return False
    source = node.args["from_"].this
    branches = _branches(source)
    if branches is None or len(branches) < 2 or has_star(node, source.alias):
        return False
    names = [item.alias for item in branches[0].expressions]
    lowered = [name.lower() for name in names]
    shown = {id(item.this) for item in node.expressions if isinstance(item, exp.Alias)}
    for part in columns_of(node, source.alias):
        if part.name.lower() not in lowered:
            return False
        alone = exp.Paren(this=part.copy())
        if id(part) not in shown and not _alike(alone, source.alias, lowered, branches, kind):
            return False
    made: list[exp.Select] = []
    for number, branch in enumerate(branches):
        copy = node.copy()
        for item, name in zip(branch.expressions, names, strict=True):
            item.set("alias", exp.to_identifier(name))
        copy.args["from_"].this.set("this", branch.copy())
        _rename_sources(copy, number)
        made.append(copy)
    node.replace(_union_of(made))
    return True


def _only_projects(node: exp.Select) -> bool:
    if any(node.args.get(arg) for arg in (*_WHOLE, "joins")) or node.args.get("from_") is None:
        return False
    if node.args.get("kind") or node.parent is None or is_volatile(node):
        return False
    parts = [*node.expressions, *([node.args["where"]] if node.args.get("where") is not None else [])]
    return not any(part.find(exp.Query, *_ROWS) is not None for part in parts)


def _rename_sources(copy: exp.Select, number: int) -> None:
    """Every source keeps a name of its own."""
    names: dict[str, str] = {}
    for source in copy.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.Lateral, exp.Values):
        alias = source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.this is not None:
            names[source.alias] = f"{source.alias}_{number}"
            alias.set("this", exp.to_identifier(names[source.alias]))
    for column in copy.find_all(exp.Column):
        if column.table in names:
            column.set("table", exp.to_identifier(names[column.table]))
