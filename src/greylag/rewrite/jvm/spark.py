"""Reads through Spark and JDBC: tables by name, SQL, and the options that hold either."""

from __future__ import annotations

import re
from dataclasses import replace

from tree_sitter import Node

from greylag.rewrite.embedded import Segment, read_site_sql
from greylag.rewrite.jvm.literals import written
from greylag.rewrite.jvm.model import File, Place, Refusal, Span, SqlSite, TableSite, Unknown
from greylag.rewrite.jvm.strings import Expression
from greylag.rewrite.jvm.syntax import Call, call_of, chain

_SESSIONS = {
    "spark",
    "sparkSession",
    "session",
    "sqlContext",
    "hiveContext",
    "ss",
    "sqlc",
    "sparkSess",
    "SparkSession",
}
_BIGQUERY_FORMAT = re.compile(
    r"""format\s*\(\s*"(?:bigquery|com\.google\.cloud\.spark\.bigquery[\w.]*)"\s*\)|\.read(?:\(\))?\.bigquery\b"""
)
_WRITES = re.compile(r"\.\s*write\w*\b")
_SAVES = re.compile(r"\.\s*(?:save|saveAsTable|insertInto|mode)\s*\(")
_STREAMS = re.compile(r"\.\s*readStream\b")
_READ = re.compile(r"\.\s*read\b")
_WRITERS = {
    "saveAsTable",
    "insertInto",
    "writeTo",
    "save",
    "saveAsBigQueryTable",
    "saveAsTypedBigQueryTable",
    "to",
}
_LEGACY = re.compile(r"(?i)#legacysql|\[[\w\-]+[:.][\w\-.$:]+\]")
LEGACY = Refusal(
    code="other-dialect",
    message="this is legacy SQL, which a mapping in standard SQL cannot stand in: move the query first",
)
VIEWS = Refusal(
    code="table-only",
    message="the BigQuery connector takes a query only with the options `viewsEnabled` and"
    " `materializationDataset`: set them, then the read can be rewritten",
)
STREAM = Refusal(
    code="table-only", message="a stream reads a table by its name; make the mapping a view for it"
)


def literal(file: File, sql: str, dialect: str | None, at: int) -> str:
    """SQL as a string expression of this file, for a call that stands at a character."""
    return written(
        sql,
        java=file.source.language == "java",
        blocks='"""' in file.source.text,
        indent=file.source.indent(at),
        newline=file.source.newline,
        dialect=file.spoken(dialect),
    )


def sql_site(
    file: File,
    expression: Expression,
    dialect: str | None,
    refusal: Refusal | None = None,
    *,
    table: bool = False,
) -> SqlSite:
    """A string expression as SQL; `table`: as what stands behind FROM."""
    span = file.source.span(expression.node)
    legacy = _LEGACY.search(expression.text) or re.search(r"setUseLegacySql\(\s*true", file.source.text)
    if legacy and file.spoken(dialect) == "bigquery":
        refusal = LEGACY
    lead = Segment(
        text=read_site_sql(""), start=span[0], end=span[0], offsets=None, encode=lambda sql: sql, known=True
    )
    holes = tuple(
        file.source.text[each.start : each.end]
        for each in expression.segments
        if each.offsets is None and each.text.startswith("hole_")
    )
    return SqlSite(
        span=span,
        segments=(lead, *expression.segments) if table else tuple(expression.segments),
        dialect=dialect,
        boundary=table,
        refusal=refusal,
        holes=holes,
    )


def marked(file: File, site: SqlSite, call: Call, mark: str, end: int | None = None) -> SqlSite:
    """A query in the call that a read by name becomes."""
    if call.kind == "infix":
        return site
    stretch = (file.source.span(call.name_node)[0], end or file.source.span(call.node)[1])
    return replace(site, stretch=stretch, mark=mark)


