"""A brief from its parts: blocks are cut to size, quoted, and put into the template."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pygit2

from greylag.agent.brief.facts import Fact, facts
from greylag.agent.brief.model import Brief, BriefInput
from greylag.agent.brief.places import reasons, shown
from greylag.agent.brief.templating import filled
from greylag.domain.agent import Example
from greylag.domain.quoting import Quoted, cut, fenced, marker_for, name, plain, quoted, titled
from greylag.mapping.told import NotCarried

VERSION = "2"
"""Of the templates: goes up with every change of their text (a test holds their hash)."""

LEAST = 12_000
"""No brief can be made to fit into less: the template and the smallest blocks need it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """How many characters each part may take; `examples` counts them, `context` is in lines."""

    context: int
    places: int
    mapping: int
    examples: int
    example: int
    house: int
    codemods: int
    earlier: int
    answers: int
    tight: bool = False


@dataclass(slots=True)
class _Blocks:
    """The quoted blocks of one brief, and what was left out of them."""

    texts: list[tuple[str, Quoted]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, label: str, block: Quoted) -> int:
        """Keep a block; returns its number, by which the template asks for it."""
        if block.left_out:
            self.left_out.append(f"{block.left_out} lines of {label}")
        self.texts.append((label, block))
        return len(self.texts) - 1


def make_brief(given: BriefInput) -> Brief:
    """The brief for one target. The same input makes the same bytes.

    What does not fit into `given.most` characters is cut, the dearest last: first examples and house rules,
    then the lines around the places. What was cut is told in the text and in `left_out`.
    """
    if given.most < LEAST:
        raise ValueError(f"a brief needs room for {LEAST} characters, not {given.most}")
    for room in _rooms(given.most):
        made = _brief(given, room)
        if len(made.text) <= given.most:
            break
    return made


