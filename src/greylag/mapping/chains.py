"""Chains of migrations: a mapping that reads another replaced dataset, said in what replaces that one.

`v1` over `v2` and `v2` over `v3` make `v1` over `v3`. Where both only project, derive and filter, the inner
expressions take the place of the inner columns; else the inner mapping stands in parentheses.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import Mapping
from greylag.mapping.names import column_key, quote, table_ref
from greylag.mapping.query import Parsed, tables_read
from greylag.mapping.select_list import Item
from greylag.mapping.sqltext import FileOrigin, SqlFault, SqlText, made, tokens

Replaced = Callable[[DatasetRef], Mapping | None]

_PLAIN = {"expressions", "from_", "where"}
_ATOMIC = (exp.Column, exp.Literal, exp.Func, exp.Paren, exp.Case, exp.Null, exp.Boolean)
_INFIX = (exp.Binary, exp.Connector, exp.Cast, exp.Case, exp.Bracket)
_LOOSE = (exp.Or, exp.Xor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A mapping's SQL over the newest datasets.

    `unmapped` are columns that it can no longer give, with the reason; `differs` those that now differ.
    """

    source: SqlText
    unmapped: dict[str, str] = field(default_factory=dict)
    differs: dict[str, str] = field(default_factory=dict)


def compose(parsed: Parsed, dialect: str, replaced: Replaced) -> Composed | None:
    """The mapping with every replaced dataset that it reads said in new ones; None when it reads none.

    Raises:
        SqlFault: it needs a column that has no counterpart, at a place where it cannot be left out.
    """
    inner = {
        id(table): mapping
        for table in tables_read(parsed.query)
        if (mapping := replaced(table_ref(table))) is not None
    }
    if not inner:
        return None
    return _Composer(parsed, dialect, inner).composed()


@dataclass(frozen=True, slots=True)
class _Change:
    start: int
    end: int
    text: SqlText