def spark_place(file: File, call: Call, node: Node, expression: Expression) -> Place | None:
    """What a string means as an argument of Spark's calls; None where it is none of theirs."""
    match call.name:
        case "sql" if call.kind in ("call", "infix"):
            spark = file.is_spark or file.last(call.receiver) in _SESSIONS
            site = sql_site(file, expression, file.spark if spark else file.dialect)
            return marked(file, site, call, "sql") if len(call.arguments) == 1 else site
        case "table" if call.kind in ("call", "infix"):
            return _table(file, call, expression)
        case "option" | "put" | "->":
            return _option(file, call, node, expression)
        case "jdbc" if call.argument("table", 1) == node:
            return _writes(file, call, node) or sql_site(file, expression, None, table=True)
        case "load" | "bigquery" if _is_bigquery(file, call):
            return _load(file, call, expression)
        case _ if call.name in _WRITERS and call.kind in ("call", "infix") and _named(expression):
            return _writes(file, call, node, sure=call.name != "to")
        case _:
            return None


def _named(expression: Expression) -> bool:
    return re.fullmatch(r"[\w.:`\-$]+", expression.text.strip()) is not None


def _whole(file: File, call: Call) -> str:
    return file.source.of(chain(file.source, call.node))


def _before(file: File, call: Call) -> str:
    receiver = file.source.of(call.receiver) if call.receiver is not None else ""
    return f".{receiver}"


def _is_bigquery(file: File, call: Call) -> bool:
    return _BIGQUERY_FORMAT.search(_before(file, call) + f".{call.name}") is not None


def _writes(file: File, call: Call, node: Node, *, sure: bool = False) -> Unknown | None:
    """A place that writes, or streams."""
    before = _before(file, call)
    after = file.source.text[
        file.source.span(call.node)[1] : file.source.span(chain(file.source, call.node))[1]
    ]
    if sure or _WRITES.search(before) or _SAVES.search(after):
        refusal = Refusal(code="writes-old", message="writes the old dataset: its producer has to move first")
        return Unknown(span=file.source.span(node), refusal=refusal)
    if _STREAMS.search(before):
        return Unknown(span=file.source.span(node), refusal=STREAM)
    return None


def _table(file: File, call: Call, expression: Expression) -> Place | None:
    """`spark.table(name)`, `spark.read.table(name)`: the mapping, through `spark.sql`."""
    receiver = call.receiver
    if receiver is None or len(call.arguments) != 1:
        return None
    reads = file.last(receiver) == "read" or _READ.search(_before(file, call)) is not None
    if (writes := _writes(file, call, expression.node)) is not None:
        return writes
    if not reads and not _is_session(file, receiver):
        return None
    start = file.source.span(call.name_node)[0]
    refusal = None
    if reads:
        start_node = _read_node(file, receiver)
        if start_node is None:
            message = "options stand between `read` and `table`, which a query does not have"
            refusal = Refusal(code="table-modifier", message=message)
        else:
            start = start_node
    span = (start, file.source.span(call.node)[1])

    def write(sql: str) -> str:
        return f"sql({literal(file, sql, file.spark, start)})"

    infix = call.kind == "infix"
    return named_site(
        file, expression, span, file.spark, None if infix else write, refusal=refusal, mark="sql"
    )


def _is_session(file: File, node: Node) -> bool:
    """Is it a Spark session, by its name or by a type that the file gives it?"""
    name = file.last(node)
    if name in _SESSIONS or "SparkSession" in file.source.of(node):
        return True
    kinds = r"(?:SparkSession|SQLContext|HiveContext)"
    before = rf"\b{re.escape(name)}\s*(?::|=)\s*(?:new\s+)?(?:[\w.]+\.)?{kinds}\b"
    typed = rf"{before}|\b{kinds}\s+{re.escape(name)}\b"
    return bool(name) and re.search(typed, file.source.text) is not None


def _read_node(file: File, receiver: Node) -> int | None:
    """Where `read` begins in `spark.read` or `spark.read()`; None where more than that stands there."""
    call = call_of(file.source, receiver)
    name = call.name_node if call is not None else receiver.child_by_field_name("field")
    if name is None or file.source.of(name) != "read" or (call is not None and call.arguments):
        return None
    return file.source.span(name)[0]


