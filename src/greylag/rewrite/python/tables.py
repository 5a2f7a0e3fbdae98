"""Reads that name a table: the call is made to run the mapping's SELECT instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst

from greylag.domain.patch import Edit
from greylag.mapping.compiled import Mapping
from greylag.rewrite.embedded import one_line
from greylag.rewrite.python.calls import called, receiver
from greylag.rewrite.python.chains import as_query, chain_of, queried
from greylag.rewrite.python.literals import Style
from greylag.rewrite.python.source import Source

_WIDTH = 100
_SPARK = re.compile(r"(?i)(?:spark|sqlcontext|session|context|ss|hc)\w*(?:\(\))?$")
_ENGINES = re.compile(r"(?i)spark|snowpark|databricks|def model\(")
_RELATIONS = re.compile(r"(?i)\b(?:ibis|duckdb|snowpark)\b")
_CHANGES = {"update", "delete", "merge", "insert", "insert_into", "drop_table", "drop"}
_RELATIONAL = re.compile(r"(?i)(?:duckdb|con|conn|connection|db|ibis|backend|cursor|client|schema)\w*$")


class NotRead(Exception):
    """The call cannot be made to read a SELECT. `code` is that of a reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How a call is turned into one that runs SQL.

    `edits` change the call around the table's name; the name itself is replaced by the SELECT, in
    parentheses and with an alias where `alias` is set. `removed` are arguments that lose their meaning.
    """

    argument: cst.BaseExpression
    edits: tuple[Edit, ...] = ()
    alias: str = ""
    schema: cst.BaseExpression | None = None


def reader(source: Source, call: cst.Call, argument: cst.BaseExpression) -> Reader:
    """How to make `call`, which is told a table's name by `argument`, read a SELECT. Raises NotRead."""
    name = called(call)
    match name:
        case "table":
            return _table(source, call, argument)
        case "read_sql" if any(_picks(index, arg) for index, arg in enumerate(call.args)):
            # pandas picks columns of a table, and all of a query's.
            raise NotRead("table-modifier", "some columns of the table are read by name")
        case "read_gbq" | "read_sql" | "read_gbq_query":
            return Reader(argument=argument)
        case "read_sql_table":
            return _read_sql_table(source, call, argument)
        case "option" | "jdbc" | "load":
            return _of_chain(source, call, argument)
    raise NotRead("table-only", f"{name or 'this call'} takes a table's name, not a query")


def _picks(index: int, arg: cst.Arg) -> bool:
    """May this argument of `read_sql` be its `columns`?"""
    if arg.keyword is None:
        return bool(arg.star) or index > 5
    return arg.keyword.value == "columns"


def _plain(call: cst.Call, argument: cst.BaseExpression) -> bool:
    return len(call.args) == 1 and call.args[0].value is argument and not call.args[0].star


def _table(source: Source, call: cst.Call, argument: cst.BaseExpression) -> Reader:
    """`spark.table`, `spark.read.table`, `con.table`: all of these have a `sql` beside it."""
    if not isinstance(call.func, cst.Attribute):
        raise NotRead("not-understood", "what `table` reads here is not known")
    held = receiver(source, call)
    start, end = source.span(call.func.attr)
    extra: tuple[Edit, ...] = ()
    if held.endswith(".read") or re.search(r"\.read\s*\.", held):
        if not held.endswith(".read") or not isinstance(call.func.value, cst.Attribute):
            raise NotRead("table-modifier", "the table is read with options")
        start = source.span(call.func.value.attr)[0]
        held = source.code(call.func.value.value)
    elif not _SPARK.search(held):
        if not _RELATIONAL.search(held):
            raise NotRead("not-understood", f"what {held[-60:]}.table reads is not known")
        if "duckdb" in held.lower() or "import duckdb" in source.text:
            extra = (_alias(source, argument),)
    _engine_known(source, held)
    if not _plain(call, argument):
        raise NotRead("table-modifier", "the table is read with further arguments")
    _only_read(source, call)
    return Reader(argument=argument, edits=(Edit(start, end, "sql"), *extra))


def _engine_known(source: Source, held: str) -> None:
    """Raises NotRead where nothing tells that what has a `table` has a `sql` as well."""
    known = _ENGINES if _SPARK.search(held) else _RELATIONS
    if not re.search(r"(?i)spark", held) and not known.search(source.text):
        raise NotRead("not-understood", f"what {held[-60:]} is, is not known")


def _only_read(source: Source, call: cst.Call) -> None:
    """Raises NotRead where rows of the table are changed through what the call returns."""
    held = source.parent(call)
    target = held.targets[0].target if isinstance(held, cst.Assign) and len(held.targets) == 1 else None
    uses = source.references(target) if isinstance(target, cst.Name) else ()
    for use in (call, *uses):
        above = source.parent(use)
        if isinstance(above, cst.Attribute) and above.value is use and above.attr.value in _CHANGES:
            raise NotRead("writes-old", "rows of the table are changed")


