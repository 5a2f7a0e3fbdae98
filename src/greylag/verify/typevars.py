"""Column types that are not known yet: variables that are unified while a query is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

# How sure we are of a scalar type: a later hint of a higher rank wins.
DECLARED, STRONG, MEDIUM, WEAK, NONE = 9, 5, 3, 1, 0

NUMERIC = frozenset({"BIGINT", "DOUBLE", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "FLOAT", "UBIGINT"})


@dataclass(slots=True, eq=False)
class TypeVar:
    """A type under construction: a scalar (DuckDB name), a struct (`fields`) or a list (`element`).

    A text that is read as another type says so in `read_as`; a date, with its strftime format in `written`.
    """

    scalar: str | None = None
    rank: int = NONE
    fields: dict[str, TypeVar] | None = None
    element: TypeVar | None = None
    link: TypeVar | None = None
    strings: set[str] = field(default_factory=set)
    read_as: str | None = None
    written: str | None = None

    def root(self) -> TypeVar:
        """The representative of everything that was unified with this variable."""
        node = self
        while node.link is not None:
            node = node.link
        return node

    def hint(self, scalar: str, rank: int) -> TypeVar:
        """Say what the scalar type may be; a surer hint replaces a less sure one."""
        node = self.root()
        if node.fields is None and node.element is None and rank > node.rank:
            node.scalar, node.rank = scalar, rank
        elif rank == node.rank and scalar in {"DOUBLE"} and node.scalar == "BIGINT" and rank < DECLARED:
            node.scalar = scalar
        return node

    def field_of(self, name: str, path_case: bool = False) -> TypeVar:
        """The type of a struct's field; makes this a struct when nothing is known of it yet."""
        node = self.root()
        if node.element is not None and node.fields is None:
            return node.element.field_of(name)
        if node.fields is None:
            if node.rank >= DECLARED:
                return TypeVar()
            node.fields, node.scalar = {}, None
        for known, var in node.fields.items():
            if known.lower() == name.lower():
                return var
        var = TypeVar()
        if node.rank < DECLARED:
            node.fields[name] = var
        return var

    def element_of(self) -> TypeVar:
        """The type of a list's elements; makes this a list when nothing is known of it yet."""
        node = self.root()
        if node.element is None:
            element = TypeVar()
            if node.rank >= DECLARED:
                return element
            node.element, node.scalar = element, None
        return node.element

    def unify(self, other: TypeVar) -> None:
        """Both are the same type from now on; numbers of different widths stay apart."""
        left, right = self.root(), other.root()
        if left is right:
            return
        if left.rank >= DECLARED and right.rank >= DECLARED:
            return
        if right.rank > left.rank or (left.rank < DECLARED and left.is_blank() and not right.is_blank()):
            left, right = right, left
        if left.scalar is not None and right.scalar is not None and right.rank >= STRONG:
            return
        right.link = left
        left.strings |= right.strings
        left.read_as = left.read_as or right.read_as
        left.written = left.written or right.written
        self._merge_parts(left, right)

    @staticmethod
    def _merge_parts(left: TypeVar, right: TypeVar) -> None:
        if right.fields is not None and (left.fields is not None or left.rank < DECLARED):
            for name, var in right.fields.items():
                left.field_of(name).unify(var)
        if right.element is not None and (left.element is not None or left.rank < DECLARED):
            left.element_of().unify(right.element)

    def is_blank(self) -> bool:
        """Nothing is known of it."""
        return self.scalar is None and self.fields is None and self.element is None

    def sql(self) -> str:
        """The type in DuckDB's words; what nothing is known of is text."""
        node = self.root()
        if node.element is not None:
            return f"{node.element.sql()}[]"
        if node.fields is not None:
            inner = ", ".join(f'"{name}" {var.sql()}' for name, var in node.fields.items())
            return f"STRUCT({inner})" if inner else "VARCHAR"
        return node.scalar or "VARCHAR"


def declared(text: str, dialect: str) -> TypeVar:
    """The type that a migration file declares, e.g. `STRUCT<country STRING>`; blank for an empty text.

    Raises sqlglot's ParseError when the text is no type of the dialect.
    """
    if not text:
        return TypeVar()
    return from_data_type(exp.DataType.build(text, dialect=dialect, udt=True), DECLARED)


def from_data_type(kind: exp.DataType, rank: int) -> TypeVar:
    """A parsed type as a variable."""
    if kind.this == exp.DType.STRUCT:
        fields: dict[str, TypeVar] = {}
        for position, part in enumerate(kind.expressions):
            if isinstance(part, exp.ColumnDef) and isinstance(part.kind, exp.DataType):
                fields[part.name] = from_data_type(part.kind, rank)
            elif isinstance(part, exp.DataType):
                fields[f"f{position}"] = from_data_type(part, rank)
        return TypeVar(fields=fields, rank=rank)
    if kind.this in {exp.DType.ARRAY, exp.DType.LIST} and kind.expressions:
        part = kind.expressions[0]
        element = from_data_type(part, rank) if isinstance(part, exp.DataType) else TypeVar()
        return TypeVar(element=element, rank=rank)
    return TypeVar(scalar=_scalar(kind), rank=rank)


_OTHER_NAMES = {
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "GEOGRAPHY": "VARCHAR",
    "GEOMETRY": "VARCHAR",
    "UNKNOWN": "VARCHAR",
    "OBJECT": "JSON",
    "VARIANT": "JSON",
    "INT": "INTEGER",
    "INT4": "INTEGER",
    "INT8": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "REAL": "FLOAT",
    "NUMERIC": "DECIMAL",
    "BYTES": "BLOB",
    "BOOL": "BOOLEAN",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "TIMESTAMP_NS": "TIMESTAMP",
}


def _scalar(kind: exp.DataType) -> str:
    text = kind.sql("duckdb").upper()
    if text.startswith(("TEXT(", "VARCHAR(", "CHAR(", "BPCHAR", "NCHAR", "NVARCHAR", "CHAR")):
        return "VARCHAR"
    return _OTHER_NAMES.get(text, text)