def named_site(
    file: File,
    expression: Expression,
    span: Span,
    dialect: str | None,
    write: object,
    *,
    refusal: Refusal | None = None,
    fields: tuple[str, ...] = (),
    restriction: str | None = None,
    note: str | None = None,
    mark: str = "",
) -> Place:
    """A read of a table by its name, with the columns and the filter that the call takes besides."""
    at = file.source.span(expression.node)[0]
    if not expression.whole or refusal is not None or not callable(write):
        why = refusal or Refusal(code="dynamic-sql", message="the table's name is made at run time")
        if expression.whole and refusal is None:
            why = Refusal(code="table-only", message="this way of calling it takes a table's name only")
        return Unknown(span=span, refusal=why)
    name = table_name(expression.text, file.spoken(dialect))
    if name is None:
        why = Refusal(code="maybe-old", message=f"{expression.text!r} is not a plain name of a table")
        return Unknown(span=span, refusal=why)
    sql = read_site_sql(name)
    if fields:
        sql = sql.replace("*", ", ".join(fields), 1)
    if restriction:
        sql += f" WHERE {restriction}"
    return TableSite(
        span=span,
        sql=sql,
        at=at,
        dialect=dialect,
        write=write,
        whole=not fields and not restriction,
        note=note,
        mark=mark,
    )


def table_name(text: str, dialect: str) -> str | None:
    """A table's name as it stands in SQL; None for what is no plain name (partitions, wildcards)."""
    text = text.strip()
    if dialect == "bigquery":
        text = text.strip("`")
        if not re.fullmatch(r"(?:[\w\-]+[:.])?[\w\-]+\.[\w\-]+", text):
            return None
        return f"`{text.replace(':', '.')}`"
    return text if re.fullmatch(r"(?:\w+|`[^`]+`)(?:\.(?:\w+|`[^`]+`))*", text) else None


def _option(file: File, call: Call, node: Node, expression: Expression) -> Place | None:
    key = call.receiver if call.name == "->" else (call.arguments[0].value if call.arguments else None)
    if key is None or key == node:
        return None
    name = (file.text(key) or "").lower()
    if name not in ("dbtable", "query", "table", "sql"):
        return None
    if (writes := _writes(file, call, node)) is not None:
        return writes
    if not _READ.search(_before(file, call)) and _WRITES.search(file.source.text):
        refusal = Refusal(code="dynamic-sql", message="options that a write may use as well")
        return Unknown(span=file.source.span(node), refusal=refusal)
    bigquery = _BIGQUERY_FORMAT.search(_whole(file, call)) is not None
    if name in ("query", "sql"):
        site = sql_site(file, expression, file.bigquery if bigquery else None)
        return marked(file, site, call, "option") if bigquery else site
    if name == "dbtable":
        return sql_site(file, expression, None, table=True)
    if not bigquery or call.name != "option":
        return None
    start = file.source.span(call.name_node)[0]
    span = (start, file.source.span(call.node)[1])

    def write(sql: str) -> str:
        text = literal(file, sql, file.bigquery, start)
        return f'option("query",{"" if text[0].isspace() else " "}{text})'

    return named_site(file, expression, span, file.bigquery, write, refusal=_views(file), mark="option")


def _views(file: File) -> Refusal | None:
    ready = "viewsEnabled" in file.source.text and "materializationDataset" in file.source.text
    return None if ready else VIEWS


def _load(file: File, call: Call, expression: Expression) -> Place | None:
    if (writes := _writes(file, call, expression.node)) is not None:
        return writes
    if expression.is_query:
        return sql_site(file, expression, file.bigquery)
    span = file.source.span(expression.node)

    def write(sql: str) -> str:
        return literal(file, sql, file.bigquery, span[0])

    return named_site(file, expression, span, file.bigquery, write, refusal=_views(file))
