"""The macros that a dbt project has itself: where they are, what they take, who calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from greylag.rewrite.dbt.blocks import blocks
from greylag.rewrite.dbt.jinja import JinjaError, body_tag, line_of, spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """One macro. `source` is its text with both tags, `body` what stands between them."""

    name: str
    path: str
    line: int
    parameters: tuple[str, ...]
    source: str
    body: str


def macros_in(path: str, text: str) -> Iterator[Macro]:
    """The macros of one file, in order; none of a file whose Jinja cannot be read."""
    if "macro" not in text:
        return
    try:
        found = spans(text)
        tree = blocks(found)
    except JinjaError:
        return
    tags = {span.start: span for span in found}
    ends = {span.start: span.end for span in found}
    for block in tree:
        if block.keyword != "macro":
            continue
        (arm,) = block.arms
        tag = body_tag(tags[block.start].code, "macro")
        if isinstance(tag, nodes.Macro):
            yield Macro(
                name=tag.name,
                path=path,
                line=line_of(text, block.start),
                parameters=tuple(argument.name for argument in tag.args),
                source=text[block.start : ends[arm.end]],
                body=text[arm.start : arm.end],
            )


def project_macros(files: Mapping[str, str]) -> dict[str, Macro]:
    """Every macro of a project's files by name; one that is defined twice is nobody's."""
    found: dict[str, Macro] = {}
    twice: set[str] = set()
    for path, text in sorted(files.items()):
        for macro in macros_in(path, text):
            if macro.name in found:
                twice.add(macro.name)
            found[macro.name] = macro
    return {name: macro for name, macro in found.items() if name not in twice}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A place that calls a macro."""

    path: str
    line: int


def uses(name: str, files: Mapping[str, str]) -> Iterator[Use]:
    """Where a macro is called, or named to be called (`adapter.dispatch('name')`)."""
    called = re.compile(rf"(?<![\w]){re.escape(name)}\s*\(|['\"]{re.escape(name)}['\"]")
    for path, text in sorted(files.items()):
        if name not in text:
            continue
        for hit in called.finditer(text):
            before = text[: hit.start()]
            if re.search(r"\{%[-+]?\s*macro\s+$", before):
                continue
            yield Use(path=path, line=line_of(text, hit.start()))
