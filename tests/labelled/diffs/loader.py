"""Patches with a label: right, or wrong in a way that has a name; and the consumer that they were made for.

A file in `sources` is a consumer: `migration` (a file in `migrations`), `path` and its text `before`,
`others` (files around it), `companions` (those of them that a patch may touch), and `changes`. A change is
told by `edits` (pairs of text and replacement; the text occurs once) to the first right patch, or to the old
text with `from: before`; `in` names another file than the consumer's, `files` gives whole files (null:
deleted). `§` stands for nothing: it keeps false keys from looking like true ones here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from greylag.domain.agent import Changes
from greylag.mapping import load_migration
from greylag.mapping.compiled import CompiledMigration

HERE = Path(__file__).parent

RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledDiff:
    """One patch: what it changes in the repository `before`, and what is right or wrong with it."""

    source: str
    number: int
    migration: str
    path: str
    companions: tuple[str, ...]
    label: str
    what: str
    before: Mapping[str, bytes]
    changes: Changes

    @property
    def right(self) -> bool:
        """Whether a reviewer would let it through."""
        return self.label == RIGHT

    def __str__(self) -> str:
        return f"{self.source}#{self.number} {self.label}: {self.what}"


@cache
def migration(name: str) -> CompiledMigration:
    """A migration of the set, compiled."""
    return load_migration(HERE / "migrations" / f"{name}.yaml")


@cache
def every() -> tuple[LabelledDiff, ...]:
    """The whole set, in the order of the files."""
    return tuple(one for path in sorted((HERE / "sources").glob("*.yaml")) for one in _of(path))


def _of(path: Path) -> list[LabelledDiff]:
    source = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    unknown = set(source) - {"migration", "path", "companions", "others", "before", "changes"}
    assert not unknown, f"{path.name}: {unknown}"
    main = source["path"]
    before = {main: source["before"], **source.get("others", {})}
    # What is wrong is told as a difference from the first right patch.
    first = next((one for one in source["changes"] if one["label"] == RIGHT), None)
    fixed = _edited(before[main], first["edits"], f"{path.name}#0") if first is not None else ""
    return [
        LabelledDiff(
            source=path.stem,
            number=number,
            migration=source["migration"],
            path=main,
            companions=tuple(source.get("companions", ())),
            label=change["label"],
            what=change["what"],
            before={one: text.encode() for one, text in before.items()},
            changes=_changes(change, main, before, fixed, f"{path.name}#{number}", change is first),
        )
        for number, change in enumerate(source["changes"])
    ]


def _changes(
    change: dict[str, Any], main: str, before: dict[str, str], fixed: str, where: str, is_first: bool
) -> dict[str, bytes | None]:
    unknown = set(change) - {"label", "what", "from", "in", "edits", "files"}
    assert not unknown, f"{where}: {unknown}"
    texts: dict[str, str | None] = {}
    place = change.get("in", main)
    if place != main:
        texts[main] = fixed
        texts[place] = _edited(before[place], change["edits"], where)
    elif is_first or "edits" not in change:
        texts[main] = fixed
    else:
        start = before[main] if change.get("from") == "before" else fixed
        texts[main] = _edited(start, change["edits"], where)
    texts.update(change.get("files", {}))
    return {
        path: None if text is None else text.replace("§", "").encode()
        for path, text in texts.items()
        if text != before.get(path)
    }


def _edited(text: str, edits: list[list[str]], where: str) -> str:
    for old, new in edits:
        assert text.count(old) == 1, f"{where}: {old!r} occurs {text.count(old)} times in\n{text}"
        text = text.replace(old, new)
    return text