def _alias(source: Source, argument: cst.BaseExpression) -> Edit:
    """DuckDB: relations are known by the table's name in joins."""
    end = source.span(argument)[1]
    return Edit(end, end, ', alias="{name}"')


def _read_sql_table(source: Source, call: cst.Call, argument: cst.BaseExpression) -> Reader:
    """pandas: the same call with a query has another name, and no schema."""
    edits: list[Edit] = []
    schema: cst.BaseExpression | None = None
    for arg in call.args:
        keyword = arg.keyword.value if arg.keyword is not None else ""
        if keyword == "columns" or arg.star:
            raise NotRead("table-modifier", "some columns of the table are read by name")
        if keyword == "schema":
            schema = arg.value
            edits.append(_without(source, call, arg))
        elif keyword == "table_name":
            edits.append(Edit(*source.span(arg.keyword or arg), "sql"))
    if len([arg for arg in call.args if arg.keyword is None]) > 2:
        raise NotRead("table-modifier", "arguments of the read are given by position")
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    if isinstance(call.func, cst.Name):
        raise NotRead("not-understood", "read_sql_table is imported by its own name")
    if receiver(source, call) != "pd" and not source.qualified(call).startswith("pandas."):
        raise NotRead("not-understood", "only pandas is known to read a query in the same way")
    return Reader(
        argument=argument, edits=(Edit(*source.span(name), "read_sql_query"), *edits), schema=schema
    )


def _without(source: Source, call: cst.Call, arg: cst.Arg) -> Edit:
    """An argument, with the comma before it, away."""
    index = [one is arg for one in call.args].index(True)
    end = source.span(arg)[1]
    before = source.span(call.args[index - 1])[1] if index else source.span(arg)[0]
    if index:
        before = source.span(call.args[index - 1].value)[1]
        while before < end and source.text[before] in ")":
            before += 1
    tail = source.span(arg.value)[1]
    return Edit(before, tail, "")


def _of_chain(source: Source, call: cst.Call, argument: cst.BaseExpression) -> Reader:
    """`spark.read…`: JDBC's `dbtable` takes a subquery; some connectors have an option for a query."""
    chain = chain_of(source, call)
    if chain is None:
        raise NotRead("not-understood", "what is read here is not known")
    key = call.args[0].value if called(call) == "option" else None
    option = str(key.evaluated_value).lower() if isinstance(key, cst.SimpleString) else called(call)
    if chain.format == "jdbc" and option in ("dbtable", "jdbc"):
        return Reader(argument=argument, alias="greylag_read")
    if option == "query":
        raise NotRead("not-understood", "the option holds no query")
    if option not in ("table", "dbtable", "load") or (option == "load" and chain.format != "bigquery"):
        raise NotRead("table-only", f"{option or '?'} takes a table's name, not a query")
    why = queried(source, call, chain)
    if why is not None:
        raise NotRead("table-only", f"{option} {why}")
    edits = as_query(source, call, argument)
    if edits is None:
        raise NotRead("table-modifier", "the table is read with more than its name")
    return Reader(argument=argument, edits=edits)


def select_text(
    mapping: Mapping, source: Source, read: Reader, table: str, *, names: dict[str, str] | None = None
) -> str:
    """The mapping's SELECT as a literal in place of a table's name; `names` are put in as `{…}`."""
    sql = mapping.sql
    start, end = source.span(read.argument)
    line_start = source.text.rfind("\n", 0, start) + 1
    indent = re.match(r"[ \t]*", source.text[line_start:])
    margin = indent[0] if indent is not None else ""
    newline = "\r\n" if "\r\n" in source.text[:10_000] else "\n"
    flat = one_line(sql, mapping.dialect)
    if read.alias:
        flat = f"({flat}) {table}" if flat is not None else None
        sql = f"(\n{sql}\n) {table}"
    room = _WIDTH - (start - line_start) - 4
    written = source.text[start:end]
    quote = "'" if written.lstrip("rRfFuU").startswith("'") and "'" not in (flat or "'") else '"'
    if flat is not None and len(flat) <= room and quote not in flat:
        return _quoted(Style(quote=quote, newline=newline), flat, names)
    style = Style(quote='"""', newline=newline)
    if _spans_lines(mapping):
        return _quoted(style, f"\n{sql}\n", names)
    body = "\n".join(f"{margin}    {line}" if line.strip() else "" for line in sql.split("\n"))
    return _quoted(style, f"\n{body}\n{margin}", names)


def _quoted(style: Style, sql: str, names: dict[str, str] | None) -> str:
    text = style.encode(sql)
    if not names:
        return f"{style.quote}{text}{style.quote}"
    text = text.replace("{", "{{").replace("}", "}}")
    for written, code in names.items():
        text = text.replace(written, "{" + code + "}")
    return f"f{style.quote}{text}{style.quote}"


def _spans_lines(mapping: Mapping) -> bool:
    """Is there a line break that indenting would change the meaning of?"""
    return "\n" in mapping.sql and one_line(mapping.sql, mapping.dialect) is None and "'''" in mapping.sql


SelectText = Callable[[Mapping], str]
