"""Wrong variants of a mapping, which the generated tables must tell from the right one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from greylag.mapping.compiled import Mapping
from greylag.verify.spark_tables import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A wrong mapping: what is wrong, the query, and the columns that show it (empty: the rows do)."""

    what: str
    query: str
    columns: frozenset[str] = frozenset()


def wrong_mappings(mapping: Mapping, used: frozenset[str]) -> list[Wrong]:
    """A condition left out, a CASE arm lost, columns exchanged; `used`: what the program looks at."""
    found = [*_without_conditions(mapping), *_without_arms(mapping, used)]
    columns = [output.name for output in mapping.outputs if output.name in used]
    kinds = {name: mapping.columns.get(name) or "" for name in columns}
    pairs: set[frozenset[str]] = set()
    for place, name in enumerate(columns):
        after = columns[place + 1 :] + columns[:place]
        other = next((one for one in after if kinds[one] == kinds[name]), None)
        pair = frozenset((name, other or name))
        if pair not in pairs:
            pairs.add(pair)
            found.append(_exchanged(mapping, name, other))
    return list(dict.fromkeys(found))


def _exchanged(mapping: Mapping, name: str, other: str | None) -> Wrong:
    what = f"{name} and {other} exchanged" if other else f"{name} always NULL"
    listed = []
    for output in mapping.outputs:
        own = quoted(output.name)
        if output.name == name:
            listed.append(f"{quoted(other)} AS {own}" if other else f"IF(true, NULL, {own}) AS {own}")
        elif output.name == other:
            listed.append(f"{quoted(name)} AS {own}")
        else:
            listed.append(own)
    query = f"SELECT {', '.join(listed)} FROM ({mapping.sql}) AS wrong"
    return Wrong(what=what, query=query, columns=frozenset((name, other or name)))


def _without_conditions(mapping: Mapping) -> list[Wrong]:
    found = []
    for number, where in enumerate(mapping.query.find_all(exp.Where)):
        parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        for place, part in enumerate(parts):
            copy = mapping.query.copy()
            other = list(copy.find_all(exp.Where))[number]
            rest = [one.copy() for index, one in enumerate(parts) if index != place]
            if rest:
                other.replace(exp.Where(this=exp.and_(*rest, copy=False)))
            else:
                other.pop()
            what = f"without the condition {part.sql('spark')}"
            found.append(Wrong(what=what, query=copy.sql("spark")))
    return found


def _without_arms(mapping: Mapping, used: frozenset[str]) -> list[Wrong]:
    found: list[Wrong] = []
    if not isinstance(mapping.query, exp.Select):
        return found
    for place, projection in enumerate(mapping.query.expressions):
        name = projection.alias_or_name
        for number, case in enumerate(projection.find_all(exp.Case) if name in used else ()):
            for arm, branch in enumerate(case.args["ifs"]):
                copy = mapping.query.copy()
                other = list(copy.expressions[place].find_all(exp.Case))[number]
                other.args["ifs"][arm].set("true", exp.null())
                what = f"{name}: the arm for {branch.this.sql('spark')} lost"
                found.append(Wrong(what=what, query=copy.sql("spark"), columns=frozenset((name,))))
    return found
