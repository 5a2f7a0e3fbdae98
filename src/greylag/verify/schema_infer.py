"""Column types of tables without a declared schema, from how the queries use their columns."""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.expression_types import ExpressionTypes
from greylag.verify.model import Output, QueryInfo, Ref, SelectInfo, Source, source_columns
from greylag.verify.resolve import Model
from greylag.verify.typevars import STRONG, TypeVar


class TypeInference:
    """Reads a bound model and fills the type variables of tables, outputs and parameters."""

    def __init__(self, model: Model, parameters: dict[str, TypeVar], functions: dict[str, TypeVar]) -> None:
        self.model = model
        self.infer = ExpressionTypes(model, parameters, functions, self._ref).infer

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
                    if name in {known.lower() for known in source_columns(source)}
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

    # -- references --------------------------------------------------------------------------------------

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
                if wanted in {known.lower() for known in source_columns(inner)}:
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
