"""What means the same in two dialects: an allow-list, for everything else a sentence that says why not.

A parser turns almost any function of one dialect into something of another; whether the values stay the same
is another matter. Here stands only what is known to give the same values: columns, literals, CASE, COALESCE,
comparisons, casts between basic types, a few string functions, joins, groups and unions. Where engines differ
by the type of an operand (collations, NaN, overflow), the declared types decide; undeclared ones do not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from greylag.mapping.kinds import Kind, choices, is_date, kind, kind_of

# Dialects that are known well enough to say what they share.
KNOWN = frozenset(
    {
        *(
            "athena",
            "bigquery",
            "clickhouse",
            "databricks",
            "duckdb",
            "mysql",
            "postgres",
            "presto",
            "redshift",
        ),
        *("snowflake", "spark", "spark2", "trino", "tsql"),
    }
)
# Text compares without regard to case, and blanks at its end, unless somebody configured it otherwise.
_LOOSE_TEXT = {"mysql", "tsql"}
# NaN equals itself and is greater than every number; elsewhere it equals nothing.
_NAN_IS_GREATEST = {"databricks", "duckdb", "postgres", "redshift", "snowflake", "spark", "spark2"}
_FIELD_BY_DOT = {"athena", "bigquery", "databricks", "duckdb", "presto", "spark", "spark2", "trino"}
_CONCAT_SKIPS_NULL = {"duckdb", "postgres", "tsql"}
_NO_PIPES = {"mysql", "tsql"}

_PLAIN = (
    exp.Select, exp.Union, exp.Subquery, exp.From, exp.Where, exp.Having, exp.Group, exp.CTE, exp.With,
    exp.Identifier, exp.TableAlias, exp.Alias, exp.Paren, exp.Null, exp.And, exp.Or, exp.Not,
    exp.DataType, exp.Literal, exp.Count, exp.Is,
)  # fmt: skip
_SELECT_CLAUSES = {"expressions", "from_", "where", "joins", "group", "having", "with_", "distinct"}
_SHARED_CASTS = {
    ("int", "int"), ("int", "float"), ("int", "string"), ("int", "decimal"), ("string", "string"),
    ("date", "date"), ("bool", "bool"), ("float", "float"), ("decimal", "float"), ("decimal", "decimal"),
    (None, None),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Differs(Exception):
    """Two dialects do not agree about this."""

    why: str


class Portable:
    """Checks one mapping's query; `kinds` tells the kind of a column by its case-folded name, if declared."""

    def __init__(self, old: str, new: str, kinds: Mapping[str, Kind | None]) -> None:
        self.old, self.new = old, new
        self.both = {old, new}
        self.kinds = kinds

    def check(self, query: exp.Expr) -> None:
        """Raises Differs at the first thing that the dialects may not agree about."""
        sources = {_folded(one.alias_or_name) for one in query.find_all(exp.Table, exp.Subquery, exp.CTE)}
        for node in query.walk():
            if isinstance(node, _PLAIN):
                if isinstance(node, exp.Select):
                    self._select(node)
                elif isinstance(node, exp.Union):
                    self._union(node)
            elif isinstance(node, exp.Column):
                self._column(node, sources)
            else:
                self._other(node)

    def _other(self, node: exp.Expr) -> None:
        for kinds, rule in _RULES:
            if isinstance(node, kinds):
                rule(self, node)
                return
        raise Differs(f"{_shown(node)} is not known to mean the same in both")

    def _kind(self, node: exp.Expr) -> Kind | None:
        return kind(node, self.kinds)

    def _select(self, select: exp.Select) -> None:
        for clause, value in select.args.items():
            if value and clause not in _SELECT_CLAUSES:
                raise Differs(f"a SELECT with {clause.strip('_')} is not carried over")
        if select.args.get("with_") and "tsql" in self.both:
            raise Differs("a WITH inside of parentheses is not allowed in T-SQL")
        for item in select.expressions:
            if self._kind(item.unalias()) is Kind.BOOL and not isinstance(item.unalias(), exp.Column):
                self._boolean(item)
        self._keys(select)

    def _keys(self, select: exp.Select) -> None:
        """What rows are grouped or told apart by."""
        group = select.args.get("group")
        if group is not None and any(value for key, value in group.args.items() if key != "expressions"):
            raise Differs("GROUP BY with sets is not carried over")
        keys = group.expressions if group is not None else []
        if select.args.get("distinct"):
            keys = [*keys, *select.expressions]
        for each in keys:
            key = each
            if isinstance(key, exp.Literal):
                if "tsql" in self.both or not key.is_int or int(key.name) > len(select.expressions):
                    raise Differs("GROUP BY with positions is not carried over")
                key = select.expressions[int(key.name) - 1]
            self._same_equality(key.unalias())
        # In ClickHouse the alias of an output wins over a column of that name, everywhere in the SELECT;
        # in GROUP BY and HAVING the others disagree as well.
        where: list[exp.Expr | None] = (
            [select] if "clickhouse" in self.both else [group, select.args.get("having")]
        )
        used = {_folded(column.name) for node in where if node for column in node.find_all(exp.Column)}
        for item in select.expressions:
            itself = isinstance(item, exp.Alias) and item.this.name == item.alias
            if isinstance(item, exp.Alias) and not itself and _folded(item.alias) in used:
                raise Differs(f"`{item.alias}` is an alias, and a name that is used beside it")

    def _union(self, union: exp.Union) -> None:
        if union.args.get("by_name") or (union.args.get("with_") and "tsql" in self.both):
            raise Differs("this UNION is not carried over")
        if union.args.get("distinct"):
            for select in union.find_all(exp.Select):
                for item in select.expressions:
                    self._same_equality(item.unalias())
        if union.args.get("order") or union.args.get("limit") or union.args.get("offset"):
            raise Differs("ORDER BY and LIMIT are not carried over")

    def _column(self, column: exp.Column, sources: set[str]) -> None:
        parts = column.parts
        if isinstance(column.this, exp.Star):
            raise Differs("a star is not carried over")
        nested = len(parts) > 1 and _folded(parts[0].name) not in sources
        if (nested or len(parts) > 2) and not self.both <= _FIELD_BY_DOT:
            raise Differs(f"the field {_shown(column)} is reached otherwise there")

    def _dot(self, node: exp.Expr) -> None:
        if not self.both <= _FIELD_BY_DOT or not isinstance(node.expression, exp.Identifier):
            raise Differs(f"the field {_shown(node)} is reached otherwise there")

    def _table(self, node: exp.Expr) -> None:
        if not isinstance(node.this, exp.Identifier):
            raise Differs(f"the table function {_shown(node)} is not carried over")
        odd = [
            key for key, value in node.args.items() if value and key not in ("this", "db", "catalog", "alias")
        ]
        alias = node.args.get("alias")
        if odd or (alias is not None and alias.args.get("columns")) or set(node.name) & set("*$@"):
            raise Differs(f"{_shown(node)} is read in a way that is not carried over")

    def _join(self, node: exp.Expr) -> None:
        odd = [key for key, value in node.args.items() if value and key not in ("this", "on", "side", "kind")]
        kind = node.args.get("kind") or ""
        if odd or kind not in ("", "INNER", "OUTER", "CROSS"):
            raise Differs("only plain joins with ON are carried over")
        if node.args.get("side") and "clickhouse" in self.both:
            raise Differs("outer joins of ClickHouse give default values for NULL")
        if node.args.get("side") == "FULL" and "mysql" in self.both:
            raise Differs("MySQL has no FULL JOIN")

    # -- expressions -----------------------------------------------------------------------------------

    def _same_equality(self, *values: exp.Expr) -> None:
        for value in values:
            kind = self._kind(value)
            if kind is Kind.STRING and self.old != self.new and self.both & _LOOSE_TEXT:
                raise Differs("text is compared without regard to case in one of them")
            if isinstance(value, exp.Literal | exp.Null | exp.Boolean):
                continue
            if kind is None or kind is Kind.OTHER:
                raise Differs(f"how {_shown(value)} compares depends on its type, which is not declared")
            if kind is Kind.FLOAT and len(self.both & _NAN_IS_GREATEST) == 1:
                raise Differs("they do not agree about NaN")

    def _equals(self, node: exp.Expr) -> None:
        values = [node.this, *(filter(None, [node.args.get("expression")])), *node.expressions]
        if node.args.get("query") or node.args.get("unnest"):
            raise Differs("a subquery in an expression is not carried over")
        literals = [value for value in values if isinstance(value, exp.Literal)]
        kinds = {self._kind(value) for value in values} - {None}
        if len(kinds) > 1 and kinds - {Kind.INT, Kind.DECIMAL, Kind.FLOAT}:
            raise Differs(f"{_shown(node)} compares values of different types")
        if literals and len(values) - len(literals) == 1 and not any(one.is_string for one in literals):
            return  # NaN equals no literal anywhere.
        if literals and all(one.is_string for one in literals) and not self.both & _LOOSE_TEXT:
            return
        self._same_equality(*values)

    def _orders(self, node: exp.Expr) -> None:
        values = [node.this, *(filter(None, [node.args.get(key) for key in ("expression", "low", "high")]))]
        kinds = {self._kind(value) for value in values}
        if kinds <= {Kind.INT, Kind.DECIMAL} or kinds == {Kind.DATE}:
            return
        if kinds <= {Kind.INT, Kind.DECIMAL, Kind.FLOAT} and len(self.both & _NAN_IS_GREATEST) != 1:
            return
        raise Differs(
            f"{_shown(node)}: they may order these values differently, or the types are not declared"
        )

    def _like(self, node: exp.Expr) -> None:
        pattern = node.args["expression"]
        plain = isinstance(pattern, exp.Literal) and "\\" not in pattern.name
        if not plain or self.both & _LOOSE_TEXT or self._kind(node.this) is not Kind.STRING:
            raise Differs("LIKE is carried over for text and a pattern without backslashes")

    def _cast(self, node: exp.Expr) -> None:
        assert isinstance(node, exp.Cast)
        odd = [
            key for key, value in node.args.items() if value and key not in ("this", "to", "safe", "_type")
        ]
        to = kind_of(node.to)
        from_ = self._kind(node.this)
        if odd or (node.to.expressions and to is not Kind.DECIMAL):
            raise Differs(f"{_shown(node)} is not carried over")
        if isinstance(node.this, exp.Null) and to is not Kind.OTHER:
            return
        if isinstance(node.this, exp.Literal) and to is Kind.DATE and is_date(node.this.name):
            return
        if "clickhouse" in self.both or (from_, to) not in _SHARED_CASTS:
            wanted = from_ or "a type that is not declared"
            raise Differs(f"{_shown(node)}: casts from {wanted} to {to} are not known to be the same")

    def _arithmetic(self, node: exp.Expr) -> None:
        kinds = {self._kind(node.this), self._kind(node.expression)}
        if kinds not in ({Kind.INT}, {Kind.FLOAT}):
            raise Differs(f"{_shown(node)}: arithmetic is carried over for declared integers or floats alone")

    def _aggregate(self, node: exp.Expr) -> None:
        allowed = {Kind.INT, Kind.DATE} if isinstance(node, exp.Min | exp.Max) else {Kind.INT}
        if "clickhouse" in self.both or node.expressions or self._kind(node.this) not in allowed:
            raise Differs(f"{_shown(node)} is not known to be the same in both")

    def _text(self, node: exp.Expr) -> None:
        if isinstance(node, exp.Upper | exp.Lower):
            good = self._kind(node.this) is Kind.STRING and "clickhouse" not in self.both
        elif isinstance(node, exp.Substring):
            bounds = [node.args.get("start"), node.args.get("length")]
            good = self._kind(node.this) is Kind.STRING and "clickhouse" not in self.both
            good = good and all(
                isinstance(one, exp.Literal) and one.is_int and int(one.name) > 0 for one in bounds
            )
        elif isinstance(node, exp.DPipe):
            good = not self.both & _NO_PIPES
            good = good and {self._kind(node.this), self._kind(node.expression)} == {Kind.STRING}
        else:
            good = len(self.both & _CONCAT_SKIPS_NULL) != 1 and len(node.expressions) > 1
            good = good and {self._kind(value) for value in node.expressions} == {Kind.STRING}
        if not good:
            raise Differs(f"{_shown(node)} is not known to be the same in both")

    def _choice(self, node: exp.Expr) -> None:
        kinds = {self._kind(value) for value in choices(node)} - {None}
        if len(kinds) > 1 and kinds - {Kind.INT, Kind.DECIMAL, Kind.FLOAT}:
            raise Differs(f"{_shown(node)} gives values of different types")
        if isinstance(node, exp.Case) and node.this is not None:
            for arm in node.args["ifs"]:
                self._equals(exp.EQ(this=node.this.copy(), expression=arm.this.copy()))

    def _counted(self, node: exp.Expr) -> None:
        if not isinstance(node.parent, exp.Count) or node.args.get("except_"):
            raise Differs("a star is not carried over")

    def _boolean(self, node: exp.Expr) -> None:
        if self.both & _LOOSE_TEXT:
            raise Differs("one of them has no boolean values")

    def _negative(self, node: exp.Expr) -> None:
        if not isinstance(node.this, exp.Literal):
            self._arithmetic(exp.Sub(this=node.this.copy(), expression=node.this.copy()))


_Rule = Callable[[Portable, exp.Expr], None]
_RULES: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], _Rule], ...] = (
    (exp.Table, Portable._table),
    (exp.Join, Portable._join),
    (exp.Dot, Portable._dot),
    ((exp.EQ, exp.NEQ, exp.In, exp.Nullif), Portable._equals),
    ((exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between), Portable._orders),
    (exp.Like, Portable._like),
    (exp.Cast, Portable._cast),
    ((exp.Add, exp.Sub, exp.Mul), Portable._arithmetic),
    ((exp.Sum, exp.Min, exp.Max), Portable._aggregate),
    ((exp.Upper, exp.Lower, exp.Substring, exp.DPipe, exp.Concat), Portable._text),
    ((exp.Coalesce, exp.Case, exp.If), Portable._choice),
    (exp.Star, Portable._counted),
    (exp.Boolean, Portable._boolean),
    (exp.Neg, Portable._negative),
)


def _folded(name: str) -> str:
    return name.casefold()


def _shown(node: exp.Expr) -> str:
    text = node.sql()
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"
