"""One entry under `replaces`, checked and compiled into a `Mapping`."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass, replace
from typing import Protocol

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.chains import compose
from greylag.mapping.compiled import Mapping, Names, Output, Provided
from greylag.mapping.document import Document, Loc
from greylag.mapping.model import ReplacesModel
from greylag.mapping.names import column_key, keeps_case, nearest, quote, table_key, table_ref
from greylag.mapping.query import Parsed, add_answers, in_order, parse_query, tables_read
from greylag.mapping.resolve import check_columns
from greylag.mapping.shape import with_shape
from greylag.mapping.sqltext import FileOrigin, SqlFault, SqlText, made, parse_condition, written


class Chain(Protocol):
    """The other entries of the file: a mapping may read what they replace (`order`)."""

    def columns_of(self, ref: DatasetRef) -> AbcMapping[str, str] | None:
        """The columns of a replaced dataset."""

    def mapping_of(self, ref: DatasetRef) -> Mapping | None:
        """The mapping of a replaced dataset, in terms of new ones only."""

    def circle(self, ref: DatasetRef) -> tuple[DatasetRef, ...]:
        """The datasets whose mappings led here, from this one on; empty when it is not among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What one entry must know of the rest of the file."""

    document: Document
    dialect: str
    provided: AbcMapping[tuple[str, ...], Provided]
    replaced: AbcMapping[tuple[str, ...], DatasetRef]
    chain: Chain | None = None

    def columns_of(self, ref: DatasetRef) -> AbcMapping[str, str] | None:
        """The declared columns of a dataset; None when they are not declared."""
        found = self.provided_by(ref)
        if found is None and self.chain is not None:
            return self.chain.columns_of(ref)
        return (found.columns or None) if found else None

    def provided_by(self, ref: DatasetRef) -> Provided | None:
        """The new dataset of this name."""
        return self.provided.get(table_key(ref, self.dialect))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry with what was found out about it so far.

    `answers` maps an unmapped column to the expression that a person decided.
    """

    model: ReplacesModel
    loc: Loc
    dataset: DatasetRef
    columns: AbcMapping[str, str]
    names: Names
    answers: AbcMapping[str, SqlText]


def compile_entry(entry: Entry, context: Context) -> Mapping | None:
    """Compile one entry; None when it is wrong, with the faults in the document."""
    before = len(context.document.faults)
    _check_keys(entry, context)
    source = _source(entry, context)
    if source is None or len(context.document.faults) > before:
        _try_parse(source, context)
        return None
    found = _parsed(entry, source, context)
    if found is None or len(context.document.faults) > before:
        return None
    return _mapping(*found, context)


def _check_keys(entry: Entry, context: Context) -> None:
    """Keys that name old columns, and the choice between `as` and `to`."""
    document, loc, model = context.document, entry.loc, entry.model
    if (model.as_ is None) == (model.to is None):
        stated = "neither `as` nor `to` is given" if model.as_ is None else "both `as` and `to` are given"
        document.fault(
            document.at_key((*loc, "as")) if model.as_ else document.at(loc),
            f"{stated}; give `as` (a SELECT over the new datasets) "
            "or `to` (the one that holds the same columns)",
        )
    for key in ("rename", "where") if model.to is None else ():
        if getattr(model, key):
            document.fault(document.at_key((*loc, key)), f"`{key}` belongs to the short form: it needs `to`")
    for key in ("rename", "unmapped", "differs"):
        for column in getattr(model, key):
            if column not in entry.columns:
                document.fault(
                    document.at_key((*loc, key, column)),
                    f"`{column}` is not a column of {entry.dataset}"
                    f"{nearest(column, entry.columns, 'its columns')}",
                )


def _source(entry: Entry, context: Context) -> SqlText | None:
    """The SELECT: as written, or what the short form stands for."""
    model, loc = entry.model, entry.loc
    if model.as_ is not None:
        return written(model.as_, (*loc, "as"))
    if model.to is None:
        return None
    dialect, to = context.dialect, (*loc, "to")
    result = made("SELECT ", to)
    listed = [name for name in entry.columns if name not in model.unmapped]
    for number, name in enumerate(listed):
        result = result + (made(", ", to) if number else made("", to))
        if name in model.rename:
            place = (*loc, "rename", name)
            result = result + _renamed(model.rename[name], place, context)
            result = result + made(f" AS {quote(name, dialect)}", place)
        else:
            column: Loc = (*loc, "columns", name) if model.columns else (*loc, "schema")
            result = result + made(quote(name, dialect), column)
    result = result + made(f" FROM {_table_text(model.to, dialect)}", to)
    if model.where is not None and _condition(model.where, (*loc, "where"), context):
        result = result + made(" WHERE ", (*loc, "where")) + written(model.where, (*loc, "where"))
    return result


