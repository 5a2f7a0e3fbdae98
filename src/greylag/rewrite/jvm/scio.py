"""Reads through Scio and Beam: annotations that make case classes, and calls that read BigQuery."""

from __future__ import annotations

import re
from dataclasses import replace

from tree_sitter import Node

from greylag.rewrite.jvm.literals import Unreadable
from greylag.rewrite.jvm.model import File, Mention, Place, Refusal, SqlSite, Unknown
from greylag.rewrite.jvm.modes import shown_required
from greylag.rewrite.jvm.spark import LEGACY, literal, marked, named_site, sql_site
from greylag.rewrite.jvm.strings import Expression, Reader
from greylag.rewrite.jvm.syntax import Argument, Call, around, chain

_QUERIES = {"Query", "bigQuerySelect", "fromQuery", "bigQueryStorageQuery", "QueryJobConfiguration"}
_NOTE = (
    "a query's columns are all nullable: where the old table has REQUIRED ones, their fields become Options"
)


def scio_place(file: File, call: Call, node: Node, expression: Expression) -> Place | None:
    """What a string means as an argument of Scio's or Beam's calls; None where it is none of theirs."""
    if call.kind == "annotation":
        return _annotated(file, call, expression)
    if call.name in ("Spec", "Table.Spec"):
        return _spec(file, call, expression)
    if call.name == "bigQueryTable" and len(call.arguments) == 1:
        return _named(file, call, expression, "bigQuerySelect({})")
    if call.name == "from" and _is_beam(file, call):
        return _from(file, call, expression)
    if call.name in _QUERIES or (call.name == "of" and file.last(call.receiver) in _QUERIES):
        return _query(file, call, expression)
    return None


def _annotated(file: File, call: Call, expression: Expression) -> Place | None:
    match call.name:
        case "fromQuery":
            return _from_query(file, call, expression)
        case "fromTable":
            return _from_table(file, call)
        case "fromStorage":
            return _from_storage(file, call, expression)
        case _:
            return None


def _from_query(file: File, call: Call, expression: Expression) -> Place:
    """`@BigQueryType.fromQuery(format, arguments…)`: the class gets the schema of the filled query."""
    if len(call.arguments) == 1:
        return marked(file, sql_site(file, expression, file.bigquery), call, "class")
    first, *rest = (argument.value for argument in call.arguments)
    if expression.node != first:
        return Mention(span=file.source.span(expression.node))
    try:
        reader = Reader(file.source, file.constants.text, file.spoken(file.bigquery))
        return sql_site(file, reader.filled(first, rest), file.bigquery)
    except Unreadable as why:
        refusal = Refusal(code="dynamic-sql", message=str(why))
        return Unknown(span=file.source.span(first), refusal=refusal)


def _class_of(file: File, call: Call) -> str | None:
    """The class that an annotation stands on."""
    parent = call.node.parent
    while parent is not None and parent.type not in ("class_definition", "class_declaration"):
        parent = parent.parent
    name = parent.child_by_field_name("name") if parent is not None else None
    return file.source.of(name) if name is not None else None


def _from_table(file: File, call: Call) -> Place:
    """`@BigQueryType.fromTable(spec)` as `fromQuery(mapping)`: the class keeps its fields."""
    span = (file.source.span(call.name_node)[0], file.source.span(call.node)[1])
    texts = [file.text(argument.value) for argument in call.arguments]
    if not texts or any(text is None for text in texts):
        refusal = Refusal(code="dynamic-sql", message="an argument of fromTable is no literal")
        return Unknown(span=span, refusal=refusal)
    try:
        name = _formatted([text or "" for text in texts])
        expression = file.read(call.arguments[0].value, None)
    except Unreadable as why:
        return Unknown(span=span, refusal=Refusal(code="maybe-old", message=str(why)), sure=True)

    def write(sql: str) -> str:
        return f"fromQuery({literal(file, sql, file.bigquery, span[0])})"

    first = replace(expression.segments[0], text=name, offsets=None, known=True)
    known = Expression(node=call.arguments[0].value, segments=[first])
    return named_site(
        file, known, span, file.bigquery, write, refusal=_used_as_table(file, call), note=_NOTE, mark="class"
    )


def _formatted(texts: list[str]) -> str:
    """The table's name: a format, filled as Scio fills it."""
    if "$LATEST" in "".join(texts):
        raise Unreadable("the newest of many tables ($LATEST): name each of them in a migration of its own")
    if len(texts) == 1:
        return texts[0]
    name, rest = texts[0], texts[1:]
    if name.count("%s") != len(rest) or name.count("%") != len(rest):
        raise Unreadable("a format that is not understood")
    for each in rest:
        name = name.replace("%s", each, 1)
    return name


