"""The text of a mapping's expressions, with their columns qualified as a consumer needs it."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass

from sqlglot import exp

from greylag.mapping.compiled import Inlining, Mapping, Output
from greylag.rewrite.sql.folding import Folding

_ATOMIC = (
    exp.Column,
    exp.Literal,
    exp.Func,
    exp.Paren,
    exp.Case,
    exp.Null,
    exp.Boolean,
    exp.Subquery,
    exp.Dot,
)
_INFIX = (exp.Binary, exp.Connector)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One expression of a mapping, cut at its columns.

    `text` is the expression without qualifiers; a qualifier goes in at each of `slots` (offsets into `text`).
    `columns` are the folded first parts of its columns; `path` is the last name of a plain column path,
    None for anything that computes; `constant` marks an expression without columns; `strict` one that is NULL
    wherever its columns are. `fixed` are the qualifiers of slots that a joined table of the mapping owns.
    """

    text: str
    slots: tuple[int, ...]
    columns: frozenset[str]
    path: str | None
    atomic: bool
    constant: bool
    strict: bool
    fixed: tuple[str | None, ...] = ()

    def qualified(self, qualifier: str | None) -> str:
        """The expression with every column qualified by `qualifier` (as text), or bare when it is None."""
        if qualifier is None:
            return self.text
        out = self.text
        fixed = self.fixed or (None,) * len(self.slots)
        for slot, own in reversed(list(zip(self.slots, fixed, strict=True))):
            out = f"{out[:slot]}{own or qualifier}.{out[slot:]}"
        return out

    def looks_qualified(self, qualifier: str, folding: Folding, *, fields: bool = False) -> bool:
        """Would a column that has fields behind it, left bare, be taken for the table's own name?"""
        return (fields or "." in self.text) and folding.fold(qualifier.strip('`"')) in self.columns

    def keeps_filling(self, dialect: str) -> bool:
        """Is it, of what an outer join fills in, again what an outer join fills in?"""
        if dialect == "clickhouse":
            return self.path is not None  # it fills with 0 and '', not with NULL
        return self.strict


class Pieces:
    """The pieces of one mapping, by folded old column name.

    `aliases` are the names, in the new query, of the tables that the mapping joins, by their `index`;
    `conditions` what they are joined on.
    """

    def __init__(
        self,
        mapping: Mapping,
        inlining: Inlining,
        folding: Folding,
        aliases: AbcMapping[int, str] | None = None,
    ) -> None:
        self.mapping = mapping
        self.folding = folding
        self._qualifier = folding.fold(inlining.qualifier)
        self._owners = inlining.owners
        self._aliases = aliases or {}
        self.by_column: dict[str, tuple[Output, Piece]] = {}
        for output in mapping.outputs:
            made = self._cut(output.text, output.start, output.expression)
            for key in folding.columns([output.name]):
                self.by_column[key] = (output, made)
        self.predicate: Piece | None = None
        if inlining.predicate is not None and inlining.predicate_expression is not None:
            self.predicate = self._cut(
                inlining.predicate, inlining.predicate_start, inlining.predicate_expression
            )
        self.conditions = {
            part.index: tuple(self._cut(one.text, 0, one.expression) for one in part.conditions)
            for part in inlining.joins
        }

    def _cut(self, text: str, start: int, expression: exp.Expr) -> Piece:
        slots: list[tuple[int, int, str | None]] = []
        names: set[str] = set()
        for column in expression.find_all(exp.Column):
            parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
            first, begin = parts[0], parts[0].meta["start"] - start
            own = self._aliases.get(self._owners.of(column)) if self._owners is not None else None
            if len(parts) > 1 and self._qualifies(first):
                slots.append((begin, parts[1].meta["start"] - start, own))
                first = parts[1]
            else:
                slots.append((begin, begin, own))
            names.add(self.folding.ident(first))
        out, offsets, position = "", [], 0
        slots.sort(key=lambda slot: slot[:2])
        for begin, end, _ in slots:
            out += text[position:begin]
            offsets.append(len(out))
            position = end
        out += text[position:]
        return Piece(
            text=out,
            slots=tuple(offsets),
            columns=frozenset(names),
            path=_path(expression),
            atomic=isinstance(expression, _ATOMIC)
            and not isinstance(expression, _INFIX)
            and "::" not in text,
            constant=not slots,
            strict=_strict(expression),
            fixed=tuple(own for _, _, own in slots),
        )

    def _qualifies(self, first: exp.Identifier) -> bool:
        """Is the first of several names that of a table of the mapping?"""
        if self._owners is not None:
            return first.name.casefold() in self._owners.qualifiers
        return self.folding.ident(first) == self._qualifier

    def part(self, output: Output, column: exp.Column) -> Piece:
        """The piece of one column inside an output's expression."""
        start = min(part.meta["start"] for part in column.parts)
        end = max(part.meta["end"] for part in column.parts) + 1
        text = output.text[start - output.start : end - output.start]
        return self._cut(text, start, column)

    def new_columns(self) -> frozenset[str]:
        """Folded names of every column of the new table that the mapping uses."""
        pieces = [piece for _, piece in self.by_column.values()]
        pieces.extend([self.predicate] if self.predicate is not None else [])
        pieces.extend(piece for made in self.conditions.values() for piece in made)
        return frozenset().union(*(piece.columns for piece in pieces))


def _path(expression: exp.Expr) -> str | None:
    if isinstance(expression, exp.Column) and isinstance(expression.this, exp.Identifier):
        return expression.this.name
    if isinstance(expression, exp.Dot) and isinstance(expression.expression, exp.Identifier):
        return expression.expression.name if _path(expression.this) is not None else None
    return None


_STRICT = (
    exp.Cast,
    exp.Paren,
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Upper,
    exp.Lower,
    exp.Trim,
    exp.Substring,
    exp.Abs,
    exp.Dot,
    exp.Bracket,
    exp.JSONExtract,
    exp.JSONExtractScalar,
)


def _strict(expression: exp.Expr) -> bool:
    """NULL whenever one of its columns is, by its very operators; unknown ones are not believed to be."""
    if isinstance(expression, exp.Column):
        return True
    if isinstance(expression, exp.Case):
        return _strict_case(expression)
    if not isinstance(expression, _STRICT) or expression.args.get("on_condition"):
        return False
    inner = [expression.this, expression.args.get("expression")]
    return any(isinstance(one, exp.Expr) and _strict(one) for one in inner)


def _strict_case(case: exp.Case) -> bool:
    """CASE without ELSE is NULL when no WHEN holds: none does where each compares a NULL."""
    if case.args.get("default") is not None:
        return False
    if case.this is not None:
        return _strict(case.this) and not any(
            isinstance(branch.this, exp.Null) for branch in case.args["ifs"]
        )
    comparisons = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like)
    return all(
        isinstance(branch.this, comparisons) and _strict(branch.this.this) for branch in case.args["ifs"]
    )
