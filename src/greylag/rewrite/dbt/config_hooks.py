"""SQL in the hooks of a model: `{{ config(post_hook="insert into log select … from {{ ref('x') }}") }}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from jinja2 import nodes

from greylag.domain.consumer import Framework, Read
from greylag.domain.outcome import Edited, Form, Outcome, Reason, Skipped, Unchanged
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.jinja import SpanKind, expression, spans, string_tokens
from greylag.rewrite.embedded import one_line

_HOOKS = ("pre_hook", "post_hook")
_MARK = "\ue000"  # of no alphabet


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooked:
    """A file's text with its hooks rewritten, and what was rewritten in them.

    `shown` is that text with marks for the characters (`hidden`) of hooks that read no replaced dataset now:
    the names that are left in them are aliases.
    """

    text: str
    shown: str
    hidden: str = ""
    edited: tuple[Edited, ...] = ()
    doubts: tuple[Reason, ...] = ()

    def whole(self, text: str) -> str:
        """A version of `shown` with the hooks back in their places."""
        characters = iter(self.hidden)
        return "".join(next(characters) if one == _MARK else one for one in text)

    def joined(self, outcome: Outcome) -> Outcome:
        """What was done to the rest of the file, with what was done to its hooks."""
        if self.doubts and not isinstance(outcome, Skipped):
            reads = outcome.reads if isinstance(outcome, Edited) else ()
            outcome = Skipped(framework=Framework.DBT, reasons=self.doubts, reads=reads)
        elif isinstance(outcome, Skipped):
            outcome = replace(outcome, reasons=tuple(dict.fromkeys((*outcome.reasons, *self.doubts))))
        if isinstance(outcome, Edited):
            outcome = replace(outcome, text=self.whole(outcome.text))
        if not self.edited or not isinstance(outcome, Edited | Skipped | Unchanged):
            return outcome
        reads = tuple(read for one in self.edited for read in one.reads)
        match outcome:
            case Skipped():
                return replace(outcome, reads=(*reads, *outcome.reads))
            case Unchanged():
                outcome = Edited(framework=Framework.DBT, form=Form.INLINE, text=self.text, reads=())
        forms = {outcome.form, *(one.form for one in self.edited)}
        notes = (*(note for one in self.edited for note in one.notes), *outcome.notes)
        form = Form.BOUNDARY if Form.BOUNDARY in forms else Form.INLINE
        ordered = sorted((*reads, *outcome.reads), key=lambda read: (read.line, read.column))
        return replace(outcome, form=form, reads=tuple(ordered), notes=tuple(dict.fromkeys(notes)))


def with_hooks(text: str, migration: CompiledMigration, rewrite: Callable[[str], Outcome]) -> Hooked:
    """Rewrite the hooks that name a replaced dataset, each by itself; one that stays is told by the caller.

    `rewrite` is the rewrite of one hook's text. Raises JinjaError when the text is no template.
    """
    if _MARK in text or not any(name in text for name in _HOOKS):
        return Hooked(text=text, shown=text)
    edits: list[Edit] = []
    found: list[Edited] = []
    marks: list[Edit] = []
    doubts: list[Reason] = []
    for start, end in hooks_of(text):
        old = text[start:end]
        outcome = rewrite(old)
        if isinstance(outcome, Skipped):
            line = text.count("\n", 0, start)
            told = (f"a hook stays: {_bare(one.message)}" for one in outcome.reasons)
            doubts += [
                Reason(code=one.code, message=message, line=max(one.line, 1) + line)
                for one, message in zip(outcome.reasons, told, strict=True)
            ]
        if isinstance(outcome, Unchanged):
            marks.append(Edit(start, end, old))
        if not isinstance(outcome, Edited):
            continue
        new = outcome.text
        if "\n" in new and "\n" not in old:
            new = one_line(new, migration.dialect) or text[start - 1]
        if text[start - 1] in new or "\\" in new:
            continue  # it does not fit between the quotes
        edits.append(Edit(start, end, new))
        found.append(replace(outcome, reads=tuple(_moved(read, text, start) for read in outcome.reads)))
    marks = sorted([*marks, *edits])
    hidden = "".join(edit.text.replace("\n", "") for edit in marks)
    covered = [_covered(edit) for edit in marks]
    return Hooked(
        text=apply_edits(text, edits),
        shown=apply_edits(text, covered),
        hidden=hidden,
        edited=tuple(found),
        doubts=tuple(doubts),
    )


def _bare(message: str) -> str:
    """A reason without the place that it was given for."""
    return re.sub(r"^\S+?:\d+(?::\d+)?: ", "", message)


def _covered(edit: Edit) -> Edit:
    """An edit that puts a mark for each character; lines stay."""
    return Edit(edit.start, edit.end, "".join("\n" if one == "\n" else _MARK for one in edit.text))


def _moved(read: Read, text: str, start: int) -> Read:
    """A read in a hook, with its place in the file."""
    first = read.line == 1
    column = start - text.rfind("\n", 0, start) - 1 if first else 0
    return replace(read, line=read.line + text.count("\n", 0, start), column=read.column + column)


def hooks_of(text: str) -> Iterator[tuple[int, int]]:
    """Start and end, between the quotes, of every hook that is written out in a call of `config`.

    Raises JinjaError.
    """
    for span in spans(text):
        if span.kind is not SpanKind.EXPRESSION or not span.code.startswith("config"):
            continue
        match expression(span.code):
            case nodes.Call(node=nodes.Name(name="config"), args=[], kwargs=given):
                whole = text[span.start : span.end]
                values = [one for pair in given for one in _texts(pair.value, hook=pair.key in _HOOKS)]
                places = list(string_tokens(whole))
                told = [whole[low + 1 : high - 1] for low, high in places]
                if [value for value, _ in values] == told:
                    for (_, is_hook), (low, high) in zip(values, places, strict=True):
                        if is_hook:
                            yield span.start + low + 1, span.start + high - 1


def _texts(node: nodes.Node, *, hook: bool) -> Iterator[tuple[str, bool]]:
    """Every text of an argument in its order, and whether it is a whole hook."""
    match node:
        case nodes.Const(value=str() as value):
            yield value, hook
        case nodes.List(items=items) | nodes.Tuple(items=items):
            for item in items:
                yield from _texts(item, hook=hook)
        case nodes.Dict(items=pairs):
            for pair in pairs:
                yield from _texts(pair.key, hook=False)
                is_sql = isinstance(pair.key, nodes.Const) and pair.key.value == "sql"
                yield from _texts(pair.value, hook=hook and is_sql)
        case _:
            for inner in node.iter_child_nodes():
                yield from _texts(inner, hook=False)
