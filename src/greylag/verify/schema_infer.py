"""Column types of tables without a declared schema, from how the queries use their columns."""

from __future__ import annotations

import re

from sqlglot import exp

from greylag.verify.resolve import Model, Output, QueryInfo, Ref, SelectInfo, Source
from greylag.verify.typevars import DECLARED, MEDIUM, STRONG, WEAK, TypeVar, from_data_type

_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_STAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[ T]\d")

_TEXT_FUNCTIONS = (
    exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Concat, exp.ConcatWs, exp.Like, exp.ILike, exp.RegexpLike,
    exp.RegexpExtract, exp.RegexpReplace, exp.Split, exp.Initcap, exp.Length, exp.StartsWith, exp.Replace,
    exp.Left, exp.Right, exp.StrPosition, exp.DPipe, exp.RegexpILike, exp.EndsWith, exp.StrToDate, exp.StrToTime,
    exp.ParseJSON, exp.MD5, exp.SHA2, exp.Pad, exp.SimilarTo, exp.Reverse, exp.SplitPart,
)  # fmt: skip
_TEXT_RESULTS = (
    exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Concat, exp.ConcatWs, exp.RegexpExtract, exp.RegexpReplace,
    exp.Initcap, exp.Replace, exp.Left, exp.Right, exp.DPipe, exp.GroupConcat, exp.TimeToStr, exp.MD5, exp.SHA2,
    exp.Pad, exp.Reverse, exp.SplitPart, exp.JSONExtractScalar,
)  # fmt: skip
_DATE_FUNCTIONS = (
    exp.DateAdd,
    exp.DateSub,
    exp.DateTrunc,
    exp.DateDiff,
    exp.LastDay,
    exp.TsOrDsAdd,
    exp.TsOrDsDiff,
)
_STAMP_FUNCTIONS = (
    exp.TimestampAdd, exp.TimestampSub, exp.TimestampTrunc, exp.TimestampDiff, exp.DatetimeAdd, exp.DatetimeSub,
    exp.DatetimeTrunc, exp.DatetimeDiff, exp.TimeToStr,
)  # fmt: skip
_NUMBER_FUNCTIONS = (
    exp.Sum, exp.Avg, exp.Abs, exp.Round, exp.Ceil, exp.Floor, exp.Sqrt, exp.Pow, exp.Ln, exp.Log, exp.Exp, exp.Sign,
    exp.Stddev, exp.StddevSamp, exp.StddevPop, exp.Variance, exp.VariancePop, exp.SafeDivide, exp.Quantile,
    exp.PercentileCont, exp.ApproxQuantile, exp.Mod, exp.IntDiv,
)  # fmt: skip
_SAME_TYPE = (exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif, exp.Max, exp.Min, exp.AnyValue, exp.First, exp.Last,
              exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.IgnoreNulls, exp.RespectNulls, exp.Distinct,
              exp.ArgMax, exp.ArgMin, exp.Paren, exp.Filter, exp.WithinGroup, exp.Order, exp.Ordered,
              exp.HavingMax)  # fmt: skip
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_COUNTS = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.CountIf, exp.Length, exp.DateDiff,
           exp.TimestampDiff, exp.DatetimeDiff, exp.Extract, exp.ApproxDistinct, exp.ArraySize,
           exp.StrPosition, exp.Year, exp.Month, exp.Day)  # fmt: skip


