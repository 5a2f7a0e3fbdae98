"""Models and column types of everything that a proof executes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from greylag.verify.binding import bind
from greylag.verify.execute import Lab, Result
from greylag.verify.expression_types import parameter_name
from greylag.verify.prepare import Names
from greylag.verify.program import DoesNotRun, NotComparable, UnknownColumn
from greylag.verify.resolve import Model
from greylag.verify.schema_infer import TypeInference
from greylag.verify.terms import CANNOT
from greylag.verify.typevars import MEDIUM, TypeVar
from greylag.verify.values import BASE_DAY


@dataclass(slots=True)
class Analysis:
    """The models of the old queries and of the new ones, over one catalog."""

    names: Names
    old: list[Model] = field(default_factory=list)
    new: list[Model] = field(default_factory=list)
    functions: dict[str, TypeVar] = field(default_factory=dict)
    parameters: dict[str, TypeVar] = field(default_factory=dict)


def analyse(queries: list[tuple[exp.Query, exp.Query]], names: Names) -> Analysis:
    """Model and bind both versions, infer types. Raises NotComparable when the old version is not
    understood.
    """
    analysis = Analysis(names=names)
    for old, new in queries:
        analysis.old.append(bound(old, names))
        analysis.new.append(_bound_new(new, names))
    for model in (*analysis.old, *analysis.new):
        TypeInference(model, analysis.parameters, analysis.functions).run()
    for name, var in analysis.parameters.items():
        if "date" in name or name.endswith("day"):
            var.hint("DATE", MEDIUM)
    for model in (*analysis.old, *analysis.new):
        TypeInference(model, analysis.parameters, analysis.functions).run()
    for model in analysis.old:
        _unmapped_read(model)
    for old, new in queries:
        _bind_parameters(old, analysis.parameters)
        _bind_parameters(new, analysis.parameters)
    for table in names.catalog.tables.values():
        if not table.columns:
            table.columns["greylag_any"] = TypeVar(scalar="BIGINT", rank=9)
    return analysis


def _bound_new(query: exp.Query, names: Names) -> Model:
    try:
        return bound(query, names)
    except UnknownColumn as reason:
        if "`_" in str(reason):
            # Pseudo-columns stand in no schema.
            raise
        raise DoesNotRun(str(reason)) from reason


def bound(query: exp.Query, names: Names) -> Model:
    """A query's model with every column tied to its source. Raises NotComparable where one cannot be."""
    model = Model(query, names.catalog)
    bind(model)
    return model


def _unmapped_read(model: Model) -> None:
    """The old version may not use a column that has no counterpart: only a person can say what it becomes."""
    for ref in model.refs.values():
        if ref.source is None or ref.source.query is None:
            continue
        first = ref.source.query.first()
        for output in first.outputs if first is not None else []:
            if output.name.lower() == ref.name.lower() and output.expression is not None:
                unmapped = output.expression.meta.get("unmapped")
                if unmapped is not None:
                    raise NotComparable(
                        f"the old version reads the column `{unmapped}`, which has no counterpart"
                    )


def _bind_parameters(query: exp.Query, parameters: dict[str, TypeVar]) -> None:
    """Query parameters get a value of the type that their use asks for."""
    for node in list(query.find_all(exp.Parameter, exp.Placeholder)):
        name = parameter_name(node)
        var = parameters.get(name, TypeVar())
        node.replace(_parameter_value(name, var))


def _parameter_value(name: str, var: TypeVar) -> exp.Expr:
    kind = var.root().sql()
    day = BASE_DAY.replace(day=10).isoformat()
    match kind:
        case "DATE":
            return exp.cast(exp.Literal.string(day), "DATE")
        case "TIMESTAMP" | "TIMESTAMPTZ":
            return exp.cast(exp.Literal.string(f"{day} 00:00:00"), exp.DType.TIMESTAMP)
        case "BIGINT" | "INTEGER" | "DOUBLE" | "HUGEINT":
            return exp.Literal.number(3)
        case "BOOLEAN":
            return exp.Boolean(this=True)
        case _:
            return exp.Literal.string("v1")


class Constants:
    """Evaluates expressions without columns, once each."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._known: dict[str, object] = {}

    def __call__(self, node: exp.Expr) -> object:
        """The expression's value in Python; CANNOT when DuckDB does not know it."""
        simple = _literal_value(node)
        if simple is not CANNOT:
            return simple
        sql = node.sql("duckdb")
        if sql not in self._known:
            answer = self._lab.query(f"SELECT {sql}")
            self._known[sql] = answer.rows[0][0] if isinstance(answer, Result) and answer.rows else CANNOT
        return self._known[sql]


def _literal_value(node: exp.Expr) -> object:
    if isinstance(node, exp.Literal):
        if node.is_string:
            return str(node.this)
        return int(node.this) if str(node.this).isdigit() else float(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    return CANNOT