def _rooms(most: int) -> tuple[_Room, ...]:
    """From generous to tight; the last one fits whatever the input is."""
    part = max((most - 5_000) // 12, 200)
    return (
        _Room(context=4, places=9_000, mapping=6_000, examples=2, example=1_600, house=1_800, codemods=1_500,
              earlier=2_000, answers=2_000),
        _Room(context=4, places=9_000, mapping=6_000, examples=1, example=900, house=700, codemods=0,
              earlier=1_500, answers=1_500),
        _Room(context=2, places=5_000, mapping=4_000, examples=0, example=0, house=0, codemods=0,
              earlier=1_000, answers=1_000),
        _Room(context=1, places=2 * part, mapping=part, examples=0, example=0, house=0, codemods=0,
              earlier=part, answers=part, tight=True),
    )  # fmt: skip


def _brief(given: BriefInput, room: _Room) -> Brief:
    blocks = _Blocks()
    context = {
        "migration": plain(given.migration.name),
        "repository": plain(given.repository),
        **_mapping(given, room, blocks),
        **_places(given, room, blocks),
        **_around(given, room, blocks),
    }
    marker = marker_for("\n".join((label, *block.lines)) for label, block in blocks.texts)
    left_out = tuple(dict.fromkeys(blocks.left_out))
    context |= {
        "data": lambda number: fenced(marker, *blocks.texts[number]),
        "left_out": cut("; ".join(left_out), 600),
    }
    system = filled("system.md.j2", {"marker": marker})
    text = filled("brief.md.j2", context)
    whole = "\0".join((VERSION, system, text)).encode("utf-8", "surrogatepass")
    return Brief(
        system=system,
        text=text,
        version=VERSION,
        hash=hashlib.sha256(whole).hexdigest(),
        left_out=left_out,
        marker=marker,
    )


def _mapping(given: BriefInput, room: _Room, blocks: _Blocks) -> dict[str, object]:
    found, failed = facts(given, room.mapping)
    if room.tight and len(found) > 2:
        blocks.left_out.append(f"{len(found) - 2} more mappings")
        found = found[:2]
    return {
        "mappings": [_told(one, blocks) for one in found],
        "not_carried": [_failed(one) for one in failed[:2]],
        "kept": next((f": `{one.renamed}`, not a new output column" for one in found if one.renamed), ""),
    }


def _told(one: Fact, blocks: _Blocks) -> dict[str, object]:
    return {
        "dialect": plain(one.dialect),
        "columns": blocks.add(f"mapping: columns of {plain(one.dataset)}", one.columns),
        "names": blocks.add("mapping: names", one.names),
        "rows": blocks.add("mapping: rows", one.rows),
        "view": blocks.add(f"mapping: {plain(one.dataset)} as a view", one.view),
        "hidden": one.hidden,
        "unmapped": any("NO COUNTERPART" in line for line in one.columns.lines),
    }


def _failed(one: NotCarried) -> dict[str, str]:
    return {"dialect": plain(one.dialect), "why": name(one.why, 400)}


def _places(given: BriefInput, room: _Room, blocks: _Blocks) -> dict[str, object]:
    files = [one for one in given.leftovers if one.path in given.files]
    each = max(room.places // max(len(files), 1), 600)
    most = max(room.places // each, 1)
    if len(files) > most:
        blocks.left_out.append(f"the text of {len(files) - most} more files")
    shares = [
        shown(one, given.files[one.path], context=room.context, characters=each) for one in files[:most]
    ]
    places = [
        blocks.add(f"file {number}", titled(one.path, block))
        for number, (one, block) in enumerate(zip(files, shares, strict=False), 1)
    ]
    companions = "\n".join(map(name, given.companions))
    return {
        "reasons": blocks.add("files to change", reasons(given.leftovers, room.places)),
        "places": places,
        "companions": _optional(blocks, "files that may change too", companions, room.answers),
    }


def _around(given: BriefInput, room: _Room, blocks: _Blocks) -> dict[str, object]:
    answers = "\n".join(
        f"{word}: {' '.join(text.split())}"
        for one in given.answers
        for word, text in (("asked", one.question), ("answer", one.answer))
    )
    verifiers = "\n".join(f"{one.name}: {one.judges}" for one in given.verifiers)
    return {
        "answers": _optional(blocks, "answers of people", answers, room.answers, width=600),
        "verifiers": _optional(blocks, "verifiers", verifiers, min(1_200, room.earlier)),
        "codemods": _optional(blocks, "diff of the codemods", given.codemods, room.codemods),
        "earlier": _optional(
            blocks, "why the earlier attempt failed", given.earlier, room.earlier, width=400
        ),
        "house": _house(given, room, blocks),
        "examples": _examples(given, room, blocks),
    }


def _optional(blocks: _Blocks, label: str, text: str, room: int, width: int = 240) -> int | None:
    if not text.strip():
        return None
    if room == 0:
        blocks.left_out.append(label)
        return None
    return blocks.add(label, quoted(text, characters=room, width=width))


def _house(given: BriefInput, room: _Room, blocks: _Blocks) -> list[int]:
    if given.house.rules and room.house == 0:
        blocks.left_out.append("house rules")
    left = room.house
    found: list[int] = []
    for rule in given.house.rules:
        if left < 100:
            break
        block = quoted(rule.text, characters=left)
        left -= sum(map(len, block.lines))
        found.append(
            blocks.add("house rules", titled(f"{rule.path}{' (parts of it)' if rule.cut else ''}", block))
        )
    return found


def _examples(given: BriefInput, room: _Room, blocks: _Blocks) -> list[int]:
    chosen = given.examples[: room.examples]
    if len(given.examples) > len(chosen):
        blocks.left_out.append(f"{len(given.examples) - len(chosen)} examples")
    return [
        blocks.add("example", titled(one.path, quoted(_diff(one), characters=room.example))) for one in chosen
    ]


def _diff(example: Example) -> str:
    """Its hunks; by libgit2, which is linear where difflib may take minutes."""
    flags = pygit2.enums.DiffOption.FORCE_TEXT
    before, after = (one.encode("utf-8", "surrogatepass") for one in (example.before, example.after))
    patch = pygit2.Patch.create_from(before, after, flag=flags, context_lines=2)
    raw = patch.data.decode("utf-8", "replace")
    start = raw.find("\n@@")
    return raw[start + 1 :] if start >= 0 else ""
