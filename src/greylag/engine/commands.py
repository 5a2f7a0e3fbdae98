"""What people tell us in comments: `/greylag skip because …` and others, each on a line of its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_MOST_CHARACTERS = 65536
_MOST_COMMANDS = 20
_LONGEST = 500

_COMMAND = re.compile(r" {0,3}/greylag(?:[ \t]+(.*))?[ \t]*", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_QUOTE = re.compile(r" {0,3}>")
# GitLab's quotation of several paragraphs: https://docs.gitlab.com/user/markdown/#multiline-blockquote
_QUOTES = re.compile(r" {0,3}>>>[ \t]*")
# What is not shown, or shown as somebody's text, commands nothing; nor does what such a part never closes.
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(pre|code|blockquote|script|style|textarea|xmp|samp|kbd|tt|q)\b.*?(?:</\1\s*>|\Z)",
    re.I | re.S,
)
# Code in a paragraph, from one line to another.
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n[ \t]*\n).){0,2000}?(?<!`)\1(?!`)", re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`/greylag answer KEY VALUE`."""

    key: str
    value: str


class Verb(StrEnum):
    """What may be decided about the target of a pull request, on it."""

    SKIP = "skip"
    RETRY = "retry"
    TAKE = "take"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`/greylag skip because REASON`; of the others the reason may be left out."""

    verb: Verb
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """`/greylag help`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A line that begins with `/greylag` and is none of our commands."""

    text: str


Command = Answer | Override | Help | Unknown


def commands_of(body: str) -> tuple[Command, ...]:
    """The commands of a comment in Markdown, in their order; what is quoted, or code, is none."""
    text = body[:_MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    shown = _HIDDEN.sub("", "\n".join(_outside_of_fences(text)))
    one_line = _SPAN.sub(lambda code: "" if "\n" in code[0] else code[0], shown)
    found = [_command(line) for line in _own_lines(one_line)]
    return tuple(command for command in found if command is not None)[:_MOST_COMMANDS]


_VERBS = frozenset(verb.value for verb in Verb)


def _outside_of_fences(text: str) -> Iterator[str]:
    """Lines outside of code blocks, which are empty lines here."""
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
            continue
        if mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
            yield ""
            continue
        yield line


def _own_lines(text: str) -> Iterator[str]:
    """Lines outside of quotations; a line right behind a quotation still belongs to it."""
    quoted = several = False
    for line in text.split("\n"):
        if _QUOTES.fullmatch(line):
            several, quoted = not several, False
            continue
        if several:
            continue
        quoted = bool(_QUOTE.match(line)) or (quoted and bool(line.strip()))
        if not quoted:
            yield line


def _command(line: str) -> Command | None:
    found = _COMMAND.fullmatch(line)
    if found is None:
        return None
    words = (found[1] or "").split(None, 2)
    verb = words[0].casefold() if words else ""
    known: Command | None = None
    if verb == "answer" and len(words) == 3:
        value = _bare(words[2])
        known = Answer(key=words[1].strip("`"), value=value) if value else None
    elif verb == "help" and len(words) == 1:
        known = Help()
    elif verb in _VERBS:
        known = _override(Verb(verb), words[1:])
    return known or Unknown(text=line.strip())


def _override(verb: Verb, rest: list[str]) -> Override | None:
    """More words are only understood behind `because`: `retry tomorrow` does not mean `retry`."""
    if not rest:
        return Override(verb=verb)
    if rest[0].casefold().rstrip(":") != "because" or len(rest) == 1:
        return None
    return Override(verb=verb, because=" ".join(rest[1].split())[:_LONGEST])


def _bare(value: str) -> str:
    """Without the backticks around it, which only mark it as code."""
    value = value.strip()
    marks = re.match(r"`*", value)
    width = len(marks[0]) if marks else 0
    inner = value[width : len(value) - width]
    whole = width and value.endswith("`" * width) and len(value) > 2 * width and "`" not in inner
    return inner.strip() if whole else value
