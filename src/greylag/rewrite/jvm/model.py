"""Places of a program where SQL stands, or a table is read by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tree_sitter import Node

from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.embedded import Segment
from greylag.rewrite.jvm.constants import Constant, Constants
from greylag.rewrite.jvm.strings import Expression, Reader
from greylag.rewrite.jvm.syntax import Source

Span = tuple[int, int]
SPARK_LIKE = {"spark", "spark2", "databricks", "hive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a place that reads an old dataset cannot be rewritten: a reason's code and sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSite:
    """A string expression that holds SQL. `span` is what a rewrite may change, `holes` its sources.

    `stretch` is the call around it that a read by name may have become, and `mark` the way of reading that
    such a call has in common with one by name: two versions of a program are compared without them.

    `open`: more text may be put behind it somewhere else, which inline form does not allow for.
    `boundary`: the text is no statement but a table (JDBC's `dbtable`), so that only the mapping fits.
    `refusal` counts only if the SQL reads an old dataset.
    """

    span: Span
    segments: tuple[Segment, ...]
    dialect: str | None
    boundary: bool = False
    refusal: Refusal | None = None
    holes: tuple[str, ...] = ()
    stretch: Span | None = None
    mark: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSite:
    """A call that reads a table by its name: `sql` is the query that it means.

    `write` makes the call that runs a query instead, as source for `span`. `whole`: every row and column is
    read, so that the mapping itself takes the query's place.
    """

    span: Span
    sql: str
    at: int
    dialect: str | None
    write: Callable[[str], str] | None
    whole: bool = True
    mark: str = ""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A constant that names a table: its uses decide."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A name that is only told: a log message, the name of a step."""

    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A place that names a table and is not understood; `sure`: whatever the table's name is."""

    span: Span
    refusal: Refusal
    sure: bool = False


Place = SqlSite | TableSite | Definition | Mention | Unknown


@dataclass(slots=True)
class File:
    """One file and what is known of it."""

    source: Source
    migration: CompiledMigration
    siblings: Mapping[str, str] = field(default_factory=dict)
    others: tuple[Constant, ...] = ()
    constants: Constants = field(init=False)

    def __post_init__(self) -> None:
        self.constants = Constants(self.source, self.others)

    @property
    def is_spark(self) -> bool:
        return "org.apache.spark" in self.source.text

    @property
    def dialect(self) -> str | None:
        """The dialect of SQL that stands in this file; None is the migration's."""
        bigquery = any(
            word in self.source.text
            for word in ("com.spotify.scio.bigquery", "beam.sdk.io.gcp.bigquery", "com.google.cloud.bigquery")
        )
        if self.is_spark and not bigquery:
            return self.spark
        return self.bigquery if bigquery and not self.is_spark else None

    @property
    def spark(self) -> str | None:
        return None if self.migration.dialect in SPARK_LIKE else "spark"

    @property
    def bigquery(self) -> str | None:
        return None if self.migration.dialect == "bigquery" else "bigquery"

    def spoken(self, dialect: str | None) -> str:
        return dialect or self.migration.dialect

    def read(self, node: Node, dialect: str | None) -> Expression:
        """A string expression; raises Unreadable."""
        return Reader(self.source, self.constants.text, self.spoken(dialect)).read(node)

    def text(self, node: Node | None) -> str | None:
        """The text of an expression that is known to its end; None for others, and for none."""
        from greylag.rewrite.jvm.literals import Unreadable

        if node is None:
            return None
        try:
            expression = self.read(node, None)
        except Unreadable:
            return None
        return expression.text if expression.whole else None

    def last(self, node: Node | None) -> str:
        """The last name of an expression: `spark` of `this.spark`, `read` of `spark.read()`."""
        if node is None:
            return ""
        text = self.source.of(node)
        while text.endswith(")"):
            text = text[: text.rfind("(")].rstrip() if text.count("(") == 1 else text.split("(")[0]
        return text.rsplit(".", 1)[-1].strip()
