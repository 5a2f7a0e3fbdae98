"""From the text of a mapping to its one query: parse, expand stars, add answers, put columns in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.dataset import DatasetRef
from greylag.mapping.names import column_key, quote, table_ref
from greylag.mapping.select_list import Item, first_select, select_items
from greylag.mapping.sqltext import SqlFault, SqlText, made, parse_statements, tokens

ColumnsOf = Callable[[DatasetRef], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A query, its text and the columns of its select list."""

    source: SqlText
    query: exp.Query
    items: tuple[Item, ...]


def parse_query(source: SqlText, dialect: str, columns_of: ColumnsOf, old: tuple[str, ...] = ()) -> Parsed:
    """Parse a mapping; `*` is expanded from the columns of the tables that it stands for.

    `old` are the columns that the mapping has to give: a lone `*` in each branch of a set operation is taken
    to give just these where the columns of its table are the same, or are not declared.

    Raises:
        SqlFault: it is not one query, or a star cannot be expanded.
    """
    source = _without_end(source, dialect)
    _refuse_template(source.text, dialect)
    source = _expand_lone_stars(source, dialect, columns_of, old)
    parsed = _parse(source, dialect)
    if any(item.node.is_star for item in parsed.items):
        parsed = _parse(_expand_stars(parsed, dialect, columns_of), dialect)
    return parsed


def _parse(source: SqlText, dialect: str) -> Parsed:
    text = source.text
    statements = parse_statements(text, dialect)
    if len(statements) != 1:
        raise SqlFault(f"expected one SELECT, found {len(statements)} statements", _second(text, dialect))
    query = statements[0]
    if not isinstance(query, exp.Query) or isinstance(query, exp.Table):
        first = tokens(text, dialect)[0]
        raise SqlFault(f"expected a SELECT, found {first.text.upper()}", first.start)
    for node in query.find_all(exp.Into):
        raise SqlFault(f"a mapping must not write ({node.sql(dialect=dialect)})", 0)
    return Parsed(source=source, query=query, items=select_items(text, query, dialect))


def _refuse_template(text: str, dialect: str) -> None:
    """`{{ x }}` may even parse, as a literal of an engine: nobody means that."""
    listed = tokens(text, dialect)
    for token, after in pairwise(listed):
        adjacent = after.start == token.end + 1
        doubled = adjacent and token.token_type == after.token_type == TokenType.L_BRACE
        if doubled or token.token_type == TokenType.BLOCK_START:
            raise SqlFault("a mapping is plain SQL: templates are not rendered here", token.start)


def _second(text: str, dialect: str) -> int:
    listed = tokens(text, dialect)
    for token, after in pairwise(listed):
        if token.token_type == TokenType.SEMICOLON:
            return after.start
    return 0


def _without_end(source: SqlText, dialect: str) -> SqlText:
    """Without semicolons and comments at the end: a line comment would swallow what is put behind it."""
    listed = tokens(source.text, dialect)
    while listed and listed[-1].token_type == TokenType.SEMICOLON:
        listed.pop()
    if not listed:
        raise SqlFault("expected a SELECT, found none", 0)
    return source.slice(0, listed[-1].end + 1)


