"""Ways in which an old column may be made of a new one, as SQL expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from greylag.mapping.column_types import parse_type
from greylag.schema.types import NUMERIC, Family, family


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A column of a new dataset, or a field in one. `alias` is the dataset's name in the drafted query."""

    alias: str
    path: str
    type: str
    comment: str = ""

    def expression(self, qualified: bool) -> exp.Expr:
        """The leaf as SQL, qualified by its alias or not."""
        head, *rest = self.path.split(".")
        found: exp.Expr = exp.column(head, table=self.alias if qualified else None)
        for part in rest:
            found = exp.Dot(this=found, expression=exp.to_identifier(part))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An expression that may give the old column; `plain` is 1 for the bare leaf, less for more work."""

    leaf: Leaf
    how: str
    build: Callable[[exp.Expr], exp.Expr]
    plain: float

    def expression(self, qualified: bool) -> exp.Expr:
        """The whole expression."""
        return self.build(self.leaf.expression(qualified))


def candidates(old_type: str, leaf: Leaf, dialect: str) -> Iterator[Candidate]:
    """What can be made of a leaf that has the old column's type. Unknown types are compared as they are."""
    have, want = family(leaf.type, dialect), family(old_type, dialect)
    if Family.NESTED in {have, want} and have is not want:
        return
    if have is want or Family.OTHER in {have, want} or {have, want} <= NUMERIC:
        yield Candidate(leaf=leaf, how="", build=lambda found: found, plain=1.0)
    if have is not want and want is not Family.OTHER and have is not Family.OTHER:
        target = parse_type(old_type, dialect)
        if target is not None:
            yield Candidate(
                leaf=leaf,
                how=f"cast to {old_type}",
                build=lambda found: exp.cast(found, target.copy()),
                plain=0.9,
            )
    if have is Family.TEXT and want is Family.TEXT:
        for function in (exp.Lower, exp.Upper, exp.Trim):
            yield Candidate(
                leaf=leaf,
                how=function.__name__.upper(),
                build=_called(function),
                plain=0.8,
            )
    if have in NUMERIC and want in NUMERIC:
        for factor in (100, 1000, 60, 1_000_000):
            yield Candidate(leaf=leaf, how=f"/ {factor}", build=_by(exp.Div, factor), plain=0.7)
            yield Candidate(leaf=leaf, how=f"* {factor}", build=_by(exp.Mul, factor), plain=0.7)
    if have is Family.BOOLEAN and want is Family.BOOLEAN:
        yield Candidate(leaf=leaf, how="NOT", build=lambda found: exp.Not(this=found), plain=0.7)


def _called(function: type[exp.Func]) -> Callable[[exp.Expr], exp.Expr]:
    return lambda found: function(this=found)


def _by(operator: type[exp.Binary], factor: int) -> Callable[[exp.Expr], exp.Expr]:
    def build(found: exp.Expr) -> exp.Expr:
        number: exp.Expr = exp.Literal.number(factor)
        if operator is exp.Div:
            number = exp.Literal.number(f"{factor}.0")
        return operator(this=found, expression=number)

    return build


def recoding(leaf: exp.Expr, arms: list[tuple[object, object]]) -> exp.Expr:
    """`CASE leaf WHEN … THEN … END`, from pairs of a new and an old value; a NULL has its own arm."""
    case = exp.Case()
    for new, old in arms:
        test: exp.Expr = (
            exp.Is(this=leaf.copy(), expression=exp.Null())
            if new is None
            else exp.EQ(this=leaf.copy(), expression=exp.convert(new))
        )
        case = case.when(test, exp.convert(old) if old is not None else exp.Null())
    if any(new is None for new, _ in arms):
        return case
    simple = exp.Case(this=leaf.copy())
    for new, old in arms:
        simple = simple.when(exp.convert(new), exp.convert(old) if old is not None else exp.Null())
    return simple
