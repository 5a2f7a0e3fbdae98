"""Queries as they are run: real tables under names of our own, the mapping in the place of old datasets."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.verify.execute import known_functions
from greylag.verify.model import Catalog, TableInfo
from greylag.verify.names import TableKey, cte_of, provided_keys, real_tables, replaced_keys, table_key
from greylag.verify.program import NotComparable
from greylag.verify.typevars import declared

_MAX_NODES = 60_000


@dataclass(slots=True)
class Names:
    """The names of a proof: which keys are replaced, the catalog, and the functions that we do not know."""

    migration: CompiledMigration
    catalog: Catalog
    replaced: dict[TableKey, Mapping]
    functions: dict[tuple[str, int], str] = field(default_factory=dict)
    made_old: dict[TableKey, exp.Query] = field(default_factory=dict)
    made_new: dict[TableKey, exp.Query] = field(default_factory=dict)


def names_for(migration: CompiledMigration) -> Names:
    """The names of a migration, its new datasets in the catalog with the schemas that are declared."""
    catalog = Catalog(dialect=migration.dialect)
    catalog.aliases.update(provided_keys(migration))
    for provided in migration.provides:
        table = catalog.table(tuple(_key(provided.dataset.parts, migration)))
        if provided.columns:
            table.columns = {
                name: declared(text, migration.dialect) for name, text in provided.columns.items()
            }
            table.closed = True
        table.unique = provided.unique
    return Names(migration=migration, catalog=catalog, replaced=replaced_keys(migration))


def _key(parts: tuple[str, ...], migration: CompiledMigration) -> TableKey:
    return parts if migration.dialect == "bigquery" else tuple(part.lower() for part in parts)


def reads_replaced(node: exp.Expr, names: Names) -> list[exp.Table]:
    """The reads of replaced datasets under `node`."""
    dialect = names.migration.dialect
    return [table for table in real_tables(node) if table_key(table, dialect) in names.replaced]


def prepare(query: exp.Query, names: Names, *, old: bool) -> exp.Query:
    """A copy of a query over tables of our own; for the old version, over the mapping as well.

    Raises NotComparable when a source cannot be named.
    """
    return placed(query, names, old=old, made=names.made_old if old else names.made_new)  # type: ignore[return-value]


def placed(root: exp.Expr, names: Names, *, old: bool, made: dict[TableKey, exp.Query]) -> exp.Expr:
    """A copy of any statement or query over tables of our own; for the old version, over the mapping as well.

    `made` are tables that the program itself makes: they are read as the queries that fill them.
    """
    holder = exp.Select(expressions=[], from_=exp.From(this=exp.Subquery(this=root.copy())))
    node = holder.args["from_"].this.this
    _shorten_columns(node)
    for table in list(real_tables(node)):
        _place(table, names, made, old=old)
    if names.migration.dialect == "bigquery":
        _name_fields(holder)
    _stub_functions(holder, names)
    node = holder.args["from_"].this.this
    if sum(1 for _ in node.walk()) > _MAX_NODES:
        raise NotComparable("the statements are too large to compare by execution")
    node.pop()
    return node  # type: ignore[no-any-return]


def _place(table: exp.Table, names: Names, made: dict[TableKey, exp.Query], *, old: bool) -> None:
    dialect = names.migration.dialect
    key = table_key(table, dialect)
    if not key:
        raise NotComparable(f"the table `{table.sql(dialect)[:80]}` is not a plain name")
    alias = _alias(table)
    moment = _moment(table, dialect)
    mapping = names.replaced.get(key) if old else None
    if mapping is not None or key in made:
        _check_place(table, ".".join(key), moment, mapping)
    if moment:
        key = (*key[:-1], f"{key[-1]} {moment}")
    if mapping is not None or key in made:
        inner = mapping_query(mapping, names) if mapping is not None else made[key].copy()
        subquery = exp.Subquery(this=inner, alias=alias)
        if mapping is not None:
            subquery.meta["mapping"] = ".".join(key)
        for arg in ("joins", "pivots", "laterals"):
            if table.args.get(arg):
                subquery.set(arg, table.args[arg])
        table.replace(subquery)
        return
    info = names.catalog.table(key)
    table.set("this", exp.to_identifier(info.physical))
    table.set("db", None)
    table.set("catalog", None)
    table.set("alias", alias)
    for arg in ("version", "when", "partition", "hints"):
        table.set(arg, None)


def _alias(table: exp.Table) -> exp.TableAlias:
    """The name by which the query knows a table, said outright."""
    given = table.args.get("alias")
    alias = given.copy() if isinstance(given, exp.TableAlias) else exp.TableAlias()
    if alias.this is None:
        alias.set("this", exp.to_identifier(_last_name(table), quoted=True))
    return alias


def _check_place(table: exp.Table, name: str, moment: str, mapping: Mapping | None) -> None:
    """Raises NotComparable where a query would not mean the same as the table."""
    if moment:
        raise NotComparable(f"`{name}` is read as of a point in time, or in part")
    if table.args.get("sample") is not None:
        raise NotComparable("TABLESAMPLE picks rows at random: of a mapping it may pick others")
    if mapping is not None and not _may_be_a_query(table):
        raise NotComparable(f"`{name}` is named where a query cannot stand")


def _may_be_a_query(table: exp.Table) -> bool:
    """Does a read stand where a query in parentheses may stand instead?"""
    parent = table.parent
    match parent:
        case exp.From() | exp.Join() | exp.Subquery() | exp.Paren() | exp.Pivot() | exp.Tuple():
            return True
        case exp.Merge() | exp.Delete():
            return table.arg_key == "using"
        case exp.Copy():
            return table.arg_key != "this"
        case _:
            return False


def _moment(table: exp.Table, dialect: str) -> str:
    """Of which point in time or partition a table is read, as a text; empty when it is read as it is."""
    arguments = ("version", "when", "partition")
    given = [table.args[arg] for arg in arguments if table.args.get(arg) is not None]
    return "".join(part.sql(dialect) for part in given)


def _last_name(table: exp.Table) -> str:
    return table.name.split(".")[-1]


def mapping_query(mapping: Mapping, names: Names) -> exp.Query:
    """A replaced dataset as a query: its columns in the old order; those without a counterpart are typed
    NULLs.
    """
    inner = mapping.query.copy()
    holder = exp.Subquery(this=inner)
    _shorten_columns(inner)
    for table in list(real_tables(holder)):
        _place(table, names, {}, old=False)
    inner = holder.this
    inner.pop()
    given = [output.name for output in mapping.outputs]
    lowered = {name.lower() for name in given}
    wanted = [
        name for name in mapping.columns if name.lower() in lowered or name in mapping.unmapped
    ] or given
    if [name.lower() for name in wanted] == [name.lower() for name in given]:
        return inner  # type: ignore[no-any-return]
    columns: list[exp.Expr] = []
    for name in wanted:
        identifier = exp.to_identifier(name, quoted=True)
        if name.lower() in lowered:
            columns.append(exp.Column(this=identifier))
        else:
            kind = exp.DataType.build(
                mapping.columns.get(name) or "VARCHAR", dialect=mapping.dialect, udt=True
            )
            null = exp.Cast(this=exp.Null(), to=kind)
            null.meta["unmapped"] = name
            columns.append(exp.Alias(this=null, alias=identifier))
    source = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("greylag_mapping")))
    return exp.Select(expressions=columns, from_=exp.From(this=source))


def without_counterpart(query: exp.Query) -> exp.Query:
    """The query with a mark that no text spells in place of each column that has no counterpart.

    The NULL that stands there for the sake of running is no value that a new version may write for it.
    """
    marked = [node for node in query.find_all(exp.Cast) if node.meta.get("unmapped") is not None]
    if not marked:
        return query
    copy = query.copy()
    for node in list(copy.find_all(exp.Cast)):
        name = node.meta.get("unmapped")
        if name is not None:
            node.replace(exp.Anonymous(this="greylag no counterpart", expressions=[exp.Literal.string(name)]))
    return copy


def _shorten_columns(node: exp.Expr) -> None:
    """`prod.core.users.name` becomes `users.name`, where `prod.core.users` is read without an alias."""
    dotted: set[tuple[str, ...]] = set()
    for table in node.find_all(exp.Table):
        if table.args.get("alias") is None and table.args.get("db") is not None:
            parts = tuple(part.lower() for identifier in table.parts for part in identifier.name.split("."))
            dotted.update(parts[start:] for start in range(len(parts) - 1))
    if not dotted:
        return
    for column in list(node.find_all(exp.Column)):
        names = [part for identifier in column.parts for part in identifier.name.split(".")]
        for size in range(len(names) - 1, 1, -1):
            if tuple(name.lower() for name in names[:size]) in dotted:
                _rebuild(column, names[size - 1 :])
                break


def _rebuild(column: exp.Column, names: list[str]) -> None:
    identifiers = [exp.to_identifier(name, quoted=True) for name in names]
    column.replace(exp.Column(this=identifiers[1], table=identifiers[0])) if len(
        names
    ) == 2 else column.replace(
        exp.Dot.build([exp.Column(this=identifiers[1], table=identifiers[0]), *identifiers[2:]])
    )


def _name_fields(node: exp.Expr) -> None:
    """A column in STRUCT(…) names its field: say it outright, before the column is called otherwise."""
    for struct in node.find_all(exp.Struct):
        for item in list(struct.expressions):
            field_name = item.expression if isinstance(item, exp.Dot) else item.this
            if isinstance(item, exp.Column | exp.Dot) and isinstance(field_name, exp.Identifier):
                item.replace(exp.PropertyEQ(this=exp.to_identifier(field_name.name), expression=item.copy()))


def _stub_functions(node: exp.Expr, names: Names) -> None:
    """Functions that DuckDB does not know become functions of our own that only depend on their arguments."""
    known = known_functions()
    for call in list(node.find_all(exp.Anonymous)):
        whole: exp.Expr = call
        while isinstance(whole.parent, exp.Dot) and whole.parent.expression is whole:
            whole = whole.parent
        dotted = whole is not call
        name = call.name.lower()
        if not dotted and name in known:
            continue
        prefix = whole.sql("bigquery").split("(")[0] if dotted else name
        clean = "".join(char if char.isalnum() else "_" for char in prefix.lower())
        arity = len(call.expressions)
        stub = f"greylag_f_{clean}_{arity}"
        names.functions[(stub, arity)] = prefix
        whole.replace(exp.Anonymous(this=stub, expressions=[part.copy() for part in call.expressions]))


def tables_read(query: exp.Expr, names: Names) -> set[str]:
    """The physical names that a prepared query reads."""
    physical = {table.physical for table in names.catalog.tables.values()}
    return {
        table.name for table in query.find_all(exp.Table) if table.name in physical and cte_of(table) is None
    }


def table_by_physical(names: Names, physical: str) -> TableInfo:
    """The table with a name of our own."""
    return next(table for table in names.catalog.tables.values() if table.physical == physical)