class _Composer:
    def __init__(self, parsed: Parsed, dialect: str, inner: AbcMapping[int, Mapping]) -> None:
        self.parsed = parsed
        self.dialect = dialect
        self.inner = inner
        self.source = parsed.source
        self.changes: list[_Change] = []
        self.unmapped: dict[str, str] = {}
        self.differs: dict[str, str] = {}

    def composed(self) -> Composed:
        """Merge where both are plain, nest where they are not."""
        kept = [item for item in self.parsed.items if not self._lost(item)]
        merged = self._merged(kept)
        if not merged:
            self.changes.clear()
            for table in tables_read(self.parsed.query):
                if id(table) in self.inner:
                    self._nest(table, self.inner[id(table)])
        if len(kept) < len(self.parsed.items):
            self._drop(kept)
        return Composed(source=self._apply(), unmapped=self.unmapped, differs=self.differs)

    # -- columns without counterpart -------------------------------------------------------------------

    def _lost(self, item: Item) -> bool:
        """Note what becomes of an item: unmapped when it needs an unmapped column, or with other values."""
        for column in item.node.find_all(exp.Column):
            for mapping, name in self._meant(column):
                shown = f"{mapping.dataset}.{name}"
                if name in mapping.unmapped:
                    self.unmapped[item.name] = f"{shown}: {mapping.unmapped[name]}"
                    return True
                if name in mapping.differs:
                    self.differs.setdefault(item.name, f"{shown}: {mapping.differs[name]}")
        return False

    def _meant(self, column: exp.Column) -> list[tuple[Mapping, str]]:
        """The replaced datasets' columns that a name may stand for."""
        parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
        found = []
        for table in tables_read(self.parsed.query):
            mapping = self.inner.get(id(table))
            if mapping is None:
                continue
            qualified = len(parts) > 1 and column_key(parts[0].name) == column_key(table.alias_or_name)
            name = parts[1].name if qualified else parts[0].name
            known = {column_key(one): one for one in mapping.columns}
            if column_key(name) in known:
                found.append((mapping, known[column_key(name)]))
        return found

    def _drop(self, kept: list[Item]) -> None:
        """Take the lost columns out of the select list."""
        query, items = self.parsed.query, self.parsed.items
        plain = isinstance(query, exp.Select) and not any(
            query.args.get(key) for key in ("distinct", "group")
        )
        lost = [item for item in items if item not in kept]
        if not plain or not kept:
            raise SqlFault(f"`{lost[0].name}` needs {self.unmapped[lost[0].name]}", lost[0].start)
        tail = items.index(kept[-1])
        spans = [
            (item.start, items[items.index(item) + 1].start) for item in lost if items.index(item) < tail
        ]
        if kept[-1] is not items[-1]:
            spans.append((kept[-1].end, items[-1].end))
        for start, end in spans:
            self.changes = [each for each in self.changes if not start < each.start < end]
            self.changes.append(_Change(start, end, made("", self.source.pieces[0].loc)))

    # -- nested ----------------------------------------------------------------------------------------

    def _nest(self, table: exp.Table, mapping: Mapping) -> None:
        self._refuse_lost()
        start = min(part.meta["start"] for part in table.parts)
        end = max(part.meta["end"] for part in table.parts) + 1
        loc = self.source.slice(start, end).pieces[0].loc
        alias = "" if table.args.get("alias") else f" AS {quote(table.name, self.dialect)}"
        text = made("(\n", loc) + _text(mapping) + made(f"\n){alias}", loc)
        self.changes.append(_Change(start, end, text))

    def _refuse_lost(self) -> None:
        """Columns without counterpart may stand in the select list only."""
        listed = {id(column) for item in self.parsed.items for column in item.node.find_all(exp.Column)}
        for column in self.parsed.query.find_all(exp.Column):
            if id(column) in listed:
                continue
            for mapping, name in self._meant(column):
                if name in mapping.unmapped:
                    message = f"`{name}` of {mapping.dataset} is needed here and has no counterpart: "
                    start = column.parts[0].meta.get("start", 0)
                    raise SqlFault(message + mapping.unmapped[name], start)

    # -- merged ----------------------------------------------------------------------------------------

    def _merged(self, kept: list[Item]) -> bool:
        """Write the inner expressions in place of the inner columns; False where that may not be the same."""
        query = self.parsed.query
        if not isinstance(query, exp.Select) or self.dialect == "clickhouse":
            return False  # ClickHouse prefers aliases to columns
        if any(value and key not in _PLAIN for key, value in query.args.items()):
            return False
        from_ = query.args.get("from_")
        table = from_.this if from_ is not None else None
        mapping = self.inner.get(id(table))
        if mapping is None or mapping.inlining is None or not isinstance(table, exp.Table):
            return False
        if any(value and key not in ("this", "db", "catalog", "alias") for key, value in table.args.items()):
            return False
        alias = table.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            return False
        if any(node is not query for node in query.find_all(exp.Query)):
            return False
        self._refuse_lost()
        return self._substitute(query, kept, table, mapping) and self._clauses(query, mapping)

    def _substitute(self, query: exp.Select, kept: list[Item], table: exp.Table, mapping: Mapping) -> bool:
        where = query.args.get("where")
        roots = [item.node for item in kept] + ([where.this] if where is not None else [])
        qualifier = column_key(table.alias_or_name)
        if not all(
            self._column(column, root, qualifier, mapping)
            for root in roots
            for column in root.find_all(exp.Column)
        ):
            return False
        for item in kept:
            if item.end == item.text_end:
                loc = self.source.slice(item.start, item.end).pieces[0].loc
                name = made(f" AS {quote(item.name, self.dialect)}", loc)
                self.changes.append(_Change(item.end, item.end, name))
        return True

    def _column(self, column: exp.Column, root: exp.Expr, qualifier: str, mapping: Mapping) -> bool:
        """One column of the outer mapping becomes the inner one's expression for it."""
        parts = [part for part in column.parts if isinstance(part, exp.Identifier)]
        qualified = len(parts) > 1 and column_key(parts[0].name) == qualifier
        named = parts[1] if qualified else parts[0]
        key = column_key(named.name)
        output = next((one for one in mapping.outputs if column_key(one.name) == key), None)
        if output is None:
            return False
        has_fields = named is not parts[-1] or isinstance(column.parent, exp.Dot)
        if has_fields and not isinstance(output.expression, exp.Column):
            return False
        text = _text(mapping).slice(output.start, output.start + len(output.text))
        infix = isinstance(output.expression, exp.Binary) or "::" in output.text
        argument = isinstance(column.parent, exp.Func) and not isinstance(column.parent, _INFIX)
        alone = root is column or argument
        if not alone and (infix or not isinstance(output.expression, _ATOMIC)):
            loc = text.pieces[0].loc
            text = made("(", loc) + text + made(")", loc)
        self.changes.append(_Change(parts[0].meta["start"], named.meta["end"] + 1, text))
        return True

    def _clauses(self, query: exp.Select, mapping: Mapping) -> bool:
        """FROM becomes that of the inner mapping, WHERE both conditions."""
        own, inner = self._layout(self.source), self._layout(_text(mapping))
        if own is None or inner is None:
            return False
        text = _text(mapping)
        start, end, condition = own
        loc = self.source.slice(start, end).pieces[0].loc
        self.changes.append(_Change(start, end, text.slice(inner[0], inner[1])))
        if inner[2] is None:
            return True
        predicate = text.slice(inner[2])
        where = mapping.query.args["where"].this
        if condition is None:
            added = made("\nWHERE ", loc) + predicate
            self.changes.append(_Change(end, end, added))
            return True
        if isinstance(where, _LOOSE):
            predicate = made("(", loc) + predicate + made(")", loc)
        loose = isinstance(query.args["where"].this, _LOOSE)
        self.changes.append(
            _Change(condition, condition, predicate + made(" AND (" if loose else " AND ", loc))
        )
        if loose:
            total = len(self.source.text)
            self.changes.append(_Change(total, total, made(")", loc)))
        return True

    def _layout(self, source: SqlText) -> tuple[int, int, int | None] | None:
        """Where a plain SELECT has its tables (start, end), and its condition; None when it is not plain."""
        depth, start, end = 0, None, None
        listed = tokens(source.text, self.dialect)
        for index, token in enumerate(listed):
            depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
            if depth:
                continue
            distinct = index and listed[index - 1].token_type is TokenType.DISTINCT
            if token.token_type is TokenType.FROM and not distinct and start is None:
                start = listed[index + 1].start
            if token.token_type is TokenType.WHERE and start is not None and end is None:
                end = listed[index - 1].end + 1
                return start, end, listed[index + 1].start
        return None if start is None else (start, listed[-1].end + 1, None)

    def _apply(self) -> SqlText:
        result, at = self.source.slice(0, 0), 0
        for change in sorted(self.changes, key=lambda each: (each.start, each.end)):
            result = result + self.source.slice(at, change.start) + change.text
            at = change.end
        return result + self.source.slice(at)


def _text(mapping: Mapping) -> SqlText:
    """The SQL of a compiled mapping, with its places in the file."""
    origin = mapping.origin
    return origin.source if isinstance(origin, FileOrigin) else made(mapping.sql, ())