def _used_as_table(file: File, call: Call) -> Refusal | None:
    """Why a class that is made from a table cannot be made from a query."""
    name = _class_of(file, call)
    if name is None:
        return Refusal(code="not-understood", message="the annotation stands on no class")
    uses = re.compile(rf"\b{re.escape(name)}\s*\.\s*(?:table|selectedFields|rowRestriction)\b")
    storage = re.compile(rf"\btypedBigQueryStorage\s*\[\s*{re.escape(name)}\s*\]\s*\(\s*[^)\s]")
    table = re.compile(rf"\bBigQueryTyped\s*\.\s*(?:Table|Storage)\s*\[\s*{re.escape(name)}\s*\]")
    for path, text in {**file.siblings, file.source.path: file.source.text}.items():
        if not path.endswith((".scala", ".sc")) or name not in text:
            continue
        if (found := uses.search(text)) is not None:
            return Refusal(
                code="table-only", message=f"{path} uses {found[0]}, which a query's class does not have"
            )
        if storage.search(text) or table.search(text):
            return Refusal(code="table-only", message=f"{path} reads {name} from a table that it names")
    shown = shown_required(file, name)
    if shown is not None:
        message = f"{shown}: a REQUIRED field, which would be an Option in a query's class"
        return Refusal(code="field-mode", message=message)
    return None


def _from_storage(file: File, call: Call, expression: Expression) -> Place:
    """`@BigQueryType.fromStorage(spec, selectedFields, rowRestriction)` as the query that it means."""
    span = (file.source.span(call.name_node)[0], file.source.span(call.node)[1])
    refusal = _used_as_table(file, call)
    chosen = _selection(file, call.arguments[1:])
    if chosen is None:
        refusal = refusal or Refusal(code="table-modifier", message="what fromStorage selects is no literal")
        chosen = ((), None)

    def write(sql: str) -> str:
        return f"fromQuery({literal(file, sql, file.bigquery, span[0])})"

    fields, restriction = chosen
    return named_site(
        file,
        expression,
        span,
        file.bigquery,
        write,
        refusal=refusal,
        fields=fields,
        restriction=restriction,
        note=_NOTE,
        mark="class",
    )


def _selection(file: File, arguments: tuple[Argument, ...]) -> tuple[tuple[str, ...], str | None] | None:
    """The columns and the filter that a read by the storage API names; None where they are not literal."""
    fields: tuple[str, ...] = ()
    restriction: str | None = None
    for argument in arguments:
        if argument.name == "selectedFields":
            found = re.fullmatch(
                r'(?s)(?:List|Seq)\s*\(\s*((?:"\w+"\s*,?\s*)+)\)', file.source.of(argument.value)
            )
            if found is None:
                return None
            fields = tuple(re.findall(r'"(\w+)"', found[1]))
        elif argument.name == "rowRestriction":
            restriction = file.text(argument.value)
            if restriction is None:
                return None
        else:
            return None
    return fields, restriction


def _spec(file: File, call: Call, expression: Expression) -> Place | None:
    """`Table.Spec(name)` where it is read: the call around it takes a query instead."""
    if file.last(call.receiver) != "Table" and call.name == "Spec" and call.receiver is not None:
        return None
    outer = around(file.source, call.node)
    if outer is None:
        return None
    match outer.name:
        case "bigQueryTable" if len(outer.arguments) == 1:
            return _named(file, outer, expression, "bigQuerySelect(Query({}))")
        case "bigQueryStorage" if outer.arguments and outer.arguments[0].value == call.node:
            return _storage(file, outer, expression)
        case "typedBigQuery" if len(outer.arguments) == 1:
            return _typed(file, outer, call, expression)
        case name if name.startswith(("saveAs", "write")) or name in ("to", "saveAsBigQueryTable"):
            refusal = Refusal(
                code="writes-old", message="writes the old dataset: its producer has to move first"
            )
            return Unknown(span=file.source.span(call.node), refusal=refusal)
        case _:
            return None


def _named(file: File, call: Call, expression: Expression, shape: str) -> Place:
    start = file.source.span(call.name_node)[0]

    def write(sql: str) -> str:
        return shape.format(literal(file, sql, file.bigquery, start))

    span = (start, file.source.span(call.node)[1])
    refusal = None
    if call.type_arguments is not None:
        refusal = Refusal(code="table-modifier", message="the read has a type of its own")
    return named_site(file, expression, span, file.bigquery, write, refusal=refusal, mark="select")


