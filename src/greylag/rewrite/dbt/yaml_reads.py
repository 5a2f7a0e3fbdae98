"""What the YAML of a dbt project reads itself: tests and freshness of old sources, snapshots, hooks.

A declaration of an old source reads nothing; what hangs on it does, until the table is gone. Nothing is
edited here: this is what is told of a file as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from greylag.domain.consumer import Framework, Read
from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Outcome, Reason, Skipped, Unchanged
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.dbt.jinja import JinjaError, Span, SpanKind, expression, line_of, spans
from greylag.rewrite.dbt.names import DbtCall, calls, match, told_names
from greylag.rewrite.dbt.source_checks import source_checks
from greylag.rewrite.dbt.trees import tree_of
from greylag.rewrite.dbt.words import word_pattern
from greylag.rewrite.dbt.yaml_place import Place, place_of

# People read these; dbt runs nothing in them.
_PROSE = frozenset({"description", "label"})
_JINJA = re.compile(r"\{[{%]")
_DEEP = 200


def read_yaml(
    path: str, text: str, migration: CompiledMigration, *, why: Mapping[int, str] | None = None
) -> Outcome:
    """Skipped when a YAML file of a dbt project makes dbt read a replaced dataset, or may; never an edit.

    `why` says by line why what stands there was not rewritten.
    """
    words = word_pattern(told_names(migration))
    if not words.search(text):
        return Unchanged()
    try:
        documents: list[Any] = list(_loader().load_all(text))
        texts = [found for data in documents for found in _texts(data, (), "", Place(line=1, column=1), {})]
    except (YAMLError, ValueError, RecursionError):
        hit = words.search(text)
        line = line_of(text, hit.start()) if hit is not None else 0
        message = f"{path}:{line}: names a replaced dataset, and the file cannot be read as YAML"
        return _skipped([_Found(reason=Reason(code="yaml-unreadable", message=message, line=line))])
    reader = _Reader(
        path=path, migration=migration, words=words, qualified=_qualified(migration), why=why or {}
    )
    found = [item for one in texts for item in reader.look(one)]
    for data in documents:
        for check in source_checks(data, migration):
            line = check.place.line
            reason = Reason(code=check.code, message=f"{path}:{line}: {check.message}", line=line)
            found.append(_Found(reason=reason, read=check.read))
    return _skipped(found) if found else Unchanged()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Why the file is told; `read` is None when it only may be a reader."""

    reason: Reason
    read: Read | None = None


def _skipped(found: list[_Found]) -> Skipped:
    found = sorted(found, key=lambda item: item.reason.line)
    return Skipped(
        framework=Framework.DBT,
        reasons=tuple(dict.fromkeys(item.reason for item in found)),
        reads=tuple(dict.fromkeys(item.read for item in found if item.read is not None)),
    )


def _loader() -> YAML:
    loader = YAML(typ="rt")
    loader.allow_duplicate_keys = True  # so does dbt
    return loader