def _renamed(value: str, loc: Loc, context: Context) -> SqlText:
    """A plain name is quoted where the dialect needs it; a path into a struct is left as written."""
    if value.isidentifier():
        return written(quote(value, context.dialect), loc)
    source = written(value, loc)
    try:
        node = parse_condition(source.text, context.dialect)
        if not isinstance(node, exp.Column | exp.Dot):
            raise SqlFault(f"`{value}` is not a column; `rename` takes columns, `as` takes expressions", 0)
    except SqlFault as fault:
        _report(fault, source, context)
    return source


def _table_text(name: str, dialect: str) -> str:
    if any(mark in name for mark in '`"'):
        return name
    return ".".join(quote(part, dialect) for part in name.split("."))


def _condition(where: str, loc: Loc, context: Context) -> bool:
    source = written(where, loc)
    try:
        parse_condition(source.text, context.dialect)
    except SqlFault as fault:
        _report(fault, source, context)
        return False
    return True


def _try_parse(source: SqlText | None, context: Context) -> None:
    """Say what is wrong with the SQL as well, although the entry is refused anyway."""
    if source is not None:
        try:
            parse_query(source, context.dialect, context.columns_of)
        except SqlFault as fault:
            _report(fault, source, context)


def _report(fault: SqlFault, source: SqlText, context: Context) -> None:
    context.document.fault(source.position(context.document, fault.offset), fault.message)


def _parsed(entry: Entry, source: SqlText, context: Context) -> tuple[Entry, Parsed] | None:
    dialect = context.dialect
    try:
        mapped = tuple(name for name in entry.columns if name not in entry.model.unmapped)
        parsed = parse_query(source, dialect, context.columns_of, mapped)
    except SqlFault as fault:
        _report(fault, source, context)
        return None
    before = len(context.document.faults)
    _check_outputs(entry, parsed, context)
    _check_tables(entry, parsed, context)
    if len(context.document.faults) == before:
        _check_columns(parsed, context)
    if len(context.document.faults) > before:
        return None
    try:
        found = _composed(entry, parsed, context)
        if found is None:
            return None
        entry, parsed = found
        if not _answers_fit(entry, context):
            return None
        parsed = add_answers(parsed, entry.answers, dialect)
        _check_columns(parsed, context)
        return entry, in_order(_named(entry, parsed), _final_names(entry), dialect)
    except SqlFault as fault:
        _report(fault, parsed.source, context)
        return None


def _answers_fit(entry: Entry, context: Context) -> bool:
    """Answers are for columns without counterpart, of this entry or handed on to it."""
    wrong = [column for column in entry.answers if column not in entry.model.unmapped]
    for column in wrong:
        key = entry.answers[column].pieces[0].loc[-1]
        hint = nearest(column, entry.model.unmapped, "unmapped columns") or "; no column is unmapped"
        context.document.fault(
            context.document.at_key(("answers", key)), f"`{key}` answers no question of this file{hint}"
        )
    return not wrong


def _check_columns(parsed: Parsed, context: Context) -> None:
    for offset, message in check_columns(parsed.query, context.dialect, context.columns_of):
        context.document.fault(parsed.source.position(context.document, offset), message)


def _final_names(entry: Entry) -> tuple[str, ...]:
    return tuple(name for name in entry.columns if name not in entry.model.unmapped or name in entry.answers)


def _named(entry: Entry, parsed: Parsed) -> Parsed:
    """Output names spelled as declared: in folding dialects the query may spell them otherwise."""
    declared = {column_key(name): name for name in entry.columns}
    items = tuple(replace(item, name=declared[column_key(item.name)]) for item in parsed.items)
    return replace(parsed, items=items)