def _storage(file: File, call: Call, expression: Expression) -> Place:
    chosen = _selection(file, call.arguments[1:])
    start = file.source.span(call.name_node)[0]
    refusal = None
    if chosen is None:
        refusal = Refusal(code="table-modifier", message="what is selected is no literal")
        chosen = ((), None)

    def write(sql: str) -> str:
        return f"bigQueryStorage(Query({literal(file, sql, file.bigquery, start)}))"

    span = (start, file.source.span(call.node)[1])
    fields, restriction = chosen
    return named_site(
        file,
        expression,
        span,
        file.bigquery,
        write,
        refusal=refusal,
        fields=fields,
        restriction=restriction,
        mark="storage",
    )


def _typed(file: File, outer: Call, call: Call, expression: Expression) -> Place:
    """`typedBigQuery[Row](Table.Spec(name))`: a query may be the source, but not of a storage class."""
    span = file.source.span(call.node)
    types = file.source.of(outer.type_arguments).strip("[] ") if outer.type_arguments is not None else ""
    made = re.compile(
        rf"@BigQueryType\s*\.\s*from(?:Table|Query|Schema)\s*\((?:[^()]|\([^()]*\))*\)\s*(?:final\s+)?class\s+{re.escape(types)}\b"
    )
    refusal = None
    if not types or not made.search(file.source.text):
        message = f"the class {types or 'of the read'} is not made in this file: it may need a table"
        refusal = Refusal(code="table-only", message=message)

    def write(sql: str) -> str:
        return f"Query({literal(file, sql, file.bigquery, span[0])})"

    return named_site(file, expression, span, file.bigquery, write, refusal=refusal, mark="source")


# -- Beam -----------------------------------------------------------------------------------------------


def _is_beam(file: File, call: Call) -> bool:
    return call.receiver is not None and "BigQueryIO" in file.source.of(call.receiver)


def _from(file: File, call: Call, expression: Expression) -> Place:
    """`BigQueryIO.read….from(name)` as `.fromQuery(mapping).usingStandardSql()`."""
    whole = file.source.of(chain(file.source, call.node))
    start = file.source.span(call.name_node)[0]
    refusal = None
    modified = re.search(
        r"\.\s*(withSelectedFields|withRowRestriction|readTableRowsWithSchema)\b", f".{whole}"
    )
    if modified is not None:
        refusal = Refusal(
            code="table-modifier", message=f"{modified[1]} needs a table: say it in a query first"
        )

    def write(sql: str) -> str:
        return f"fromQuery({literal(file, sql, file.bigquery, start)}).usingStandardSql()"

    span = (start, file.source.span(call.node)[1])
    return named_site(file, expression, span, file.bigquery, write, refusal=refusal, mark="beam")


def _query(file: File, call: Call, expression: Expression) -> Place | None:
    if not re.search(r"com\.spotify\.scio|apache\.beam|cloud\.bigquery", file.source.text):
        return None
    refusal = None
    if call.name == "fromQuery" and _is_beam(file, call):
        whole = file.source.of(chain(file.source, call.node))
        standard = (
            "usingStandardSql" in whole or "`" in expression.text or "#standardsql" in expression.text.lower()
        )
        refusal = None if standard else LEGACY
    if not expression.is_query and call.name not in ("Query", "fromQuery", "bigQuerySelect"):
        return None
    return _in_call(file, call, sql_site(file, expression, file.bigquery, refusal))


def _in_call(file: File, call: Call, site: SqlSite) -> SqlSite:
    """A query with the call that a read by name would be here."""
    if call.name == "bigQuerySelect" and len(call.arguments) == 1:
        return marked(file, site, call, "select")
    if call.name == "fromQuery" and _is_beam(file, call):
        end = file.source.span(call.node)[1]
        standard = re.compile(r"\s*\.\s*usingStandardSql\s*\(\s*\)").match(file.source.text, end)
        return marked(file, site, call, "beam", standard.end()) if standard is not None else site
    outer = around(file.source, call.node) if call.name == "Query" else None
    if outer is None or len(outer.arguments) != 1:
        return site
    match outer.name:
        case "bigQuerySelect":
            return marked(file, site, outer, "select")
        case "bigQueryStorage":
            return marked(file, site, outer, "storage")
        case "typedBigQuery":
            return marked(file, site, call, "source")
        case _:
            return site