def _qualified(migration: CompiledMigration) -> re.Pattern[str]:
    """The last two parts of every SQL name of a replaced dataset, or its only one, with any quotes."""
    names = sorted({table.parts[-2:] for mapping in migration.mappings for table in mapping.names.tables})
    ways = (r"[`\"\]]?[.:][`\"\[]?".join(map(re.escape, parts)) for parts in names)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(ways)})(?![\w-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A text in the file: the keys above it, the name of the nearest thing around it, and its place."""

    value: str
    keys: tuple[str, ...]
    owner: str
    place: Place


def _texts(
    node: Any, keys: tuple[str, ...], owner: str, place: Place, seen: dict[int, Any]
) -> Iterator[_Text]:
    if len(keys) > _DEEP:
        raise RecursionError
    if isinstance(node, str):
        if not _PROSE & set(keys):
            yield _Text(value=str(node), keys=keys, owner=owner, place=place)
        return
    if not isinstance(node, CommentedMap | CommentedSeq) or id(node) in seen:
        return
    seen[id(node)] = node  # an anchor's content is told once, where it stands
    if isinstance(node, CommentedSeq):
        for at, item in enumerate(node):
            yield from _texts(item, keys, owner, place_of(node, at), seen)
        return
    owner = str(node.get("name", owner))
    for key, value in node.items():
        yield from _texts(value, (*keys, str(key)), owner, place_of(node, key), seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    path: str
    migration: CompiledMigration
    words: re.Pattern[str]
    qualified: re.Pattern[str]
    why: Mapping[int, str]

    def look(self, text: _Text) -> Iterator[_Found]:
        """What one text of the file reads, or may read."""
        if self.words.search(text.value) is None:
            return
        if _JINJA.search(text.value) is None:
            tree = expression(text.value)
            spoken = list(calls(tree)) if tree is not None else []
            rest = "" if spoken else text.value
        else:
            try:
                parts = spans(text.value)
            except JinjaError:
                yield self._may(text, "Jinja that cannot be read names it")
                return
            spoken = [one for part in parts for one in _calls(part)]
            rest = "".join(text.value[part.start : part.end] for part in parts if not _settled(part))
        told = [item for one in spoken for item in self._call(text, one)]
        yield from told or self._rest(text, rest)

    def _call(self, text: _Text, spoken: DbtCall) -> Iterator[_Found]:
        verdict = match(spoken, self.migration)
        if verdict.dataset is not None:
            yield self._reads(text, verdict.dataset)
        elif verdict.doubt is not None:
            yield self._may(text, verdict.doubt)

    def _rest(self, text: _Text, rest: str) -> Iterator[_Found]:
        """What stands beside plain `ref` and `source` calls."""
        whole = " " not in rest.strip() and "." not in rest
        named = self.qualified.search(rest)
        if text.keys[:1] == ("vars",) and self.words.search(rest):
            yield self._may(text, f"variable {text.keys[-1]} holds its name, and a model may read by that")
        elif named is not None and not whole:
            yield self._may(text, f"names {named[0]} under `{text.keys[-1] if text.keys else ''}`")
        elif _JINJA.search(rest) and self.words.search(rest):
            yield self._may(text, f"Jinja under `{text.keys[-1]}` may make its name")

    def _may(self, text: _Text, what: str) -> _Found:
        line = text.place.line
        message = f"{self.path}:{line}: {what}"
        return _Found(reason=Reason(code="yaml-unsure", message=message, line=line))

    def _reads(self, text: _Text, dataset: DatasetRef) -> _Found:
        top = text.keys[0] if text.keys else ""
        line = text.place.line
        code, what = _said(top, text, dataset)
        what = f"{what} ({self.why[line]})" if line in self.why else what
        reason = Reason(code=code, message=f"{self.path}:{line}: {what}", line=line)
        return _Found(reason=reason, read=Read(dataset=dataset, line=line, column=text.place.column))


def _said(top: str, text: _Text, dataset: DatasetRef) -> tuple[str, str]:
    match top:
        case "exposures":
            return "exposure", f"exposure {text.owner} depends on {dataset}: name what it reads now"
        case "unit_tests":
            return "unit-test", f"unit test {text.owner} gives rows of {dataset}: adapt it with its model"
        case "snapshots":
            return "snapshot", f"snapshot {text.owner} reads {dataset}: give it another relation"
        case _:
            under = text.keys[-1] if text.keys else "the file"
            return "yaml-read", f"`{under}` of {text.owner or 'the project'} reads {dataset}: adapt it"


def _calls(part: Span) -> Iterator[DbtCall]:
    tree = tree_of(part) if part.kind in (SpanKind.EXPRESSION, SpanKind.STATEMENT) else None
    if tree is not None:
        yield from calls(tree)


def _settled(part: Span) -> bool:
    """Is the part Jinja of which every name is the argument of a plain call, or a comment?"""
    if part.kind is SpanKind.COMMENT:
        return True
    found = list(_calls(part))
    return bool(found) and all(one.args is not None for one in found)