def _check_outputs(entry: Entry, parsed: Parsed, context: Context) -> None:
    """Each old column exactly once, and nothing else."""
    document = context.document
    declared = {column_key(name): name for name in entry.columns}
    unmapped = {column_key(name) for name in entry.model.unmapped}
    seen: set[str] = set()
    for item in parsed.items:
        key, wrong = column_key(item.name), ""
        if not item.name:
            wrong = "this column has no name; write `expression AS name`"
        elif key not in declared:
            near = nearest(item.name, entry.columns, "its columns")
            wrong = f"`{item.name}` is not a column of {entry.dataset}{near}"
        elif key in seen:
            wrong = f"`{item.name}` is given twice; keep one"
        elif key in unmapped:
            wrong = f"`{item.name}` is given here and stands under `unmapped`; keep one of the two"
        elif keeps_case(context.dialect) and item.name != declared[key]:
            wrong = f"`{item.name}` is called `{declared[key]}` under `columns`; spell both the same"
        if wrong:  # the place is looked for only now: that reads the text up to it
            document.fault(parsed.source.position(document, item.start), wrong)
        seen.add(key)
    _check_given(entry, seen | unmapped, context)


def _check_given(entry: Entry, given: set[str], context: Context) -> None:
    document, loc = context.document, entry.loc
    for name in entry.columns:
        if column_key(name) in given:
            continue
        place = (*loc, "columns", name) if entry.model.columns is not None else (*loc, "schema")
        document.fault(
            document.at_key(place),
            f"the old column `{name}` is neither given by the mapping nor listed under `unmapped`; "
            "add it to one of them",
        )


def _check_tables(entry: Entry, parsed: Parsed, context: Context) -> None:
    """A mapping comes to an end: read through what other entries replace, it reads new datasets only."""
    for table in tables_read(parsed.query):
        ref = table_ref(table)
        old = context.replaced.get(table_key(ref, context.dialect))
        circle = context.chain.circle(old) if old is not None and context.chain is not None else ()
        if old is None or not circle:
            continue
        offset = min(part.meta.get("start", 0) for part in table.parts)
        where = parsed.source.position(context.document, offset)
        whose = "itself; read new datasets only"
        if old != entry.dataset:
            path = " -> ".join(str(one) for one in (*circle, old))
            whose = f"{old}, in a circle ({path}); one of them must read new datasets only"
        context.document.fault(where, f"the mapping of {entry.dataset} reads {whose}")


def _composed(entry: Entry, parsed: Parsed, context: Context) -> tuple[Entry, Parsed] | None:
    """The entry with what it reads of other replaced datasets said in new ones; None when those are wrong."""
    chain = context.chain
    if chain is None:
        return entry, parsed
    read = [table_ref(table) for table in tables_read(parsed.query)]
    if any(chain.columns_of(ref) is not None and chain.mapping_of(ref) is None for ref in read):
        return None
    composed = compose(parsed, context.dialect, chain.mapping_of)
    if composed is None:
        return entry, parsed
    declared = {column_key(name): name for name in entry.columns}
    lost = {declared[column_key(name)]: why for name, why in composed.unmapped.items()}
    other = {declared[column_key(name)]: why for name, why in composed.differs.items()}
    model = entry.model.model_copy(
        update={"unmapped": {**entry.model.unmapped, **lost}, "differs": {**other, **entry.model.differs}}
    )
    again = parse_query(composed.source, context.dialect, context.columns_of)
    return replace(entry, model=model), again


def _mapping(entry: Entry, parsed: Parsed, context: Context) -> Mapping:
    sql = parsed.source.text
    names = _final_names(entry)
    outputs = tuple(
        Output(name=name, text=sql[item.start : item.text_end], start=item.start, expression=item.node)
        for name, item in zip(names, parsed.items, strict=True)
    )
    mapping = Mapping(
        dataset=entry.dataset,
        names=entry.names,
        dialect=context.dialect,
        columns=entry.columns,
        sql=sql,
        query=parsed.query,
        outputs=outputs,
        unmapped={k: v for k, v in entry.model.unmapped.items() if k not in entry.answers},
        differs=dict(entry.model.differs),
        answers={column: source.text for column, source in entry.answers.items()},
        origin=FileOrigin(document=context.document, entry=entry.loc, source=parsed.source),
    )
    return with_shape(mapping, context.provided_by)