def _expand_lone_stars(source: SqlText, dialect: str, columns_of: ColumnsOf, old: tuple[str, ...]) -> SqlText:
    """`SELECT * FROM p0 UNION ALL SELECT * FROM p1`: each star becomes the columns it stands for."""
    statements = parse_statements(source.text, dialect)
    if len(statements) != 1 or not isinstance(statements[0], exp.SetOperation):
        return source
    listed = tokens(source.text, dialect)
    starts = {token.start: index for index, token in enumerate(listed)}
    places: dict[int, str] = {}
    for select in _branches(statements[0]):
        from_ = select.args.get("from_")
        table = from_.this if from_ is not None and len(select.expressions) == 1 else None
        if not isinstance(table, exp.Table) or not isinstance(select.expressions[0], exp.Star):
            continue
        if any(select.args.get(key) for key in ("joins", "laterals")) or table.args.get("pivots"):
            continue
        if not any(table is read for read in tables_read(statements[0])):
            continue
        first = starts.get(table.parts[0].meta.get("start", -1), 0)
        if first < 3 or listed[first - 2].token_type != TokenType.STAR:
            continue
        names = _lone_star(columns_of(table_ref(table)), old)
        if names:
            places[listed[first - 2].start] = ", ".join(quote(name, dialect) for name in names)
    result, at = source.slice(0, 0), 0
    for start, text in sorted(places.items()):
        anchor = source.slice(start, start + 1).pieces[0].loc
        result = result + source.slice(at, start) + made(text, anchor)
        at = start + 1
    return result + source.slice(at)


def _branches(query: exp.Expr) -> list[exp.Select]:
    if isinstance(query, exp.SetOperation):
        return [*_branches(query.left), *_branches(query.right)]
    if isinstance(query, exp.Subquery):
        return _branches(query.this)
    return [query] if isinstance(query, exp.Select) and query.is_star else []


