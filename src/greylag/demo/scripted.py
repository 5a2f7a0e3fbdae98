"""The scripted model of the demo: what an agent would do with the fleet's leftovers, from `agent.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from greylag.demo.templating import TEMPLATES
from greylag.testing.model import Script, Seen, Step, asking, changes, giving_up, played
from greylag.testing.model.scripts import Play

Changes = Mapping[str, Sequence[tuple[str, str]]]
"""Path to what is replaced by what; each text stands there once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the model changes in one turn, and what it says at the end of it."""

    change: Changes = field(default_factory=dict)
    say: str = "Done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The model's part for the repositories that hold a file called like `knows`."""

    knows: re.Pattern[str]
    turns: tuple[Turn, ...] = ()
    ask: str | None = None
    give_up: str | None = None

    def played(self, groups: Sequence[str]) -> Script:
        """The part as a script; `groups` are what the pattern found in the file's name."""
        if self.give_up is not None:
            return giving_up(self.give_up)
        turns = self.at(groups)

        @played
        def script(seen: Seen) -> Play:
            for turn in turns:
                yield from changes(seen, turn.change)
                yield Step(turn.say)

        return script if self.ask is None else asking(self.ask, script)

    def at(self, groups: Sequence[str]) -> tuple[Turn, ...]:
        """The turns with the paths of one repository."""
        return tuple(
            Turn(change={path.format(*groups): pairs for path, pairs in turn.change.items()}, say=turn.say)
            for turn in self.turns
        )


def model(seen: Seen) -> Step:
    """The script for `ScriptedModel`: the part is chosen by the files that the brief names."""
    for part in parts():
        found = part.knows.search(seen.text)
        if found:
            return part.played(found.groups())(seen)
    return giving_up("no part was written for this repository")(seen)


@cache
def parts() -> tuple[Part, ...]:
    """All parts, in the order in which they are tried."""
    said = _said()
    texts = {f"<{name}>": " ".join(text.split()) for name, text in said["texts"].items()}
    return tuple(_part(one, texts) for one in said["plays"])


def _part(said: Mapping[str, Any], texts: Mapping[str, str]) -> Part:
    return Part(
        knows=re.compile(said["knows"]),
        turns=tuple(_turn(one, texts) for one in said.get("turns", ())),
        ask=said.get("ask"),
        give_up=said.get("give_up"),
    )


def _turn(said: Mapping[str, Any], texts: Mapping[str, str]) -> Turn:
    change = {
        str(path): tuple((str(old), _filled(str(new), texts)) for old, new in pairs)
        for path, pairs in said.get("change", {}).items()
    }
    return Turn(change=change, say=said["say"])


def _filled(text: str, texts: Mapping[str, str]) -> str:
    for name, value in texts.items():
        text = text.replace(name, value)
    return text


def _said() -> Any:
    with (TEMPLATES / "agent.yaml").open(encoding="utf-8") as handle:
        return YAML(typ="safe").load(handle)