class TypeInference:
    """Reads a bound model and fills the type variables of tables, outputs and parameters."""

    def __init__(self, model: Model, parameters: dict[str, TypeVar], functions: dict[str, TypeVar]) -> None:
        self.model = model
        self.parameters = parameters
        self.functions = functions

    def run(self) -> None:
        """Infer from every SELECT, inner ones first, and from set operations."""
        for select in self.model.selects:
            self._select(select)
        for info in self.model.queries.values():
            self._set_operation(info)

    def _select(self, select: SelectInfo) -> None:
        for source in select.sources.values():
            if source.unnest is not None:
                self._unnest(source)
        for output in select.outputs:
            if output.expression is not None:
                output.var.unify(self.infer(output.expression))
            elif output.source is not None:
                output.var.unify(self.column_var(output.source, output.name))
        for name, value in select.node.args.items():
            if name in {"with_", "from_", "laterals", "expressions"}:
                continue
            for part in value if isinstance(value, list) else [value]:
                self._clause(select, name, part)
        self._using(select)

    def _clause(self, select: SelectInfo, name: str, part: object) -> None:
        if isinstance(part, exp.Join):
            on = part.args.get("on")
            if on is not None:
                self.infer(on).hint("BOOLEAN", STRONG)
        elif isinstance(part, exp.Where | exp.Having | exp.Qualify):
            self.infer(part.this).hint("BOOLEAN", STRONG)
        elif isinstance(part, exp.Group | exp.Order | exp.Distinct):
            for item in part.expressions:
                self.infer(item)

    def _using(self, select: SelectInfo) -> None:
        for join in select.node.args.get("joins") or []:
            for identifier in join.args.get("using") or []:
                name = identifier.name.lower()
                variables = [
                    self.column_var(source, identifier.name)
                    for source in select.sources.values()
                    if name in {known.lower() for known in _names(source)}
                ]
                for other in variables[1:]:
                    variables[0].unify(other)

    def _unnest(self, source: Source) -> None:
        node = source.unnest
        if not isinstance(node, exp.Unnest) or source.columns is None:
            return
        offset = node.args.get("offset")
        skip = offset.name if isinstance(offset, exp.Identifier) else None
        names = [name for name in source.columns if name != skip]
        for position, array in enumerate(node.expressions):
            element = self.infer(array).element_of()
            if position < len(names):
                source.columns[names[position]].unify(element)
            else:
                source.columns.setdefault("", element)

    def _set_operation(self, info: QueryInfo) -> None:
        selects = list(info.selects())
        if len(selects) < 2 or not all(len(s.outputs) == len(selects[0].outputs) for s in selects):
            return
        for select in selects[1:]:
            for left, right in zip(selects[0].outputs, select.outputs, strict=True):
                left.var.unify(right.var)

    # -- references ----------------------------------------------------------------------------------------------

    def column_var(self, source: Source, name: str) -> TypeVar:
        """The type variable of a source's column."""
        if source.table is not None:
            return source.table.columns.get(source.table.find(name) or "", TypeVar())
        if source.columns is not None:
            known = next((var for key, var in source.columns.items() if key.lower() == name.lower()), None)
            if known is not None:
                return known
            element = source.columns.get("") or next(iter(source.columns.values()), None)
            return element.field_of(name) if element is not None else TypeVar()
        return self._query_var(source, name)

    def _query_var(self, source: Source, name: str) -> TypeVar:
        if source.query is None:
            return TypeVar()
        var = TypeVar()
        wanted = name.lower()
        for position, select in enumerate(source.query.selects()):
            output = find_output(source, select, wanted, first=position == 0)
            if output is not None:
                var.unify(output.var)
                continue
            for inner in select.stars:
                if wanted in {known.lower() for known in _names(inner)}:
                    var.unify(self.column_var(inner, name))
        return var

    def _ref(self, ref: Ref) -> TypeVar:
        if ref.alias_of is not None:
            var = ref.alias_of.var
        elif ref.source is None or not ref.name:
            return TypeVar()
        else:
            var = self.column_var(ref.source, ref.name)
        for part in ref.path:
            var = var.field_of(part)
        return var

    # -- expressions -----------------------------------------------------------------------------------------------

    def infer(self, node: exp.Expr) -> TypeVar:
        """The type of an expression; hints about its columns on the way."""
        match node:
            case exp.Column():
                ref = self.model.refs.get(id(node))
                return self._ref(ref) if ref is not None else TypeVar()
            case (
                exp.Literal()
                | exp.Boolean()
                | exp.Null()
                | exp.Interval()
                | exp.Parameter()
                | exp.Placeholder()
            ):
                return self._constant(node)
            case exp.Alias():
                return self.infer(node.this)
            case exp.Query():
                info = self.model.queries.get(id(node))
                first = info.first() if info is not None else None
                return first.outputs[0].var if first is not None and first.outputs else TypeVar()
            case exp.Cast():
                result = from_data_type(node.to, STRONG)
                subject = self.infer(node.this).root()
                if result.scalar not in {None, "VARCHAR"} and not isinstance(node.this, exp.Literal):
                    subject.read_as = subject.read_as or result.scalar
                return result
            case exp.Case():
                return self._case(node)
            case exp.If():
                self.infer(node.this).hint("BOOLEAN", STRONG)
                return self._same([node.args.get("true"), node.args.get("false")])
            case _ if isinstance(node, exp.Connector | exp.Not | exp.Predicate | exp.Between | exp.In):
                return self._predicate(node)
        return self._other(node)

    def _constant(self, node: exp.Expr) -> TypeVar:
        match node:
            case exp.Literal() if node.is_string:
                text = node.this
                var = TypeVar(strings={text})
                if _STAMP.match(text):
                    return var.hint("TIMESTAMP", WEAK)
                return var.hint("DATE", WEAK) if _DATE.fullmatch(text) else var.hint("VARCHAR", MEDIUM)
            case exp.Literal():
                return TypeVar(
                    scalar="BIGINT" if node.this.isdigit() else "DOUBLE", rank=WEAK, strings={node.this}
                )
            case exp.Boolean():
                return TypeVar(scalar="BOOLEAN", rank=MEDIUM)
            case exp.Interval():
                return TypeVar(scalar="INTERVAL", rank=STRONG)
            case exp.Parameter() | exp.Placeholder():
                return self.parameters.setdefault(parameter_name(node), TypeVar())
        return TypeVar()

    def _same(self, parts: list[exp.Expr | None]) -> TypeVar:
        var = TypeVar()
        for part in parts:
            if part is not None:
                other = self.infer(part)
                var.unify(other)
        return var

    def _case(self, node: exp.Case) -> TypeVar:
        subject = node.this
        base = self.infer(subject) if subject is not None else None
        results: list[exp.Expr | None] = [node.args.get("default")]
        for arm in node.args.get("ifs") or []:
            condition = self.infer(arm.this)
            if base is not None:
                base.unify(condition)
            else:
                condition.hint("BOOLEAN", STRONG)
            results.append(arm.args.get("true"))
        return self._same(results)

    def _predicate(self, node: exp.Expr) -> TypeVar:
        result = TypeVar(scalar="BOOLEAN", rank=STRONG)
        match node:
            case exp.And() | exp.Or() | exp.Xor() | exp.Not():
                for part in node.iter_expressions():
                    self.infer(part).hint("BOOLEAN", STRONG)
            case exp.Between():
                self._same([node.this, node.args.get("low"), node.args.get("high")])
            case exp.In():
                left = self.infer(node.this)
                query, unnest = node.args.get("query"), node.args.get("unnest")
                for part in node.expressions:
                    left.unify(self.infer(part))
                if query is not None:
                    left.unify(self.infer(query))
                if isinstance(unnest, exp.Unnest) and unnest.expressions:
                    self.infer(unnest.expressions[0]).element_of().unify(left)
            case exp.Exists():
                pass
            case _ if isinstance(node, _COMPARISONS):
                self.infer(node.this).unify(self.infer(node.expression))
            case _ if isinstance(node, _TEXT_FUNCTIONS):
                for part in node.iter_expressions():
                    self.infer(part).hint("VARCHAR", STRONG)
            case exp.Is():
                var = self.infer(node.this)
                if isinstance(node.expression, exp.Boolean):
                    var.hint("BOOLEAN", STRONG)
            case _:
                self._children(node)
        return result

    def _children(self, node: exp.Expr) -> None:
        for part in node.iter_expressions():
            self.infer(part)

    def _other(self, node: exp.Expr) -> TypeVar:
        match node:
            case exp.Add() | exp.Sub():
                return self._sum(node)
            case exp.Mul() | exp.Div() | exp.Neg() | exp.Mod() | exp.IntDiv():
                for part in node.iter_expressions():
                    self.infer(part).hint("BIGINT", MEDIUM)
                if isinstance(node.expression, exp.Literal) and str(node.expression.this).isdigit():
                    number = int(node.expression.this)
                    scaled = {number, number - 1, 2 * number + number // 2, 3 * number + 1}
                    self.infer(node.this).root().strings |= {str(value) for value in scaled}
                return TypeVar(scalar="DOUBLE" if isinstance(node, exp.Div) else "BIGINT", rank=WEAK)
            case exp.Dot():
                return self._dot(node)
            case exp.Bracket():
                var = self.infer(node.this)
                for part in node.expressions:
                    self.infer(part)
                return var.root().element or (var.element_of() if var.root().is_blank() else TypeVar())
            case exp.Window():
                for part in (*node.args.get("partition_by", []), node.args.get("order")):
                    if part is not None:
                        self._children(part) if isinstance(part, exp.Order) else self.infer(part)
                return self.infer(node.this)
            case exp.ArrayAgg():
                return TypeVar(element=self.infer(node.this), rank=STRONG)
            case exp.Array():
                element = self._same([part for part in node.expressions])
                return TypeVar(element=element, rank=STRONG)
            case exp.Struct():
                return self._struct(node)
            case exp.Anonymous() | exp.AnonymousAggFunc():
                self._children(node)
                return self.functions.setdefault(node.name.lower(), TypeVar())
        return self._function(node)

    def _struct(self, node: exp.Struct) -> TypeVar:
        fields: dict[str, TypeVar] = {}
        for position, part in enumerate(node.expressions):
            value = part.expression if isinstance(part, exp.PropertyEQ) else part
            fields[
                part.this.name if isinstance(part, exp.PropertyEQ) else part.alias_or_name or f"f{position}"
            ] = self.infer(value)
        return TypeVar(fields=fields, rank=STRONG)

    def _dot(self, node: exp.Dot) -> TypeVar:
        if isinstance(node.expression, exp.Identifier):
            return self.infer(node.this).field_of(node.expression.name)
        return self.infer(node.expression)

    def _sum(self, node: exp.Expr) -> TypeVar:
        left, right = self.infer(node.this), self.infer(node.expression)
        if right.root().scalar == "INTERVAL":
            left.hint("DATE", MEDIUM)
            return TypeVar(scalar="TIMESTAMP", rank=WEAK)
        dated = {"DATE", "TIMESTAMP", "TIMESTAMPTZ"}
        if left.root().scalar in dated or right.root().scalar in dated:
            return TypeVar()
        left.hint("BIGINT", MEDIUM)
        right.hint("BIGINT", MEDIUM)
        return TypeVar(scalar="BIGINT", rank=WEAK)

    def _function(self, node: exp.Expr) -> TypeVar:
        if isinstance(node, _SAME_TYPE):
            parts = [node.this, *([] if isinstance(node, exp.Filter | exp.WithinGroup) else node.expressions)]
            if isinstance(node, exp.Nullif):
                parts.append(node.expression)
            return self._same([part for part in parts if isinstance(part, exp.Expr)])
        variables = [self.infer(part) for part in node.iter_expressions()]
        first = variables[0] if variables else TypeVar()
        if isinstance(node, _TEXT_FUNCTIONS):
            for var, part in zip(variables, node.iter_expressions(), strict=False):
                if isinstance(part, exp.Column | exp.Dot | exp.Bracket) and (
                    var is first or node.key != "substring"
                ):
                    var.hint("VARCHAR", MEDIUM)
        elif isinstance(node, _DATE_FUNCTIONS):
            first.hint("DATE", MEDIUM)
            if isinstance(node, exp.DateDiff | exp.TsOrDsDiff) and node.expression is not None:
                self.infer(node.expression).hint("DATE", MEDIUM)
            if isinstance(node, exp.DateDiff | exp.TsOrDsDiff):
                return TypeVar(scalar="BIGINT", rank=WEAK)
            return first
        elif isinstance(node, _STAMP_FUNCTIONS):
            first.hint("TIMESTAMP", MEDIUM)
        elif isinstance(node, exp.Extract):
            self.infer(node.expression).hint("DATE", MEDIUM)
        elif isinstance(node, _NUMBER_FUNCTIONS):
            first.hint("BIGINT", MEDIUM)
            return TypeVar(scalar="DOUBLE", rank=WEAK)
        if isinstance(node, _TEXT_RESULTS):
            return TypeVar(scalar="VARCHAR", rank=STRONG)
        if isinstance(node, _COUNTS):
            return TypeVar(scalar="BIGINT", rank=MEDIUM)
        if isinstance(node, exp.CurrentDate | exp.Date | exp.TsOrDsToDate | exp.StrToDate):
            return TypeVar(scalar="DATE", rank=STRONG)
        if isinstance(node, exp.CurrentTimestamp | exp.Timestamp | exp.StrToTime):
            return TypeVar(scalar="TIMESTAMP", rank=MEDIUM)
        return TypeVar()


def parameter_name(node: exp.Expr) -> str:
    """The name of a query parameter (`@submission_date`), or of a placeholder."""
    return str(node.name or node.this or "?").lower()


def find_output(source: Source, select: SelectInfo, wanted: str, *, first: bool) -> Output | None:
    """The output of a derived table that one of its column names means (by position in later branches)."""
    for position, name in enumerate(source.renamed):
        if name.lower() == wanted and position < len(select.outputs):
            return select.outputs[position]
    if first or source.query is None:
        return next((output for output in select.outputs if output.name.lower() == wanted), None)
    head = source.query.first()
    names = [output.name.lower() for output in head.outputs] if head is not None else []
    if wanted in names and names.index(wanted) < len(select.outputs):
        return select.outputs[names.index(wanted)]
    return None


def _names(source: Source) -> list[str]:
    from greylag.verify.resolve import source_columns

    return source_columns(source)


__all__ = ["DECLARED", "TypeInference", "find_output", "parameter_name"]