def _lone_star(declared: Mapping[str, str] | None, old: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a star over one table; none where other columns than those are declared."""
    if not declared:
        return old
    keys = {column_key(name) for name in declared}
    return old if old and keys == {column_key(name) for name in old} else ()


def _expand_stars(parsed: Parsed, dialect: str, columns_of: ColumnsOf) -> SqlText:
    select = first_select(parsed.query)
    result, at = None, 0
    for item in parsed.items:
        if not item.node.is_star:
            continue
        if select is not parsed.query or select is None:
            raise SqlFault("`*` cannot be expanded here; name the columns", item.start)
        text = _star_columns(select, item, dialect, columns_of)
        anchor = parsed.source.slice(item.start, item.start + 1).pieces[0].loc
        part = parsed.source.slice(at, item.start) + made(text, anchor)
        result = part if result is None else result + part
        at = item.end
    assert result is not None
    return result + parsed.source.slice(at)


def _star_columns(select: exp.Select, item: Item, dialect: str, columns_of: ColumnsOf) -> str:
    node = item.node
    star = node.this if isinstance(node, exp.Column) else node
    prefix = node.table if isinstance(node, exp.Column) else ""
    if not isinstance(star, exp.Star) or star.args.get("rename"):
        raise SqlFault("this `*` cannot be expanded; name the columns", item.start)
    columns = _star_source(select, prefix, item, columns_of)
    dropped = {column_key(column.name) for column in star.args.get("except_") or ()}
    replaced = {column_key(alias.alias): alias for alias in star.args.get("replace") or ()}
    unknown = (dropped | set(replaced)) - {column_key(name) for name in columns}
    if unknown:
        raise SqlFault(f"`*` has no column `{sorted(unknown)[0]}`", item.start)
    parts = []
    for name in columns:
        key = column_key(name)
        if key in dropped:
            continue
        plain = f"{quote(prefix, dialect)}.{quote(name, dialect)}" if prefix else quote(name, dialect)
        parts.append(replaced[key].sql(dialect=dialect) if key in replaced else plain)
    return ", ".join(parts)


def _star_source(select: exp.Select, prefix: str, item: Item, columns_of: ColumnsOf) -> Mapping[str, str]:
    source = select.args.get("from_")
    tables = [source.this] if source is not None else []
    tables += [join.this for join in select.args.get("joins") or ()]
    if select.args.get("laterals") or (not prefix and len(tables) != 1):
        raise SqlFault("`*` over several tables cannot be expanded; name the columns", item.start)
    known = [table for table in tables_read(select) if any(table is source for source in tables)]
    for table in known:
        if not prefix or column_key(table.alias_or_name) == column_key(prefix):
            alias = table.args.get("alias")
            if table.args.get("pivots") or (alias is not None and alias.args.get("columns")):
                raise SqlFault("`*` of columns made in the query cannot be expanded; name them", item.start)
            columns = columns_of(table_ref(table))
            if columns:
                return columns
            raise SqlFault(
                f"`*` cannot be expanded: the columns of {table_ref(table)} are not declared under "
                "`provides`; declare them, or name the columns",
                item.start,
            )
    raise SqlFault("`*` can only be expanded for a table of `provides`; name the columns", item.start)


def add_answers(parsed: Parsed, answers: Mapping[str, SqlText], dialect: str) -> Parsed:
    """Add columns that a person decided (column to its expression) at the end of the select list.

    Raises:
        SqlFault: the query cannot take more columns without yielding other rows.
    """
    source = parsed.source
    if not answers:
        return parsed
    if not isinstance(parsed.query, exp.Select) or not _keeps_rows(parsed.query):
        raise SqlFault(
            "an answer cannot be added to a mapping that groups, deduplicates or combines rows; "
            f"write {', '.join(f'`{name}`' for name in answers)} into `as` instead",
            parsed.items[0].start,
        )
    at = parsed.items[-1].end
    added = source.slice(0, at)
    for name, expression in answers.items():
        loc = expression.pieces[0].loc
        added = added + made(", ", loc) + expression + made(f" AS {quote(name, dialect)}", loc)
    return _parse(added + source.slice(at), dialect)


def _keeps_rows(select: exp.Select) -> bool:
    if any(select.args.get(clause) for clause in ("distinct", "group", "having")):
        return False
    return not any(item.find(exp.AggFunc) for item in select.expressions)


def in_order(parsed: Parsed, names: tuple[str, ...], dialect: str) -> Parsed:
    """The same query with its columns in the order of `names`, which are the names it has."""
    if tuple(item.name for item in parsed.items) == names:
        return parsed
    by_name = {item.name: item for item in parsed.items}
    source = parsed.source
    if not isinstance(parsed.query, exp.Select) or _has_ordinals(parsed.query):
        listed = ", ".join(quote(name, dialect) for name in names)
        anchor = source.pieces[0].loc
        wrapped = made(f"SELECT {listed} FROM (\n", anchor) + source + made("\n) AS mapping_rows", anchor)
        return _parse(wrapped, dialect)
    result = source.slice(0, parsed.items[0].start)
    for slot, name in zip(parsed.items, names, strict=True):
        item = by_name[name]
        result = result + source.slice(item.start, item.end)
        following = parsed.items.index(slot) + 1
        if following < len(parsed.items):
            result = result + source.slice(slot.end, parsed.items[following].start)
    return _parse(result + source.slice(parsed.items[-1].end), dialect)


def _has_ordinals(select: exp.Select) -> bool:
    clauses = [select.args.get("group"), select.args.get("order"), select.args.get("distinct")]
    return any(clause is not None and clause.find(exp.Literal) is not None for clause in clauses)


def tables_read(query: exp.Query) -> list[exp.Table]:
    """Every table of a query that is not one of its own WITH names."""
    found = []
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue
        if len(table.parts) == 1 and _is_cte(table):
            continue
        found.append(table)
    return found


def _is_cte(table: exp.Table) -> bool:
    """Whether a one-part name is that of a WITH in sight: inside one, those before it, all if recursive."""
    wanted = column_key(table.name)
    inside: exp.Expr | None = None
    node: exp.Expr | None = table.parent
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        elif isinstance(node, exp.Query):
            visible = _visible(node, inside)
            if wanted in visible:
                return True
            inside = None
        node = node.parent
    return False


def _visible(query: exp.Query, inside: exp.Expr | None) -> set[str]:
    names: set[str] = set()
    clause = query.args.get("with_")
    recursive = clause is not None and clause.recursive
    for cte in query.ctes:
        if cte is inside and not recursive:
            break
        names.add(column_key(cte.alias))
    return names
