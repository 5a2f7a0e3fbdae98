"""Edits of every variant of a masked file, made into one set of edits of the file itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence

from greylag.domain.outcome import Reason
from greylag.domain.patch import Edit
from greylag.rewrite.dbt.arguments import as_argument
from greylag.rewrite.dbt.blocks import Arm, Block, Variant
from greylag.rewrite.dbt.jinja import Span, SpanKind, line_of
from greylag.rewrite.dbt.mask import Masked, Placeholder, Role

_NOT_UNIQUE = (Role.SILENT, Role.NUMBER, Role.FUNCTION)
_LONE_LINE_FEED = re.compile(r"(?<!\r)\n")


class Clash(Exception):
    """The edits cannot be carried over to the file; `reason` says which and where."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


def snap(edit: Edit, placeholders: Sequence[Placeholder]) -> Edit:
    """Widen an edit that touches a placeholder to the whole `{{ ... }}` that it stands for."""
    start, end = edit.start, edit.end
    for item in placeholders:
        if any(low <= edit.start and edit.end <= high for low, high in item.holes):
            return edit
        if item.span.start < start < item.span.end:
            start = item.span.end if start >= item.end else item.span.start
        if item.span.start < end < item.span.end:
            end = item.span.end if end >= item.end else item.span.start
        if edit.start == edit.end == item.start:
            start = end = item.span.start
    return Edit(start, max(start, end), edit.text)


def agree(
    text: str, found: Sequence[tuple[Variant, frozenset[Edit]]], tree: tuple[Block, ...]
) -> tuple[Edit, ...]:
    """The union of all edits, when every variant that shows an edit's place wants that very edit.

    Raises Clash with the line of the first place where two variants want different things.
    """
    union = sorted(frozenset[Edit]().union(*(edits for _, edits in found)))
    homes = [_home(edit, tree) for edit in union]
    for edit, home in zip(union, homes, strict=True):
        for variant, edits in found:
            if edit not in edits and _visible(home, variant):
                message = "what must change here depends on which branch of the Jinja is rendered"
                raise Clash(Reason(code="branches-differ", message=message, line=line_of(text, edit.start)))
    for before, after in itertools.pairwise(union):
        if after.start < before.end:
            message = "two branches of the Jinja want different changes here"
            raise Clash(Reason(code="branches-differ", message=message, line=line_of(text, after.start)))
    return tuple(union)


def _home(edit: Edit, tree: tuple[Block, ...]) -> tuple[Arm, ...]:
    """The bodies that an edit stands in, outermost first."""
    for block in tree:
        for arm in block.arms:
            if arm.start <= edit.start and edit.end <= arm.end:
                return (arm, *_home(edit, arm.children))
    return ()


def _visible(home: tuple[Arm, ...], variant: Variant) -> bool:
    if variant.body is not None and variant.body not in {(arm.start, arm.end) for arm in home}:
        return False
    hidden = set(variant.hidden)
    return not any((arm.start, arm.end) in hidden for arm in home)


def unmask(
    text: str,
    edits: Iterable[Edit],
    spans: tuple[Span, ...],
    masked: Masked,
    table: Callable[[str, Placeholder | None], str],
) -> tuple[Edit, ...]:
    """Put Jinja back into the edits' texts.

    `table(text, placeholder)` writes the new tables into an edit's text; the placeholder is the read that the
    edit replaces. Raises Clash when an edit would lose Jinja.
    """
    back = _Back(masked)
    windows = "\r\n" in text
    carried: list[Edit] = []
    taken: set[tuple[int, int]] = set()
    for edit in edits:
        carry = edit
        replaced: Placeholder | None = None
        for span in spans:
            if span.kind is SpanKind.DATA or span.end <= edit.start or span.start >= edit.end:
                continue
            placeholder = back.by_start.get(span.start)
            hole = _hole(placeholder, edit)
            if hole is not None:
                if hole in taken:
                    message = f"more than one thing changes in an argument of {span.code}"
                    raise Clash(Reason(code="jinja-inside-edit", message=message, line=span.line))
                taken.add(hole)
                carry = _argument(text, edit, hole, span)
            elif placeholder is not None and placeholder.role is Role.REPLACED:
                replaced = placeholder
            elif placeholder is None or not back.holds(placeholder, edit.text):
                message = f"Jinja stands inside of what must change: {text[span.start : span.end]}"
                raise Clash(Reason(code="jinja-inside-edit", message=message, line=span.line))
        back.refuse_functions(carry)
        new = table(back.restore(text, carry.text), replaced)
        carried.append(Edit(carry.start, carry.end, _LONE_LINE_FEED.sub("\r\n", new) if windows else new))
    return tuple(carried)


def _hole(placeholder: Placeholder | None, edit: Edit) -> tuple[int, int] | None:
    holes = placeholder.holes if placeholder is not None else ()
    return next(((low, high) for low, high in holes if low <= edit.start and edit.end <= high), None)


def _argument(text: str, edit: Edit, hole: tuple[int, int], span: Span) -> Edit:
    """An edit of the SQL in a macro's argument: of the whole argument, with its quotes."""
    low, high = hole
    new = as_argument(text[low - 1 : high + 1], text[low:high], _inside(text, edit, hole))
    if new is None:
        message = f"the new text does not fit between the quotes of {span.code}"
        raise Clash(Reason(code="jinja-inside-edit", message=message, line=span.line))
    return Edit(low - 1, high + 1, new)


def _inside(text: str, edit: Edit, hole: tuple[int, int]) -> str:
    return text[hole[0] : edit.start] + edit.text + text[edit.end : hole[1]]


class _Back:
    """From placeholders to the Jinja that they stand for."""

    def __init__(self, masked: Masked) -> None:
        self.by_start = {placeholder.span.start: placeholder for placeholder in masked.placeholders}
        self._by_text = {item.text: item for item in masked.placeholders if item.role not in _NOT_UNIQUE}
        words = sorted(self._by_text, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(word) for word in words)) if words else None

    def refuse_functions(self, edit: Edit) -> None:
        """A call that was laid open cannot be written anew: only its arguments can change."""
        for item in self.by_start.values():
            if item.role is Role.FUNCTION and item.text in edit.text:
                message = f"{item.span.code} would have to be written again"
                raise Clash(Reason(code="jinja-inside-edit", message=message, line=item.span.line))

    def holds(self, placeholder: Placeholder, new: str) -> bool:
        """Will `restore` put this very Jinja into the text?"""
        return placeholder.text in self._by_text and placeholder.text in new

    def restore(self, text: str, new: str) -> str:
        """`new` with every placeholder turned back."""
        if self._pattern is None:
            return new
        return self._pattern.sub(lambda found: self._jinja(text, found[0]), new)

    def _jinja(self, text: str, word: str) -> str:
        span = self._by_text[word].span
        return text[span.start : span.end]
