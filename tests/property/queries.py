"""Random SELECTs over given tables: joins, subqueries, CTEs, groups, windows, set operations, stars.

Most are valid in DuckDB; those that are not are thrown away by the caller. Names of tables and columns are
aliased to names that something else already has, as often as not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st
from tests.property.schemas import POOL, TEXTS, Columns, quoted

Output = list[tuple[str, str]]
JOINS = ("JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", ",", "CROSS JOIN")
# The name of an item that the engine names; nothing refers to it.
UNNAMED = "?"
ALIASES = ("p", "q", "r", "a", "b", "t1", "t2", "u")


@dataclass(slots=True)
class Scope:
    """What a name may refer to inside one SELECT; `merged` are the columns that USING made one."""

    sources: list[tuple[str, Columns]] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)
    outer: Scope | None = None

    def references(self, kind: str) -> list[str]:
        """Every way to name a column of a type here, outer ones too."""
        found = []
        for alias, columns in self.sources:
            for name, each in columns.items():
                if each == kind and name != UNNAMED:
                    found.append(f"{quoted(alias)}.{quoted(name)}")
                    if name in self.merged or self._owners(name) == 1:
                        found.append(quoted(name))
        if self.outer is not None:
            mine = {alias for alias, _ in self.sources}
            found += [each for each in self.outer.references(kind) if self._visible(each, mine)]
        return found

    def _owners(self, name: str) -> int:
        return sum(name in columns for _, columns in self.sources)

    def _visible(self, reference: str, mine: set[str]) -> bool:
        head, _, tail = reference.replace('"', "").partition(".")
        return head not in mine if tail else self._owners(head) == 0


@dataclass(slots=True)
class Writer:
    """Writes queries; `tables` are the tables that exist, `draw` makes every choice."""

    draw: Callable[..., object]
    tables: Mapping[str, Columns]

    def pick(self, *choices: object) -> object:
        return self.draw(st.sampled_from(choices))

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == one_in

    def gap(self) -> str:
        return str(self.pick(" ", " ", "\n", "\n  ", " /* a */ ", " -- a\n"))

    # -- queries -------------------------------------------------------------------------------------------

    def statement(self) -> str:
        """A whole query: WITH, set operations, a total order."""
        ctes: dict[str, Columns] = {}
        text = ""
        while len(ctes) < 2 and self.chance(3):
            name = str(self.pick("w", "t1", "u", "a"))
            if name in ctes:
                break
            body, output = self.query(ctes, None, 1)
            # The body of a CTE that shadows a table reads the table.
            text += f"{',' if ctes else 'WITH'} {name} AS ({body}){self.gap()}"
            ctes[name] = dict(output)
        body, output = self.query(ctes, None, 2)
        order = self.order(output)
        return f"{text}{body}{order}"

    def order(self, output: Output) -> str:
        if self.chance(2):
            return ""
        listed = [name for name, _ in output]
        names = [quoted(name) for name in listed if listed.count(name) == 1 and name != UNNAMED]
        first = [str(self.pick(*names))] if names and self.chance(2) else []
        return f"{self.gap()}ORDER BY {', '.join([*first, *(str(i + 1) for i in range(len(output)))])}"

    def query(self, ctes: Mapping[str, Columns], outer: Scope | None, depth: int) -> tuple[str, Output]:
        text, output = self.select(ctes, outer, depth)
        if depth and self.chance(6):
            kinds = [kind for _, kind in output]
            other, _ = self.select(ctes, outer, 0, kinds=kinds)
            text += f"{self.gap()}{self.pick('UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT')}{self.gap()}{other}"
        return text, output

    def select(
        self, ctes: Mapping[str, Columns], outer: Scope | None, depth: int, kinds: list[str] | None = None
    ) -> tuple[str, Output]:
        scope = Scope(outer=outer)
        source = self.sources(scope, ctes, depth)
        where = f"{self.gap()}WHERE {self.condition(scope, ctes, depth)}" if self.chance(2) else ""
        if kinds is not None:
            items: list[tuple[str, str]] = [(self.expression(scope, kind, 1), kind) for kind in kinds]
            return f"SELECT {', '.join(text for text, _ in items)}{source}{where}", items
        if self.chance(3):
            return self.grouped(scope, source, where)
        items, output = self.items(scope, ctes, depth)
        distinct = "DISTINCT " if self.chance(6) else ""
        text = f"SELECT {distinct}{', '.join(items)}{source}{where}"
        if not distinct and self.chance(8):
            text += f"{self.gap()}QUALIFY {self.window(scope)} > 1"
        return text, output

    def grouped(self, scope: Scope, source: str, where: str) -> tuple[str, Output]:
        kinds = self.draw(st.lists(self.kinds(), max_size=2))
        keys = [self.expression(scope, kind, 1) for kind in kinds]
        output: Output = []
        items = []
        for key, kind in zip(keys, kinds, strict=True):
            text, name = self.named(key)
            items.append(text)
            output.append((name, kind))
        for _ in range(self.draw(st.integers(1, 2))):
            alias = str(self.pick(*POOL))
            items.append(f"{self.aggregate(scope)} AS {quoted(alias)}")
            output.append((alias, "INTEGER"))
        by = ""
        if keys:
            ordinals = self.chance(2)
            terms = [str(i + 1) for i in range(len(keys))] if ordinals else keys
            by = f"{self.gap()}GROUP BY {', '.join(terms)}"
        having = f"{self.gap()}HAVING {self.aggregate(scope)} > 0" if self.chance(4) else ""
        return f"SELECT {', '.join(items)}{source}{where}{by}{having}", output

    def items(self, scope: Scope, ctes: Mapping[str, Columns], depth: int) -> tuple[list[str], Output]:
        items: list[str] = []
        output: Output = []
        for _ in range(self.draw(st.integers(1, 3))):
            shape = self.pick("column", "column", "column", "expression", "star", "qualified", "window")
            if shape == "star" and not scope.merged:
                items.append("*")
                output += [pair for _, columns in scope.sources for pair in columns.items()]
            elif shape == "qualified":
                alias, columns = self.pick(*scope.sources)  # type: ignore[misc]
                items.append(f"{quoted(alias)}.*")
                output += list(columns.items())
            elif shape == "window":
                alias = str(self.pick(*POOL))
                items.append(f"{self.window(scope)} AS {quoted(alias)}")
                output.append((alias, "INTEGER"))
            else:
                kind = str(self.draw(self.kinds()))
                text, name = self.named(self.expression(scope, kind, 0 if shape == "column" else 2))
                items.append(text)
                output.append((name, kind))
        return items, output

    def named(self, text: str) -> tuple[str, str]:
        """An item of a select list and its name; what computes goes without an alias now and then."""
        last = text.rpartition(".")[2].strip('"')
        if last in POOL and self.chance(2):
            return text, last
        if self.chance(10):
            return text, UNNAMED
        alias = str(self.pick(*POOL))
        return f"{text}{self.pick(' AS ', ' ')}{quoted(alias)}", alias

    # -- what a SELECT reads -------------------------------------------------------------------------------

    def sources(self, scope: Scope, ctes: Mapping[str, Columns], depth: int) -> str:
        text = f"{self.gap()}FROM {self.source(scope, ctes, depth)}"
        for _ in range(self.draw(st.integers(0, 2))):
            left = list(scope.sources)
            kind = str(
                self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT JOIN", ",", "CROSS JOIN")
            )
            text += ("" if kind == "," else self.gap()) + f"{kind} {self.source(scope, ctes, depth)}"
            if kind not in (",", "CROSS JOIN"):
                text += self.join_condition(scope, left)
        return text

    def join_condition(self, scope: Scope, left: list[tuple[str, Columns]]) -> str:
        _, right = scope.sources[-1]
        shared = [
            name
            for name, kind in right.items()
            if [columns.get(name) for _, columns in left].count(kind) == sum(name in c for _, c in left) == 1
        ]
        if shared and self.chance(3):
            name = str(self.pick(*shared))
            scope.merged.add(name)
            return f" USING ({quoted(name)})"
        here = Scope(sources=scope.sources, merged=scope.merged)
        return f" ON {self.boolean(here, 1)}"

    def source(self, scope: Scope, ctes: Mapping[str, Columns], depth: int) -> str:
        taken = {alias for alias, _ in scope.sources}
        if depth and self.chance(5):
            body, output = self.query(ctes, None, depth - 1)
            alias = next(each for each in ("s", "s2", "s3") if each not in taken)
            scope.sources.append((alias, dict(output)))
            return f"({body}) AS {alias}"
        visible = {**self.tables, **ctes}
        name = str(self.pick(*sorted(visible), *[each for each in sorted(self.tables) if each != "u"] * 2))
        free = [each for each in ALIASES if each not in taken]
        if name in taken or self.chance(2):
            alias = str(self.pick(*free))
            scope.sources.append((alias, visible[name]))
            return f"{name}{self.pick(' AS ', ' ')}{alias}"
        scope.sources.append((name, visible[name]))
        return name

    # -- expressions ---------------------------------------------------------------------------------------

    def kinds(self) -> st.SearchStrategy[str]:
        return st.sampled_from(["INTEGER", "VARCHAR"])

    def expression(self, scope: Scope, kind: str, depth: int) -> str:
        found = scope.references(kind)
        if depth == 0 or self.chance(2):
            return str(self.pick(*found)) if found else self.literal(kind)
        return self.number(scope, depth - 1) if kind == "INTEGER" else self.string(scope, depth - 1)

    def literal(self, kind: str) -> str:
        return str(self.pick(1, 2)) if kind == "INTEGER" else f"'{self.pick(*TEXTS)}'"

    def number(self, scope: Scope, depth: int) -> str:
        one, two = (self.expression(scope, "INTEGER", depth) for _ in range(2))
        shapes = (f"{one} + {two}", f"10 - {one}", f"-{one}", f"{one} * {two}", f"COALESCE({one}, 0)")
        case = f"CASE WHEN {self.boolean(scope, 0)} THEN {one} ELSE 7 END"
        return str(self.pick(*shapes, f"CAST({one} AS INTEGER)", case))

    def string(self, scope: Scope, depth: int) -> str:
        one, two = (self.expression(scope, "VARCHAR", depth) for _ in range(2))
        return str(self.pick(f"UPPER({one})", f"{one} || {two}", f"COALESCE({one}, 'n')", f"({one})"))

    def aggregate(self, scope: Scope) -> str:
        one = self.expression(scope, "INTEGER", 1)
        return str(self.pick("COUNT(*)", f"SUM({one})", f"COUNT(DISTINCT {one})", f"MAX({one})"))

    def window(self, scope: Scope) -> str:
        kind = str(self.draw(self.kinds()))
        by, order = self.expression(scope, kind, 0), self.expression(scope, kind, 1)
        ranked = f"RANK() OVER (PARTITION BY {by} ORDER BY {order})"
        return str(self.pick(f"COUNT(*) OVER (PARTITION BY {by})", ranked))

    def boolean(self, scope: Scope, depth: int) -> str:
        kind = str(self.draw(self.kinds()))
        one, two = (self.expression(scope, kind, depth) for _ in range(2))
        atom = self.pick(
            f"{one} = {two}",
            f"{one} = {self.literal(kind)}",
            f"{one} <= {self.literal(kind)}",
            f"{one} IS NULL",
            f"NOT {one} = {two}",
            f"{one} IN ({two}, {self.literal(kind)})",
            f"{one} BETWEEN {self.literal(kind)} AND {two}",
        )
        if depth and self.chance(2):
            return f"{atom} {self.pick('AND', 'OR', 'OR')} {self.boolean(scope, depth - 1)}"
        return str(atom)

    def condition(self, scope: Scope, ctes: Mapping[str, Columns], depth: int) -> str:
        """A WHERE condition; with depth to spare it may hold a correlated subquery."""
        if not depth or self.chance(2):
            return self.boolean(scope, 1)
        kind = str(self.draw(self.kinds()))
        inner, _ = self.select(ctes, scope, 0, kinds=[kind])
        one = self.expression(scope, kind, 1)
        negation = self.pick("", "NOT ")
        shape = self.pick(f"{negation}EXISTS ({inner})", f"{one} {negation}IN ({inner})")
        return str(self.pick(shape, f"{shape} OR {self.boolean(scope, 0)}"))


@st.composite
def statements(draw: Callable[..., object], tables: Mapping[str, Columns]) -> str:
    """The text of one query over `tables`."""
    return Writer(draw, tables).statement()
