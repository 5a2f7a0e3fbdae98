"""Rows that make a query return something: one row for each table instance, so that all conditions hold
together.

A witness is one random derivation of a query's result: a branch of each set operation, an alternative of
each OR, an arm of each CASE that a condition needs. Equalities unify cells (union-find), comparisons
bound them, and expressions are solved backwards where an inverse is known. What is not understood is left
to chance: the rows are only test data, equality is always decided by running both versions.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from sqlglot import exp

from greylag.verify.cells import Cell
from greylag.verify.model import QueryInfo, SelectInfo, Source
from greylag.verify.resolve import Model
from greylag.verify.schema_infer import find_output
from greylag.verify.terms import CANNOT, Element, Frame, Instance, Path, Term

Evaluate = Callable[[exp.Expr], object]


class Witness:
    """One derivation. `instances` are its rows, `orders` the comparisons between cells that remain to
    respect.
    """

    def __init__(self, model: Model, rng: random.Random, evaluate: Evaluate) -> None:
        self.model = model
        self.rng = rng
        self.evaluate = evaluate
        self.instances: list[Instance] = []
        self.orders: list[tuple[Cell, Cell, bool]] = []
        self.repeat = 1
        self.depth = 0
        self.goals: dict[int, bool | str] = {}

    def derive(self, info: QueryInfo, parent: Frame | None = None) -> Frame | None:
        """Make a row of the query's result possible; the frame of the branch that yields it."""
        if self.depth > 24:
            return None
        if info.select is None:
            return self.derive(self.rng.choice(info.branches), parent) if info.branches else None
        self.depth += 1
        frame = Frame(info.select, parent)
        for source in info.select.sources.values():
            if source.query is not None:
                frame.places[id(source)] = self.derive(source.query, frame)
            elif source.table is not None:
                instance = Instance(source.table)
                self.instances.append(instance)
                frame.places[id(source)] = instance
            else:
                frame.places[id(source)] = self._element(source, frame)
        self._conditions(info.select, frame)
        self.depth -= 1
        return frame

    def _element(self, source: Source, frame: Frame) -> Element | None:
        node = source.unnest
        if not isinstance(node, exp.Unnest) or not node.expressions:
            return None
        place = self.place(Term(node.expressions[0], frame))
        if place is None:
            return None
        instance, column, path = place
        instance.elements += 1
        element = Element(instance, column, (*path, f"[{instance.elements}]"))
        instance.cell(column, element.path)
        return element

    def _conditions(self, select: SelectInfo, frame: Frame) -> None:
        node = select.node
        for join in node.args.get("joins") or []:
            on = join.args.get("on")
            if on is not None and (
                join.side.upper() not in {"LEFT", "RIGHT", "FULL"} or self.rng.random() < 0.8
            ):
                self.assume(on, frame, True)
            for identifier in join.args.get("using") or []:
                self._using(select, frame, identifier.name)
        for clause in ("where", "having", "qualify"):
            if node.args.get(clause) is not None:
                self.assume(node.args[clause].this, frame, True)
        self._arms(node, frame)

    def _using(self, select: SelectInfo, frame: Frame, name: str) -> None:
        cells = [self.cell_of_source(frame, source, name) for source in select.sources.values()]
        known = [cell for cell in cells if cell is not None]
        for other in known[1:]:
            known[0].unify(other)

    def _arms(self, node: exp.Select, frame: Frame) -> None:
        """Aim at an arm of the CASEs (and IFs) in the select list, now and then."""
        for item in node.expressions:
            if self.rng.random() < 0.6:
                arms = [arm for arm in item.find_all(exp.If) if arm.find_ancestor(exp.Select) is node]
                if arms:
                    arm = self.rng.choice(arms)
                    case = arm.parent
                    subject = case.this if isinstance(case, exp.Case) else None
                    if subject is not None:
                        self.relate(Term(subject, frame), "=", Term(arm.this, frame))
                    else:
                        self.assume(arm.this, frame, self.rng.random() < 0.8)

    # -- places ------------------------------------------------------------------------------------------

    def follow(self, term: Term) -> Term | Cell | None:
        """Follow a column through derived tables to a cell, or to the expression that computes it."""
        node, frame = term.node, term.frame
        while isinstance(node, exp.Paren | exp.Alias):
            node = node.this
        fields: Path = ()
        inner_node = node
        while isinstance(inner_node, exp.Dot) and isinstance(inner_node.expression, exp.Identifier):
            fields = (inner_node.expression.name, *fields)
            inner_node = inner_node.this
        if not isinstance(inner_node, exp.Column):
            return Term(node, frame)
        node = inner_node
        ref = self.model.refs.get(id(node))
        if ref is None:
            return None
        if ref.alias_of is not None:
            inner = ref.alias_of.expression
            return self.follow(Term(inner, frame)) if inner is not None and inner is not node else None
        scope: Frame | None = frame
        while scope is not None and (ref.source is None or id(ref.source) not in scope.places):
            scope = scope.parent
        if scope is None or ref.source is None:
            return None
        path = (*ref.path, *fields)
        found = self._of_source(scope, ref.source, ref.name, path)
        if isinstance(found, Term) and path:
            return None
        return found

    def _of_source(self, frame: Frame, source: Source, name: str, path: Path) -> Term | Cell | None:
        place = frame.places.get(id(source))
        if isinstance(place, Instance):
            return place.cell(name, path)
        if isinstance(place, Element):
            own = not source.columns or name.lower() not in {key.lower() for key in source.columns if key}
            inner = (name, *path) if own else path
            return place.instance.cell(place.column, (*place.path, *inner))
        if isinstance(place, Frame) and source.query is not None:
            return self._of_query(place, source, name, path)
        return None

    def _of_query(self, place: Frame, source: Source, name: str, path: Path) -> Term | Cell | None:
        head = source.query.first() if source.query is not None else None
        output = find_output(source, place.select, name.lower(), first=place.select is head)
        if output is None:
            for inner in place.select.stars:
                found = self._of_source(place, inner, name, path)
                if found is not None:
                    return found
            return None
        if output.expression is None:
            return (
                self._of_source(place, output.source, output.name, path)
                if output.source is not None
                else None
            )
        found = self.follow(Term(output.expression, place))
        if path and isinstance(found, Cell):
            return self._path_cell(Term(output.expression, place), path)
        return found

    def _path_cell(self, term: Term, path: Path) -> Cell | None:
        place = self.place(term)
        return place[0].cell(place[1], (*place[2], *path)) if place is not None else None

    def place(self, term: Term) -> tuple[Instance, str, Path] | None:
        """Where a column's value is stored, if it is stored and not computed."""
        found = self.follow(term)
        if not isinstance(found, Cell):
            return None
        for instance in self.instances:
            for key, cell in instance.cells.items():
                if cell is found:
                    return instance, key[0], key[1:]
        return None

    def cell_of_source(self, frame: Frame, source: Source, name: str) -> Cell | None:
        """The cell of a source's column by name."""
        found = self._of_source(frame, source, name, ())
        return found if isinstance(found, Cell) else None

    # -- conditions --------------------------------------------------------------------------------------

    def assume(self, node: exp.Expr, frame: Frame, truth: bool) -> None:
        """Make a condition true (or false), as far as it is understood."""
        from greylag.verify.solving import assume

        assume(self, node, frame, truth)

    def relate(self, left: Term, operator: str, right: Term) -> None:
        """Make a comparison true."""
        from greylag.verify.solving import relate

        relate(self, left, operator, right)

    def constant(self, term: Term) -> object:
        """The value of an expression without columns; CANNOT when it is not constant."""
        node = term.node
        if (
            isinstance(node, exp.Column)
            or node.find(exp.Column, exp.Query, exp.AggFunc, exp.Window) is not None
        ):
            return CANNOT
        return self.evaluate(node)
