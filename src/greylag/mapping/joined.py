"""Mappings that join several new tables: whose each column is, and what each join does to the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.column_types import parse_type
from greylag.mapping.compiled import Condition, Inlining, JoinPart, Mapping, Owners, Provided
from greylag.mapping.conditions import conjuncts, flat
from greylag.mapping.inline import (
    ONE_TABLE,
    not_plain,
    not_plain_table,
    other_clause,
    predicate_of,
    unsafe,
)
from greylag.mapping.names import column_key, quote, table_ref
from greylag.mapping.sqltext import SqlFault, parse_condition, tokens

ProvidedBy = Callable[[DatasetRef], Provided | None]
_JOIN_ALLOWED = {"this", "side", "kind", "on", "using"}
# Not CHAR: some engines pad it before they compare.
_TEXTS = {exp.DType.TEXT, exp.DType.VARCHAR}
_INTEGERS = {exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT}


class _NotInline(Exception):
    """The mapping cannot be dissolved; `str` says why."""


def joined(mapping: Mapping, provided_by: ProvidedBy) -> Inlining | str:
    """How a mapping that joins tables dissolves into a query, or why it cannot."""
    try:
        return _Joined(mapping, provided_by).inlining()
    except _NotInline as why:
        return str(why)
    except KeyError as name:
        return f"it is not certain to which of its tables the column {name} belongs"


class _Joined:
    def __init__(self, mapping: Mapping, provided_by: ProvidedBy) -> None:
        self.mapping = mapping
        self.dialect = mapping.dialect
        select = mapping.query
        why = other_clause(select, {*ONE_TABLE, "joins"}) or not_plain(select, mapping.outputs)
        self.joins: list[exp.Join] = select.args["joins"]
        source = select.args.get("from_")
        self.tables: list[exp.Table] = [
            *([source.this] if source else []),
            *(join.this for join in self.joins),
        ]
        why = why or next((w for table in self.tables if (w := not_plain_table(table))), None)
        if why or source is None:
            raise _NotInline(why or "it reads no table")
        self.provided = [provided_by(table_ref(table)) for table in self.tables]
        self.owners = self._owners()

    def _owners(self) -> Owners:
        names = [column_key(table.alias_or_name) for table in self.tables]
        if len(set(names)) < len(names):
            raise _NotInline("it reads two tables by the same name")
        holders: dict[str, list[int]] = {}
        unknown = []
        for index, provided in enumerate(self.provided):
            if provided is None or not provided.columns:
                unknown.append(index)
            for name in provided.columns if provided is not None else ():
                holders.setdefault(column_key(name), []).append(index)
        columns = {name: held[0] for name, held in holders.items() if len(held) == 1 and not unknown}
        # An unqualified name of a USING is the column of the first of the tables that are merged.
        for join in self.joins:
            for ident in join.args.get("using") or []:
                name = column_key(ident.name)
                if unknown:
                    raise _NotInline("it joins by USING, and the columns of its tables are not all declared")
                columns[name] = holders[name][0]
        return Owners(qualifiers={name: index for index, name in enumerate(names)}, columns=columns)

    def inlining(self) -> Inlining:
        predicate, start, condition = predicate_of(self.mapping.sql, self.mapping.query, self.dialect)
        if (condition is None) != (self.mapping.query.args.get("where") is None):
            raise _NotInline("its condition cannot be told apart")
        conditions = [self._conditions(index) for index in range(len(self.joins))]
        if condition is not None and predicate is not None and self._has_bare_join():
            rest = self._distribute(predicate, condition, conditions)
            predicate = " AND ".join(one.text for one in rest) or None
            start, condition = 0, parse_condition(predicate, self.dialect) if predicate else None
        for node in [condition, *(output.expression for output in self.mapping.outputs)]:
            if node is not None:
                self.owners.within(node)
        first = self.tables[0]
        return Inlining(
            table=table_ref(first),
            qualifier=first.alias_or_name,
            predicate=predicate,
            predicate_start=start,
            predicate_expression=condition,
            joins=tuple(self._part(index, tuple(made)) for index, made in enumerate(conditions)),
            owners=self.owners,
            node=first,
        )

    def _has_bare_join(self) -> bool:
        return any(not join.args.get("on") and not join.args.get("using") for join in self.joins)

    # -- conditions ------------------------------------------------------------------------------------

    def _conditions(self, index: int) -> list[Condition]:
        """What stands behind ON, or what USING says."""
        join = self.joins[index]
        why = other_clause(join, _JOIN_ALLOWED)
        side, kind = (join.side or "").upper(), (join.kind or "").upper()
        if why or side not in ("", "LEFT") or kind not in ("", "INNER", "OUTER", "CROSS"):
            raise _NotInline(why or f"it has a {side} {kind} JOIN".replace("  ", " "))
        on, using = join.args.get("on"), join.args.get("using") or []
        if side == "LEFT" and on is None and not using:
            raise _NotInline("it has a LEFT JOIN without a condition")
        found = [self._merged(index, ident) for ident in using]
        if on is not None:
            if why := unsafe(on):
                raise _NotInline(f"the condition of its join {why}")
            found.append(self._written_on(index, on))
        for one in found:
            if any(owner > index + 1 for owner in self.owners.within(one.expression)):
                raise _NotInline("the condition of a join names a table that is joined later")
        return found

    def _merged(self, index: int, ident: exp.Expr) -> Condition:
        name = column_key(ident.name)
        left = self.owners.columns[name]
        if left > index or name not in self._columns(index + 1):
            raise _NotInline(f"its USING ({ident.name}) merges columns in a way that is not understood")
        between = [n for n in range(left + 1, index + 1) if name in self._columns(n)]
        if any(not self._uses(n - 1, name) for n in between):
            raise _NotInline(f"its USING ({ident.name}) merges columns in a way that is not understood")
        written = exp.to_identifier(ident.name, quoted=ident.args.get("quoted")).sql(dialect=self.dialect)
        sides = [self._qualifier(n) for n in (left, index + 1)]
        text = f"{sides[0]}.{written} = {sides[1]}.{written}"
        return Condition(text=text, expression=parse_condition(text, self.dialect))

    def _uses(self, index: int, name: str) -> bool:
        return any(column_key(ident.name) == name for ident in self.joins[index].args.get("using") or [])

    def _columns(self, index: int) -> set[str]:
        provided = self.provided[index]
        return {column_key(name) for name in provided.columns} if provided is not None else set()

    def _qualifier(self, index: int) -> str:
        return quote(self.tables[index].alias_or_name, self.dialect)

    def _written_on(self, index: int, on: exp.Expr) -> Condition:
        """The text of an ON: from the word behind the table to the next join or the WHERE."""
        listed = tokens(self.mapping.sql, self.dialect)
        last = max(part.meta["end"] for part in self._identifiers(self.tables[index + 1]))
        at = next(n for n, token in enumerate(listed) if token.start > last)
        if listed[at].token_type.name != "ON":
            raise _NotInline("its ON was not found")
        depth, end = 0, len(listed)
        for n in range(at + 1, len(listed)):
            depth += (listed[n].text == "(") - (listed[n].text == ")")
            if depth == 0 and listed[n].token_type.name in ("JOIN", "COMMA", "WHERE"):
                end = n
                break
        while end > at + 1:
            text = self.mapping.sql[listed[at + 1].start : listed[end - 1].end + 1]
            try:
                node = parse_condition(text, self.dialect)
            except SqlFault:
                node = None
            if node == on:
                return Condition(text=text, expression=node)
            end -= 1
            if listed[end].token_type.name not in ("LEFT", "RIGHT", "INNER", "OUTER", "CROSS", "FULL"):
                break
        raise _NotInline("its ON was not found")

    def _identifiers(self, table: exp.Table) -> Iterator[exp.Identifier]:
        alias = table.args.get("alias")
        yield from (part for part in table.parts if isinstance(part, exp.Identifier))
        if alias is not None and isinstance(alias.this, exp.Identifier):
            yield alias.this

    def _distribute(
        self, text: str, condition: exp.Expr, conditions: list[list[Condition]]
    ) -> list[Condition]:
        """Conditions of the WHERE that join two tables by a comma go to that join; the rest is returned."""
        pieces = conjuncts(text, condition, self.dialect)
        if pieces is None:
            raise _NotInline("its condition cannot be told apart")
        rest = []
        for piece in pieces:
            owners = self.owners.within(piece.expression)
            last = max(owners, default=0)
            bare = last > 0 and not self.joins[last - 1].args.get("on")
            if bare and len(owners) > 1 and not self.joins[last - 1].args.get("using"):
                conditions[last - 1].append(piece)
            else:
                rest.append(piece)
        return rest

    # -- what a join does to the rows --------------------------------------------------------------------

    def _part(self, index: int, conditions: tuple[Condition, ...]) -> JoinPart:
        table = self.tables[index + 1]
        equal = [pair for one in conditions for pair in self._equalities(one.expression)]
        provided = self.provided[index + 1]
        keys = [{column_key(name) for name in key} for key in provided.unique] if provided is not None else []
        fixed = {name for left, right in equal if (name := self._fixed(index + 1, left, right))}
        return JoinPart(
            index=index + 1,
            table=table_ref(table),
            qualifier=table.alias_or_name,
            node=table,
            outer=(self.joins[index].side or "").upper() == "LEFT",
            conditions=conditions,
            unique=any(key <= fixed for key in keys if key),
            rejects=any(self._before(index + 1, left) for left, _ in equal),
        )

    def _equalities(self, condition: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
        for node in flat(condition):
            if type(node) is exp.EQ:
                yield node.this, node.expression
                yield node.expression, node.this

    def _before(self, index: int, side: exp.Expr) -> bool:
        return isinstance(side, exp.Column) and self.owners.of(side) < index

    def _fixed(self, index: int, left: exp.Expr, right: exp.Expr) -> str | None:
        """The column of the table that an equality lets have one value only, for each row before it."""
        if not isinstance(left, exp.Column) or self.owners.of(left) != index:
            return None
        if any(owner >= index for owner in self.owners.within(right)):
            return None
        name = column_key(left.parts[-1].name)
        plain = column_key(left.parts[0].name) in (name, column_key(self.tables[index].alias_or_name))
        mine, other = self._type(left), self._type(right)
        # '1' and '01' are one number: a comparison that casts the key may find several rows.
        same = mine is not None and other is not None and same_values(mine, other)
        return name if plain and len(left.parts) <= 2 and same else None

    def _type(self, node: exp.Expr) -> exp.DataType | None:
        if isinstance(node, exp.Column) and len(node.parts) <= 2:
            provided = self.provided[self.owners.of(node)]
            declared = provided.columns if provided is not None else {}
            texts = {column_key(name): text for name, text in declared.items()}
            return parse_type(texts.get(column_key(node.parts[-1].name), ""), self.dialect)
        if isinstance(node, exp.Literal):
            return exp.DataType.build("text" if node.is_string else "bigint") if _whole(node) else None
        return None


def _whole(node: exp.Literal) -> bool:
    return bool(node.is_string or node.is_int)


def same_values(one: exp.DataType, other: exp.DataType) -> bool:
    """Do two types compare without a cast that makes different values equal?"""
    if one.this in _INTEGERS and other.this in _INTEGERS:
        return True
    if one.this in _TEXTS and other.this in _TEXTS:
        return True
    return one == other
