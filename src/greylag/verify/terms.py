"""The places and expressions that a witness is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from greylag.verify.cells import Cell
from greylag.verify.model import SelectInfo, TableInfo
from greylag.verify.typevars import TypeVar

Path = tuple[str, ...]
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "="}
_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NullSafeEQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
CANNOT = object()


@dataclass(slots=True, eq=False)
class Instance:
    """One row of one table under construction; `cells` by column and path."""

    table: TableInfo
    cells: dict[Path, Cell] = field(default_factory=dict)
    elements: int = 0

    def cell(self, name: str, path: Path) -> Cell:
        """The cell of a column, or of a struct field or list element in it (`[k]` is the k-th element)."""
        key = (self.table.find(name) or name, *path)
        if key not in self.cells:
            var = self.table.columns.get(key[0]) or TypeVar()
            for part in path:
                var = var.element_of() if part.startswith("[") else var.field_of(part)
            self.cells[key] = Cell(var=var)
        return self.cells[key]


@dataclass(slots=True, eq=False)
class Element:
    """An element of a list that was unnested: a place inside an instance."""

    instance: Instance
    column: str
    path: Path


@dataclass(slots=True, eq=False)
class Frame:
    """What each source of one SELECT stands for in a witness."""

    select: SelectInfo
    parent: Frame | None
    places: dict[int, Instance | Frame | Element | None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Term:
    """An expression seen from a frame."""

    node: exp.Expr
    frame: Frame


def operator_of(node: exp.Expr, truth: bool) -> str | None:
    """The comparison that a node makes, negated when it is to be false."""
    operator = _OPERATORS.get(type(node))
    return operator if operator is None or truth else _NEGATED[operator]


def mirrored(operator: str) -> str:
    """The same comparison with its sides exchanged."""
    return _MIRROR[operator]
