"""Constants that hold a table's name: where every use can take the new name, the constant changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import libcst as cst

from greylag.domain.patch import Edit
from greylag.rewrite.python.compose import Composer
from greylag.rewrite.python.composed import Composed
from greylag.rewrite.python.naming import Naming, new_tables
from greylag.rewrite.python.planning import Planned
from greylag.rewrite.python.source import Source


class NoOneName(Exception):
    """The uses of a constant cannot all go on with one name."""

    def __init__(self, node: cst.CSTNode, why: str) -> None:
        super().__init__(why)
        self.node = node


class Constants:
    """Moves edits from the places where a name is put in to the constant that holds it."""

    def __init__(self, source: Source, composer: Composer, naming: Naming) -> None:
        self.source = source
        self.composer = composer
        self.naming = naming
        spelled = {table for mapping in naming.migration.mappings for table in new_tables(mapping)}
        self.tables = spelled | {table.replace("`", "") for table in spelled}
        self.moved: set[tuple[int, int]] = set()
        self.chosen: dict[tuple[tuple[int, int], ...], tuple[Composed, str]] = {}

    def settle(self, planned: Iterable[Planned]) -> None:
        """Change the plans in place. Raises NoOneName."""
        done = list(planned)
        for one in done:
            if one.composed is None or one.mention:
                continue
            if one.table:
                self._table(one)
            elif one.plan.edits:
                one.plan = replace(one.plan, edits=tuple(self._edits(one, one.composed)))
        self._unmoved(done)
        self._rewritten(done)

    def _edits(self, one: Planned, composed: Composed) -> list[Edit]:
        done: list[Edit] = []
        for edit in one.plan.edits:
            node = composed.named.get((edit.start, edit.end))
            value = self.composer.compose(node) if node is not None else None
            if value is None or not value.atoms or not self.naming.word.search(value.sql):
                done.append(edit)
                continue
            assert node is not None
            self.moved.add((edit.start, edit.end))
            if not edit.text and done and self._wrapped(edit):
                # `` `{TABLE}` ``: the new text stands in place of the backquote before it.
                text, new = self._in_backquotes(node, done[-1].text, edit)
                done[-1] = replace(done[-1], text=text)
                done.append(edit)
            else:
                text, new = self._with_hole(node, edit, value)
                if text != self.source.text[edit.start : edit.end]:
                    done.append(replace(edit, text=text))
            self._choose(node, value, new)
        return done

    def _wrapped(self, edit: Edit) -> bool:
        """Does the place stand in backquotes?"""
        return self.source.text[edit.start - 1 : edit.start] == "`"

    def _find(self, node: cst.CSTNode, text: str) -> re.Match[str]:
        """The one place where a text names a new table."""
        found = [
            match
            for table in self.tables
            for match in re.finditer(rf"(?<![\w.`-]){re.escape(table)}(?![\w.`-])", text)
        ]
        # Of names that hold each other, as with and without quotes, the longest.
        found = [one for one in found if not any(_within(one, other) for other in found)]
        if len(found) != 1:
            raise NoOneName(node, "the table's name is used where no one name takes its place")
        return found[0]

    def _in_backquotes(self, node: cst.CSTNode, text: str, edit: Edit) -> tuple[str, str]:
        match = self._find(node, text)
        hole = f"`{self.source.text[edit.start : edit.end]}`"
        return text[: match.start()] + hole + text[match.end() :], match[0].replace("`", "")

    def _with_hole(self, node: cst.CSTNode, edit: Edit, value: Composed) -> tuple[str, str]:
        """The edit's text with the constant in place of the new table, and the constant's new text."""
        code = self.source.text[edit.start : edit.end]
        match = self._find(node, edit.text)
        new = _quoted_as(value.sql, match[0])
        before, after = edit.text[: match.start()], edit.text[match.end() :]
        if code.startswith(("{", "%")):
            return before + code + after, new
        # An operand of `+`, in place of which a literal would stand.
        if before.strip("\"'") == "" and after.strip("\"'") == "":
            return code, new
        if "{" in edit.text or "}" in edit.text:
            raise NoOneName(node, "the table's name is used where no one name takes its place")
        return f"f{before}{{{code}}}{after}", new

    def _choose(self, node: cst.CSTNode, value: Composed, new: str) -> None:
        key = tuple((one.start, one.end) for one in value.segments)
        if key in self.chosen and self.chosen[key][1] != new:
            raise NoOneName(node, "the constant would need a different name at each of its uses")
        self.chosen[key] = (value, new)

    def _table(self, one: Planned) -> None:
        """A read by name whose argument is a constant: the constant stands in the new call's text."""
        assert one.composed is not None
        if isinstance(one.root, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString):
            return
        if one.plan.edits and one.composed.atoms:
            code = self.source.code(one.root)
            used = any("{" + code + "}" in edit.text for edit in one.plan.edits)
            tables = [table for table in self.tables if used and one.plan.fragment is not None]
            tables = [t for t in tables if one.plan.fragment and t in one.plan.fragment.new]
            if len(tables) != 1:
                raise NoOneName(one.root, "the table's name is used where no one name takes its place")
            self._choose(one.root, one.composed, _quoted_as(one.composed.sql, tables[0]))

    def _unmoved(self, done: list[Planned]) -> None:
        """A constant that changes must not be used where the old name is still meant."""
        changed = self.changed()
        for one in done:
            if one.composed is None or one.mention or one.plan.skipped:
                continue
            if one.composed.atoms & changed and not one.plan.edits and not one.plan.fragment:
                raise NoOneName(one.root, "the constant is also used where its name means something else")
            for span, node in one.composed.named.items():
                value = self.composer.compose(node) if span not in self.moved else None
                if value is not None and value.atoms & changed:
                    raise NoOneName(node, "the constant is also used where its name means something else")

    def changed(self) -> set[cst.CSTNode]:
        """The literals that get new text."""
        places = [(edit, value) for value, new in self.chosen.values() for edit in _to(value, new)]
        return {
            atom
            for edit, value in places
            for atom in value.atoms
            if self.source.span(atom)[0] <= edit.start and edit.end <= self.source.span(atom)[1]
        }

    def _rewritten(self, done: list[Planned]) -> None:
        edits = [edit for value, new in self.chosen.values() for edit in _to(value, new)]
        for one in done:
            if one.plan.edits or one.plan.fragment is not None:
                one.plan = replace(one.plan, edits=tuple(sorted({*one.plan.edits, *edits})))
                return


def _within(inner: re.Match[str], outer: re.Match[str]) -> bool:
    return outer.start() <= inner.start() and inner.end() <= outer.end() and len(inner[0]) < len(outer[0])


def _quoted_as(old: str, new: str) -> str:
    """Backquotes around a whole name are kept."""
    old = old.strip()
    if old.startswith("`") and old.endswith("`") and "`" not in old[1:-1]:
        return f"`{new.replace('`', '')}`"
    return new


def _to(value: Composed, new: str) -> Iterable[Edit]:
    """The one edit, in literal text, that makes a composed name another. Raises NoOneName."""
    old = value.sql
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    low, high = start, len(old) - end
    position = 0
    for one in value.segments:
        size = len(one.text)
        if one.offsets is not None and position <= low and high <= position + size:
            text = new[low : len(new) - end]
            return [Edit(one.offsets[low - position], one.offsets[high - position], one.encode(text))]
        position += size
    node = next(iter(value.atoms))
    raise NoOneName(node, "the table's name is made of constants that may be used elsewhere")


def _common(a: str, b: str) -> int:
    size = 0
    while size < min(len(a), len(b)) and a[size] == b[size]:
        size += 1
    return size
