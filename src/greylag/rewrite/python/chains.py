"""Spark's readers and writers: `spark.read.format(…).option(…).load(…)`, as one thing."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from greylag.domain.patch import Edit
from greylag.rewrite.python.source import Source

METHODS = frozenset({"option", "load", "jdbc"})
_STARTS = {"read", "write", "readStream", "writeStream"}
_ENDS = {"load", "save", "jdbc", "table", "saveAsTable", "insertInto", "start"}
_FORMATS = (
    (re.compile(r"(?i)bigquery$"), "bigquery"),
    (re.compile(r"(?i)^(?:net\.snowflake\.spark\.)?snowflake$"), "snowflake"),
    (re.compile(r"(?i)redshift$"), "redshift"),
    (re.compile(r"(?i)^(?:org\.apache\.spark\.sql\.)?jdbc$"), "jdbc"),
)
_NEEDED = (
    ("viewsEnabled", re.compile(r"(?i)viewsEnabled[\"']?\s*[,=:]\s*[\"']?true\b")),
    ("materializationDataset", re.compile(r"(?i)materializationDataset[\"']?\s*[,=:]")),
)
# Options of the BigQuery connector that mean the same for a query as for a table.
_ANY = {
    *("table", "viewsenabled", "materializationdataset", "materializationproject", "parentproject"),
    *("project", "credentials", "credentialsfile", "readdataformat", "maxparallelism", "gcpaccesstoken"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a reader or writer is told. `format` is None when it is not known, else the kind of source.

    `options` are the keys that are set, in lower case; `open` says that there may be others. `writes`: it
    is a writer.
    """

    format: str | None
    options: frozenset[str]
    open: bool
    writes: bool


def chain_of(source: Source, call: cst.Call) -> Chain | None:
    """The chain that a call is a link of; None where it belongs to no `.read` or `.write`."""
    calls = [call]
    node: cst.BaseExpression = call.func
    start = ""
    while isinstance(node, cst.Attribute):
        inner = node.value
        if isinstance(inner, cst.Attribute) and inner.attr.value in (
            "read",
            "write",
            "readStream",
            "writeStream",
        ):
            start = inner.attr.value
            break
        if not isinstance(inner, cst.Call):
            return None
        calls.append(inner)
        node = inner.func
    if not start:
        return None
    return _told(calls + _behind(source, call), start)


def _behind(source: Source, call: cst.Call) -> list[cst.Call]:
    """The links behind a call, up to the one that reads or writes."""
    found: list[cst.Call] = []
    while _name(call) not in _ENDS:
        attribute = source.parent(call)
        above = source.parent(attribute) if isinstance(attribute, cst.Attribute) else None
        if not isinstance(above, cst.Call) or above.func is not attribute:
            break
        found.append(above)
        call = above
    return found


def _told(calls: list[cst.Call], start: str) -> Chain:
    format_: str | None = "jdbc" if any(_name(one) == "jdbc" for one in calls) else None
    options: set[str] = set()
    unknown = start.endswith("Stream")
    for one in calls:
        match _name(one):
            case "format":
                text = _text(one.args[0].value) if one.args else None
                format_ = next((kind for shape, kind in _FORMATS if text and shape.search(text)), None)
            case "option":
                key = _text(one.args[0].value) if one.args else None
                options |= {key.lower()} if key is not None else set()
                unknown = unknown or key is None
            case "options" | "schema" | "load" | "jdbc":
                options |= {arg.keyword.value.lower() for arg in one.args if arg.keyword is not None}
                unknown = unknown or any(arg.star for arg in one.args) or _name(one) == "schema"
            case _:
                unknown = True
    writes = start.startswith("write")
    return Chain(format=format_, options=frozenset(options), open=unknown, writes=writes)


def queried(source: Source, call: cst.Call, chain: Chain) -> str | None:
    """Why the chain cannot read a query instead of a table; None where it can."""
    if chain.format in ("snowflake", "redshift"):
        return None
    if chain.format != "bigquery":
        return "takes a table's name, not a query"
    for setting, shape in _NEEDED:
        if not shape.search(source.text):
            return f"takes a query only where {setting} is set"
    more = sorted(chain.options - _ANY)
    if more or chain.open:
        return f"is read with {', '.join(more) or 'options that are not known'}: a query may not have them"
    return None


def as_query(source: Source, call: cst.Call, argument: cst.BaseExpression) -> tuple[Edit, ...] | None:
    """The edits around the argument that make it a query's text; None where comments stand between."""
    start, end = source.span(argument)
    if _name(call) == "option":
        key = call.args[0].value
        low, high = source.span(key)
        assert isinstance(key, cst.SimpleString)
        return (Edit(low + len(key.prefix) + len(key.quote), high - len(key.quote), "query"),)
    assert isinstance(call.func, cst.Attribute)
    low, high = source.span(call.func.attr)[0], source.span(call)[1]
    if "#" in source.text[low:start] or "#" in source.text[end:high] or len(call.args) != 1:
        return None
    return Edit(low, start, 'option("query", '), Edit(end, high, ").load()")


def _name(call: cst.Call) -> str:
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else ""


def _text(node: cst.BaseExpression) -> str | None:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None
