"""MERGE, UPDATE and DELETE as queries: the rows that they touch, and what they would write there.

Both versions are turned into such a query; when these are equal on every state of the target and of the
sources, so is what the statements do.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.pairs import Pair
from greylag.verify.prepare import Names, prepare
from greylag.verify.program import NotComparable, Statement


def pair_of_change(number: int, one: Statement, other: Statement, names: Names) -> Pair:
    """The statement as a pair of queries.

    Raises NotComparable when the statement's form is not understood or the two write differently.
    """
    if one.key != other.key or type(one.node) is not type(other.node):
        raise NotComparable(f"statement {number} writes to another table, or in another way")
    before, columns = _query(one.node, number)
    after, others = _query(other.node, number)
    if columns != others:
        raise NotComparable(f"statement {number} writes other columns, or on other conditions")
    return Pair(
        number=number,
        old=prepare(before, names, old=True),
        new=prepare(after, names, old=False),
        named=False,
        ordered=False,
    )


def _query(node: exp.Expr, number: int) -> tuple[exp.Query, list[str]]:
    match node:
        case exp.Delete() if isinstance(node.this, exp.Table) and not node.args.get("using"):
            return _touched(node, []), []
        case exp.Update() if isinstance(node.this, exp.Table):
            return _touched(node, [item.expression for item in node.expressions]), _targets(node)
        case exp.Merge() if isinstance(node.args.get("whens"), exp.Whens) and not node.args.get("using_cond"):
            return _merge(node, number)
        case _:
            raise NotComparable(f"statement {number}: this form of {node.key.upper()} is not understood")


def _targets(node: exp.Update) -> list[str]:
    return [item.this.name.lower() for item in node.expressions]


def _star_of(table: exp.Expr) -> exp.Column:
    return exp.Column(this=exp.Star(), table=exp.to_identifier(table.alias_or_name, quoted=True))


def _touched(node: exp.Delete | exp.Update, values: list[exp.Expr]) -> exp.Select:
    """The rows of the target under the condition, beside the values that they get."""
    target = node.this.copy()
    items: list[exp.Expr] = [_star_of(target)]
    for position, value in enumerate(values):
        items.append(exp.alias_(value.copy(), f"greylag_set_{position}"))
    query = exp.Select(expressions=items, from_=exp.From(this=target))
    source = node.args.get("from_")
    if source is not None:
        query.set("joins", [exp.Join(this=source.this.copy(), kind="CROSS")])
        for join in source.this.args.get("joins") or []:
            query.append("joins", join.copy())
            query.args["joins"][0].this.set("joins", None)
    for clause in ("where", "with_"):
        if node.args.get(clause) is not None:
            query.set(clause, node.args[clause].copy())
    return query


def _marked(source: exp.Expr, mark: str) -> exp.Subquery:
    """A source whose rows can be told from the NULLs of an outer join."""
    alias = source.alias_or_name
    if not alias:
        raise NotComparable("a MERGE over a source without a name is not understood")
    items: list[exp.Expr] = [exp.Star(), exp.alias_(exp.Boolean(this=True), mark)]
    inner = exp.Select(expressions=items, from_=exp.From(this=source.copy()))
    return exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def _merge(node: exp.Merge, number: int) -> tuple[exp.Query, list[str]]:
    """Target and source side by side, with what each WHEN would write on the rows that it applies to."""
    target, source = node.this, node.args["using"]
    shape: list[str] = []
    items: list[exp.Expr] = [_star_of(target), exp.column("greylag_target"), exp.column("greylag_source")]
    for position, when in enumerate(node.args["whens"].expressions):
        applies = _applies(when)
        names, values = _writes(when, number)
        shape.append(f"{when.args.get('matched')} {when.args.get('source')} {when.args['then'].key} {names}")
        items.append(exp.alias_(applies, f"greylag_when_{position}"))
        for place, value in enumerate(values):
            guarded = exp.Case(ifs=[exp.If(this=applies.copy(), true=value.copy())])
            items.append(exp.alias_(guarded, f"greylag_when_{position}_{place}"))
    join = exp.Join(this=_marked(source, "greylag_source"), side="FULL", on=node.args["on"].copy())
    query = exp.Select(
        expressions=items, from_=exp.From(this=_marked(target, "greylag_target")), joins=[join]
    )
    if node.args.get("with_") is not None:
        query.set("with_", node.args["with_"].copy())
    return query, shape


def _applies(when: exp.When) -> exp.Expr:
    present = {
        (True, False): (True, True),
        (False, False): (False, True),
        (False, True): (True, False),
    }[(bool(when.args.get("matched")), bool(when.args.get("source")))]
    parts: list[exp.Expr] = []
    for mark, there in zip(("greylag_target", "greylag_source"), present, strict=True):
        test = exp.Is(this=exp.column(mark), expression=exp.Null())
        parts.append(exp.Not(this=test) if there else test)
    if when.args.get("condition") is not None:
        parts.append(exp.Paren(this=when.args["condition"].copy()))
    return exp.and_(*parts)


def _writes(when: exp.When, number: int) -> tuple[list[str], list[exp.Expr]]:
    then = when.args["then"]
    match then:
        case exp.Update():
            return [item.this.name.lower() for item in then.expressions], [
                item.expression for item in then.expressions
            ]
        case exp.Insert() if isinstance(then.expression, exp.Tuple):
            columns = then.this.expressions if isinstance(then.this, exp.Tuple) else []
            return [column.name.lower() for column in columns], list(then.expression.expressions)
        case exp.Var() if then.name.upper() == "DELETE":
            return [], []
        case _:
            raise NotComparable(f"statement {number}: this WHEN of a MERGE is not understood")
