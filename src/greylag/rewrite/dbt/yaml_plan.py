"""What a YAML file of a dbt project needs when what it names is replaced: one edit for each text.

Only what keeps its meaning is edited; why something else does not is told with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as AbcMapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from greylag.domain.patch import Edit
from greylag.mapping.compiled import CompiledMigration, DbtName, Mapping
from greylag.rewrite.dbt.jinja import expression
from greylag.rewrite.dbt.names import call, dbt_name, match
from greylag.rewrite.dbt.renamed import renamed_column
from greylag.rewrite.dbt.yaml_place import place_of
from greylag.rewrite.dbt.yaml_scalar import Scalar, offset_of, scalar_at

Moved = Callable[[str], bool]
"""Does a model, given by its name, read no replaced dataset any more?"""


class Refused(Exception):
    """A text that stays as it is, and why; `line` is 1-based."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A `ref` or `source` of a replaced dataset that is all of a text, and what takes its place."""

    scalar: Scalar
    mapping: Mapping
    old: DbtName
    new: DbtName

    def edit(self) -> Edit:
        """The edit of the call alone. Raises Refused where its characters are not plain to see."""
        found = self.scalar.with_call(self.old, self.new)
        if found is None:
            raise Refused("its text is written in a way that is not understood", self.scalar.line)
        return found

    def refused(self, message: str, line: int) -> Refused:
        """Why the text stays, for something that stands in another line beside it."""
        own = self.scalar.line
        return Refused(message if line == own else f"{message}: line {line}", own)

    def same_rows(self) -> None:
        """Raises Refused unless the new dataset has a row for each row of the old one."""
        if self.mapping.inlining is None or self.mapping.inlining.predicate is not None:
            raise Refused(f"{self.mapping.dataset} is only some rows of the new dataset", self.scalar.line)

    def renamed(self, name: str, line: int) -> str:
        """What a column is called now. Raises Refused where it is more than a rename."""
        found = renamed_column(self.mapping, name)
        if found is None or not found.isidentifier():
            raise self.refused(f"{name} is no plain column of the new dataset", line)
        return found

    def all_renamed(self) -> dict[str, str]:
        """Every column by its lower-case old name; each of a new column of its own."""
        line = self.scalar.line
        found = {name.lower(): self.renamed(name, line) for name in self.mapping.columns}
        if len({new.lower() for new in found.values()}) != len(found):
            raise Refused("two old columns are one new column", line)
        return found


@dataclass(slots=True, kw_only=True)
class YamlPlan:
    """The edits of a file, and by line why something that reads a replaced dataset stays."""

    text: str
    migration: CompiledMigration
    edits: list[Edit] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def attempt(self, make: Callable[[], list[Edit]]) -> None:
        """All the edits of one thing, or none and the reason."""
        try:
            self.edits += make()
        except Refused as refused:
            self.why[refused.line] = str(refused)

    def relation(self, node: Any, key: object) -> Relation | None:
        """The replaced dataset that a text names as a whole. Raises Refused where none is its successor."""
        if not isinstance(node, CommentedMap | CommentedSeq) or not isinstance(node[key], str):
            return None
        value = str(node[key]).strip()
        if value.startswith("{{") and value.endswith("}}"):
            value = value[2:-2].strip()
        spoken = call(expression(value))
        dataset = match(spoken, self.migration).dataset if spoken is not None else None
        if spoken is None or dataset is None or spoken.args is None:
            return None
        scalar, line = scalar_at(self.text, node, key), place_of(node, key).line
        mapping = next(one for one in self.migration.mappings if one.dataset == dataset)
        if scalar is None:
            raise Refused("its text is written in a way that is not understood", line)
        if mapping.inlining is None or mapping.inlining.joins:
            raise Refused(f"{dataset} is not one new dataset with other names", line)
        new = dbt_name(self.migration.new_names.get(mapping.inlining.table), spoken.kind)
        if new is None:
            raise Refused(f"no dbt name of {mapping.inlining.table} is known: list it under `ref:`", line)
        old = DbtName(kind=spoken.kind, args=spoken.args)
        return Relation(scalar=scalar, mapping=mapping, old=old, new=new)

    def columns(self, mapping: Mapping) -> AbcMapping[str, str]:
        """The columns of the one new dataset, as far as they are declared."""
        new = mapping.inlining.table if mapping.inlining is not None else None
        return next((one.columns for one in self.migration.provides if one.dataset == new), {})

    def name_edit(self, node: CommentedMap, key: str, relation: Relation) -> list[Edit]:
        """The edit of a column's name under a key; nothing where the name stays."""
        line = place_of(node, key).line
        new = relation.renamed(str(node.get(key)), line)
        if new.lower() == str(node.get(key)).lower():
            return []
        scalar = scalar_at(self.text, node, key)
        edit = scalar.with_value(new) if scalar is not None else None
        if edit is None:
            raise relation.refused(f"`{key}` is written in a way that is not understood", line)
        return [edit]

    def key_edit(self, node: CommentedMap, key: str, new: str, told: int) -> list[Edit]:
        """The edit of a key itself. Raises Refused, for the line `told`, where it is not plain to see."""
        line, column = node.lc.key(key)
        start = offset_of(self.text, line, column)
        start += self.text[start : start + 1] in ("'", '"')
        if not self.text.startswith(str(key), start):
            raise Refused(f"the key {key} in line {line + 1} is not understood", told)
        return [] if new == key else [Edit(start, start + len(str(key)), new)]


def maps_in(node: Any) -> Iterator[CommentedMap]:
    """Every mapping of a document, each once."""
    pending, seen = [node], set()
    while pending:
        one = pending.pop()
        if id(one) in seen or not isinstance(one, CommentedMap | CommentedSeq):
            continue
        seen.add(id(one))
        if isinstance(one, CommentedMap):
            yield one
        pending += list(one.values()) if isinstance(one, CommentedMap) else list(one)
