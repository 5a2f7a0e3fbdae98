"""Proof for YAML files of dbt projects: what names a replaced dataset must mean the same as before.

The old document is carried over by the mapping, place by place, and compared with the new one; SQL in hooks
is compared as dbt would render it. What is not explained by the mapping is inconclusive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from sqlglot import exp

from greylag.domain.check import Proof, Verdict
from greylag.domain.dataset import DatasetRef
from greylag.domain.dbt import DbtSurroundings
from greylag.mapping.compiled import CompiledMigration, DbtName
from greylag.mapping.compiled import Mapping as Replaced
from greylag.verify.dbt import prove_dbt, weakest
from greylag.verify.dbt_render import NOTHING

_RELATION = re.compile(r"\s*(?:\{\{)?\s*(ref|source)\s*\(([^()]*)\)\s*(?:\}\})?\s*")
_HOOKS = frozenset({"pre-hook", "post-hook", "pre_hook", "post_hook", "on-run-start", "on-run-end"})
_KEYS = ("to", "compare_model", "input", "model", "relation")


def prove_dbt_yaml(
    old: str,
    new: str,
    migration: CompiledMigration,
    *,
    level: Literal["fast", "full"] = "fast",
    seed: int = 0,
    project: DbtSurroundings = NOTHING,
) -> Proof:
    """Are two versions of a YAML file of a dbt project the same under the mapping?"""
    loader = YAML(typ="safe")
    loader.allow_duplicate_keys = True
    try:
        before, after = (list(loader.load_all(text)) for text in (old, new))
    except (YAMLError, ValueError, RecursionError) as error:
        return _unexplained(f"one of the versions cannot be read as YAML: {error}"[:200])
    proofs = []
    for difference in _Comparison(migration).walk(before, after, ()):
        match difference:
            case str() as reason:
                proofs.append(_unexplained(reason))
            case (one, other):
                proofs.append(prove_dbt(one, other, migration, level=level, seed=seed, project=project))
    return weakest([Proof(verdict=Verdict.PROVEN, method="construction"), *proofs])


def _unexplained(reason: str) -> Proof:
    return Proof(verdict=Verdict.INCONCLUSIVE, method="none", reasons=(reason,))


@dataclass(frozen=True, slots=True)
class _Comparison:
    migration: CompiledMigration

    def walk(self, old: Any, new: Any, keys: tuple[str, ...]) -> Iterator[str | tuple[str, str]]:
        """What differs and is not explained: a reason, or two texts of SQL that are to be compared."""
        if old == new:
            return
        if isinstance(old, dict) and isinstance(new, dict):
            carried = self._carried(old, new)
            if carried.keys() != new.keys():
                yield f"other keys under {'.'.join(keys) or 'the top'}"
                return
            for key in carried:
                yield from self.walk(carried[key], new[key], (*keys, str(key).removeprefix("+")))
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for one, other in zip(old, new, strict=True):
                yield from self.walk(one, other, keys)
        elif isinstance(old, str) and isinstance(new, str) and _HOOKS & set(keys[-2:]):
            yield old, new
        elif keys[-1:] != ("depends_on",) or self._replaced(old, new) is None:
            yield f"what stands under {'.'.join(keys) or 'the top'} differs, and the mapping does not say so"

    def _carried(self, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        """What a mapping of the document comes to when the relation in it is replaced; else itself."""
        for key in _KEYS:
            replaced = self._replaced(old.get(key), new.get(key))
            names = _renames(replaced) if replaced is not None else None
            if names is None or replaced is None:
                continue
            carried = {**old, key: new[key]}
            match key:
                case "to" if old.get("field") is not None and not old.get("to_condition"):
                    carried["field"] = _spelled(names.get(str(old["field"]).lower()), new.get("field"))
                case "compare_model" if not old.get("group_by_columns"):
                    pass
                case "input" if self._only_renames(replaced, names):
                    carried["rows"] = _rows(old.get("rows"), names)
                case "model":
                    carried |= {kind: _parts(old[kind], names) for kind in old if kind in _SEMANTIC}
                case "relation" if self._only_renames(replaced, names) and self._is_same(replaced, names):
                    pass
                case _:
                    continue
            return {name: value for name, value in carried.items() if value is not None or name in old}
        return old

    def _replaced(self, old: Any, new: Any) -> Replaced | None:
        """The mapping by which one relation became the other."""
        before, after = _relation(old), _relation(new)
        if before is None or after is None or before == after:
            return None
        for mapping in self.migration.mappings:
            tables = [DatasetRef.parse(exp.table_name(one)) for one in mapping.query.find_all(exp.Table)]
            names = self.migration.new_names.get(tables[0]) if len(tables) == 1 else None
            if before in mapping.names.dbt and names is not None and after in names.dbt:
                return mapping
        return None

    def _only_renames(self, mapping: Replaced, names: Mapping[str, str]) -> bool:
        every = {name.lower() for name in mapping.columns} <= names.keys()
        return every and len({new.lower() for new in names.values()}) == len(names)

    def _is_same(self, mapping: Replaced, names: Mapping[str, str]) -> bool:
        (table,) = mapping.query.find_all(exp.Table)
        dataset = DatasetRef.parse(exp.table_name(table))
        new = next((one.columns for one in self.migration.provides if one.dataset == dataset), {})
        same = all(old == now.lower() for old, now in names.items())
        return same and [one.lower() for one in new] == [one.lower() for one in mapping.columns]


_SEMANTIC = frozenset({"entities", "dimensions", "measures"})


def _relation(value: Any) -> DbtName | None:
    found = _RELATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return DbtName(kind=found[1], args=tuple(arg.strip().strip("'\"") for arg in found[2].split(",")))


def _renames(mapping: Replaced) -> dict[str, str] | None:
    """Lower-case old columns to new ones, of a mapping that keeps every row of one table; else None."""
    query = mapping.query
    if not isinstance(query, exp.Select) or {key for key, value in query.args.items() if value} - {
        "expressions",
        "from_",
        "kind",
    }:
        return None
    source = query.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table):
        return None
    found: dict[str, str] = {}
    for item in query.selects:
        column = item.unalias()
        if isinstance(column, exp.Column) and column.table in ("", source.this.alias_or_name):
            found[item.alias_or_name.lower()] = column.name
    return {name: new for name, new in found.items() if name not in {one.lower() for one in mapping.differs}}


def _spelled(expected: str | None, written: Any) -> Any:
    """Names of columns are the same in any case."""
    return written if expected is not None and str(written).lower() == expected.lower() else expected


def _rows(rows: Any, names: Mapping[str, str]) -> Any:
    if isinstance(rows, str):
        head, _, rest = rows.partition("\n")
        parts = [one.replace(one.strip(), names.get(one.strip().lower(), "?")) for one in head.split(",")]
        return "\n".join((",".join(parts), rest))
    if isinstance(rows, list):
        return [
            {names.get(str(key).lower(), "?"): value for key, value in row.items()}
            if isinstance(row, dict)
            else row
            for row in rows
        ]
    return rows


def _parts(parts: Any, names: Mapping[str, str]) -> Any:
    carried = []
    for part in parts if isinstance(parts, list) else ():
        value = str(part.get("expr", part.get("name")))
        new = value if "expr" in part and (value.isdigit() or value == "*") else names.get(value.lower(), "?")
        same = new.lower() == value.lower()
        carried.append(part if same else {**part, "expr": new})
    return carried
