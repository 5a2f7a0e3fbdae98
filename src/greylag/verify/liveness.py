"""Which columns of which sources can be seen in a query's result.

A wrong value in a column that nobody looks at cannot be told apart by any data; asking for it would make
every comparison inconclusive.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.model import QueryInfo, Ref, SelectInfo, Source, source_columns
from greylag.verify.resolve import Model

_EVERYTHING = "\0all"


class Liveness:
    """`columns` holds (source node id, lower-case column) pairs, `selects` the ids of SELECTs that matter."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.columns: set[tuple[int, str]] = set()
        self.selects: set[int] = set()
        self.outputs: set[int] = set()
        self._seen: set[tuple[int, str]] = set()
        self._reads: dict[int, set[int]] = {}
        self._query(model.root, _EVERYTHING)

    def sees(self, source_node: exp.Expr, column: str) -> bool:
        """Does a column of a source show in the result?"""
        return (id(source_node), column.lower()) in self.columns

    def read_outside(self, source_node: exp.Expr, own: set[int]) -> bool:
        """Is a source read by another live column than those of `own` (ids of columns)?"""
        return bool(self._reads.get(id(source_node), set()) - own)

    def _query(self, info: QueryInfo, wanted: str) -> None:
        if isinstance(info.node, exp.SetOperation) and info.node.args.get("distinct", True):
            wanted = _EVERYTHING
        position = self._position(info, wanted)
        for select in info.selects():
            self._select(select, wanted, position)

    @staticmethod
    def _position(info: QueryInfo, wanted: str) -> int | None:
        """Later branches of a set operation are read by position."""
        first = info.first()
        names = [output.name.lower() for output in first.outputs] if first is not None else []
        return names.index(wanted) if wanted in names else None

    def _select(self, select: SelectInfo, wanted: str, position: int | None) -> None:
        if (id(select), wanted) in self._seen:
            return
        self._seen.add((id(select), wanted))
        if id(select.node) not in self.selects:
            self.selects.add(id(select.node))
            self._clauses(select)
        everything = wanted == _EVERYTHING or select.node.args.get("distinct") is not None
        matched = False
        for number, output in enumerate(select.outputs):
            if everything or output.name.lower() == wanted or number == position:
                matched = True
                if output.expression is not None:
                    self.outputs.add(id(output.expression))
                    self._expression(output.expression)
                elif output.source is not None:
                    self._column(output.source, output.name)
        if everything or not matched:
            for source in select.stars:
                for name in source_columns(source) if everything else [wanted]:
                    self._column(source, name)

    def _clauses(self, select: SelectInfo) -> None:
        node = select.node
        for name, value in node.args.items():
            if name in {"with_", "from_", "expressions", "joins", "laterals"}:
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    self._expression(part)
        for source in select.sources.values():
            if source.unnest is not None:
                self._expression(source.unnest)
            if source.query is not None:
                # Its rows count, even where none of its columns is read.
                self._query(source.query, "\0rows")
        for join in node.args.get("joins") or []:
            self._join(select, join)

    def _join(self, select: SelectInfo, join: exp.Join) -> None:
        on = join.args.get("on")
        if on is not None:
            self._expression(on)
        for identifier in join.args.get("using") or []:
            for source in select.sources.values():
                self._column(source, identifier.name)

    def _expression(self, node: exp.Expr) -> None:
        stack = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, exp.Query) and not isinstance(part, exp.Table):
                info = self._model.queries.get(id(part))
                if info is not None:
                    self._query(info, "\0rows" if isinstance(part.parent, exp.Exists) else _EVERYTHING)
                continue
            if isinstance(part, exp.Column):
                ref = self._model.refs.get(id(part))
                if ref is not None:
                    if ref.source is not None:
                        self._reads.setdefault(id(ref.source.node), set()).add(id(part))
                    self._ref(ref)
                continue
            stack.extend(part.iter_expressions())

    def _ref(self, ref: Ref) -> None:
        if ref.alias_of is not None and ref.alias_of.expression is not None:
            self._expression(ref.alias_of.expression)
        elif ref.source is not None:
            self._column(ref.source, ref.name)

    def _column(self, source: Source, name: str) -> None:
        key = (id(source.node), name.lower())
        if key in self.columns:
            return
        self.columns.add(key)
        if source.query is not None:
            self._query(source.query, name.lower())
