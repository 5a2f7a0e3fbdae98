"""The type of an expression, and what its use says about the types of the columns in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sqlglot import exp

from greylag.verify import type_hints as hints
from greylag.verify.model import Ref
from greylag.verify.resolve import Model
from greylag.verify.typevars import MEDIUM, STRONG, WEAK, TypeVar, from_data_type

_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_STAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[ T]\d")
_DATED = frozenset({"DATE", "TIMESTAMP", "TIMESTAMPTZ"})


class ExpressionTypes:
    """Infers types over one model. `type_of` says what a resolved column's type is."""

    def __init__(
        self,
        model: Model,
        parameters: dict[str, TypeVar],
        functions: dict[str, TypeVar],
        type_of: Callable[[Ref], TypeVar],
    ) -> None:
        self._model = model
        self._parameters = parameters
        self._functions = functions
        self._type_of = type_of
        rules: list[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[..., TypeVar]]] = [
            (exp.Column, self._column),
            (exp.Literal, _literal),
            ((exp.Parameter, exp.Placeholder), self._parameter),
            (exp.Alias, lambda node: self.infer(node.this)),
            (exp.Query, self._query),
            (exp.Cast, self._cast),
            (exp.Case, self._case),
            (exp.If, self._if),
            (exp.Between, lambda n: self._truth(self._same([n.this, n.args.get("low"), n.args.get("high")]))),
            (exp.In, self._in),
            (exp.Exists, lambda node: _boolean()),
            (hints.COMPARISONS, lambda node: self._truth(self._same([node.this, node.expression]))),
            (exp.Is, self._is),
            ((exp.Connector, exp.Not), self._logic),
            ((exp.Add, exp.Sub), self._sum),
            ((exp.Mul, exp.Div, exp.Neg, exp.Mod, exp.IntDiv), self._product),
            (exp.Dot, self._dot),
            (exp.Bracket, self._bracket),
            (exp.Window, self._window),
            (exp.ArrayAgg, lambda node: TypeVar(element=self.infer(node.this), rank=STRONG)),
            (exp.Array, lambda node: TypeVar(element=self._same(node.expressions), rank=STRONG)),
            (exp.Struct, self._struct),
            ((exp.Anonymous, exp.AnonymousAggFunc), self._unknown_function),
            (hints.SAME_TYPE, self._same_as_arguments),
        ]
        self._rules = rules

    def infer(self, node: exp.Expr) -> TypeVar:
        """The type of an expression; hints about its columns on the way."""
        for kinds, rule in self._rules:
            if isinstance(node, kinds):
                return rule(node)
        return self._function(node)

    def _column(self, node: exp.Column) -> TypeVar:
        ref = self._model.refs.get(id(node))
        return self._type_of(ref) if ref is not None else TypeVar()

    def _parameter(self, node: exp.Expr) -> TypeVar:
        return self._parameters.setdefault(parameter_name(node), TypeVar())

    def _query(self, node: exp.Query) -> TypeVar:
        info = self._model.queries.get(id(node))
        first = info.first() if info is not None else None
        return first.outputs[0].var if first is not None and first.outputs else TypeVar()

    def _cast(self, node: exp.Cast) -> TypeVar:
        result = from_data_type(node.to, STRONG)
        subject = self.infer(node.this).root()
        if result.scalar not in {None, "VARCHAR"} and not isinstance(node.this, exp.Literal):
            subject.read_as = subject.read_as or result.scalar
        return result

    def _written(self, node: exp.Expr) -> None:
        """A text that holds a date in a format."""
        form = node.args.get("format")
        if isinstance(form, exp.Literal) and not isinstance(node.this, exp.Literal):
            subject = self.infer(node.this).root()
            subject.read_as = subject.read_as or ("TIMESTAMP" if isinstance(node, exp.StrToTime) else "DATE")
            subject.written = subject.written or str(form.this).replace("strict", "")

    def _same(self, parts: Iterable[exp.Expr | None]) -> TypeVar:
        var = TypeVar()
        for part in parts:
            if part is not None:
                var.unify(self.infer(part))
        return var

    @staticmethod
    def _truth(_: TypeVar) -> TypeVar:
        return _boolean()

    def _if(self, node: exp.If) -> TypeVar:
        self.infer(node.this).hint("BOOLEAN", STRONG)
        return self._same([node.args.get("true"), node.args.get("false")])

    def _case(self, node: exp.Case) -> TypeVar:
        base = self.infer(node.this) if node.this is not None else None
        results: list[exp.Expr | None] = [node.args.get("default")]
        for arm in node.args.get("ifs") or []:
            condition = self.infer(arm.this)
            if base is not None:
                base.unify(condition)
            else:
                condition.hint("BOOLEAN", STRONG)
            results.append(arm.args.get("true"))
        return self._same(results)

    def _in(self, node: exp.In) -> TypeVar:
        left = self._same([node.this, *node.expressions, node.args.get("query")])
        unnest = node.args.get("unnest")
        if isinstance(unnest, exp.Unnest) and unnest.expressions:
            self.infer(unnest.expressions[0]).element_of().unify(left)
        return _boolean()

    def _is(self, node: exp.Is) -> TypeVar:
        var = self.infer(node.this)
        if isinstance(node.expression, exp.Boolean):
            var.hint("BOOLEAN", STRONG)
        return _boolean()

    def _logic(self, node: exp.Expr) -> TypeVar:
        for part in node.iter_expressions():
            self.infer(part).hint("BOOLEAN", STRONG)
        return _boolean()

    def _sum(self, node: exp.Expr) -> TypeVar:
        left, right = self.infer(node.this), self.infer(node.expression)
        if right.root().scalar == "INTERVAL":
            left.hint("DATE", MEDIUM)
            return TypeVar(scalar="TIMESTAMP", rank=WEAK)
        if left.root().scalar in _DATED or right.root().scalar in _DATED:
            return TypeVar()
        left.hint("BIGINT", MEDIUM)
        right.hint("BIGINT", MEDIUM)
        return TypeVar(scalar="BIGINT", rank=WEAK)

    def _product(self, node: exp.Expr) -> TypeVar:
        for part in node.iter_expressions():
            self.infer(part).hint("BIGINT", MEDIUM)
        factor = node.args.get("expression")
        if isinstance(factor, exp.Literal) and str(factor.this).isdigit():
            # Values around the factor: what is cut or rounded away only shows there.
            number = int(factor.this)
            scaled = {number, number - 1, 2 * number + number // 2, 3 * number + 1}
            self.infer(node.this).root().strings |= {str(value) for value in scaled}
        return TypeVar(scalar="DOUBLE" if isinstance(node, exp.Div) else "BIGINT", rank=WEAK)

    def _dot(self, node: exp.Dot) -> TypeVar:
        if isinstance(node.expression, exp.Identifier):
            return self.infer(node.this).field_of(node.expression.name)
        return self.infer(node.expression)

    def _bracket(self, node: exp.Bracket) -> TypeVar:
        var = self.infer(node.this)
        for part in node.expressions:
            self.infer(part)
        return var.root().element or (var.element_of() if var.root().is_blank() else TypeVar())

    def _window(self, node: exp.Window) -> TypeVar:
        order = node.args.get("order")
        for part in (
            *(node.args.get("partition_by") or []),
            *(order.expressions if order is not None else []),
        ):
            self.infer(part)
        return self.infer(node.this)

    def _struct(self, node: exp.Struct) -> TypeVar:
        fields: dict[str, TypeVar] = {}
        for position, part in enumerate(node.expressions):
            named = isinstance(part, exp.PropertyEQ)
            name = part.this.name if named else part.alias_or_name or f"f{position}"
            fields[name] = self.infer(part.expression if named else part)
        return TypeVar(fields=fields, rank=STRONG)

    def _unknown_function(self, node: exp.Expr) -> TypeVar:
        for part in node.iter_expressions():
            self.infer(part)
        return self._functions.setdefault(node.name.lower(), TypeVar())

    def _same_as_arguments(self, node: exp.Expr) -> TypeVar:
        parts = [node.this]
        if not isinstance(node, exp.Filter | exp.WithinGroup):
            parts += node.expressions
        if isinstance(node, exp.Nullif):
            parts.append(node.expression)
        return self._same(part for part in parts if isinstance(part, exp.Expr))

    def _function(self, node: exp.Expr) -> TypeVar:
        parts = list(node.iter_expressions())
        variables = [self.infer(part) for part in parts]
        first = variables[0] if variables else TypeVar()
        if isinstance(node, hints.DAY_ARGUMENTS):
            return first.hint("DATE", MEDIUM)
        self._arguments(node, parts, variables, first)
        return _result(node)

    def _arguments(
        self, node: exp.Expr, parts: list[exp.Expr], variables: list[TypeVar], first: TypeVar
    ) -> None:
        if isinstance(node, exp.StrToDate | exp.StrToTime | exp.TsOrDsToDate):
            self._written(node)
        if isinstance(node, hints.TEXT_ARGUMENTS):
            rank = STRONG if isinstance(node, exp.Predicate) else MEDIUM
            for var, part in zip(variables, parts, strict=True):
                stored = isinstance(part, exp.Column | exp.Dot | exp.Bracket)
                if stored and (var is first or not isinstance(node, exp.Substring)):
                    var.hint("VARCHAR", rank)
        elif isinstance(node, hints.DAY_DIFFERENCES):
            for var in variables[:2]:
                var.hint("DATE", MEDIUM)
        elif isinstance(node, hints.MOMENT_ARGUMENTS):
            first.hint("TIMESTAMP", MEDIUM)
        elif isinstance(node, exp.Extract):
            self.infer(node.expression).hint("DATE", MEDIUM)
        elif isinstance(node, hints.NUMBER_ARGUMENTS):
            first.hint("BIGINT", MEDIUM)


def _result(node: exp.Expr) -> TypeVar:
    table: tuple[tuple[tuple[type[exp.Expr], ...], str, int], ...] = (
        (hints.TEXT_RESULTS, "VARCHAR", STRONG),
        (hints.COUNTS, "BIGINT", MEDIUM),
        (hints.DAY_DIFFERENCES, "BIGINT", WEAK),
        (hints.DAYS, "DATE", STRONG),
        (hints.MOMENTS, "TIMESTAMP", MEDIUM),
        (hints.NUMBER_ARGUMENTS, "DOUBLE", WEAK),
        ((exp.Predicate, exp.Boolean), "BOOLEAN", STRONG),
        ((exp.Interval,), "INTERVAL", STRONG),
    )
    for kinds, scalar, rank in table:
        if isinstance(node, kinds):
            return TypeVar(scalar=scalar, rank=rank)
    return TypeVar()


def _literal(node: exp.Literal) -> TypeVar:
    text = str(node.this)
    var = TypeVar(strings={text})
    if not node.is_string:
        return var.hint("BIGINT" if text.isdigit() else "DOUBLE", WEAK)
    if _STAMP.match(text):
        return var.hint("TIMESTAMP", WEAK)
    return var.hint("DATE", WEAK) if _DATE.fullmatch(text) else var.hint("VARCHAR", MEDIUM)


def _boolean() -> TypeVar:
    return TypeVar(scalar="BOOLEAN", rank=STRONG)


def parameter_name(node: exp.Expr) -> str:
    """The name of a query parameter (`@submission_date`), or of a placeholder."""
    return str(node.name or node.this or "?").lower()
