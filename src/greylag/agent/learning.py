"""What leftovers have in common, which of them no agent gets, and which examples help. Pure.

An idiom says what kind of code a leftover is: its framework, why the codemods left it over, and the kinds of
tokens around what it reads. Names and literals do not count, so that the same habit in two repositories is
the same idiom. Who goes first within an idiom, the engine decides (`engine/pilots.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from greylag.domain.agent import Example, Leftover
from greylag.domain.check import Verdict
from greylag.domain.consumer import Framework
from greylag.domain.words import count

AROUND = 2
"""Lines before and after a read that belong to its shape."""
MAX_CHARS = 120_000
MAX_LINES = 2_500
MAX_READS = 24
MAX_LINE = 2_000
MAX_EXAMPLES = 3
EXAMPLE_CHARS = 12_000
"""What all examples of a brief may hold together, before and after."""

_HEAD = 8
_VENDORED = re.compile(
    r"(^|/)(vendor|vendored|third_party|node_modules|site-packages|dbt_packages)/|\.min\.\w+$"
)
_GENERATED = re.compile(r"@generated|\bdo not edit\b|\b(auto-?)?generated (by|from|file)\b", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*(#|--|//|/\*|\*|<!--|\{#)")
_NOT_FOR_AGENTS = {
    "writes-old": "it writes the old dataset; its owner decides when that ends",
    "producer": "it builds the old dataset; its owner decides when that ends",
    "binary": "it is not text",
    "not-utf-8": "it is not UTF-8",
    "lfs-pointer": "its content is not in the repository",
    "too-large": "it is too large to be read whole",
}

_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\n]*|--[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)|\{\#.*?(?:\#\}|\Z))
    | (?P<jinja>\{\{|\{%|\}\}|%\})
    | (?P<string>[fFrRbBsS]{0,2}(?:'{3}.*?(?:'{3}|\Z)|"{3}.*?(?:"{3}|\Z)
        |'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    | (?P<quoted>`[^`\n]*`)
    | (?P<join>\.join\s*\()
    | (?P<format>\.format\s*\()
    | (?P<call>[A-Za-z_]\w*\s*\()
    | (?P<word>[A-Za-z_]\w*)
    | (?P<number>\d+)
    | (?P<concat>\|\||\+)
    | (?P<list>\[)
    | (?P<item>^\s*-\s)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_WORDS = {
    "for": "loop", "while": "loop", "if": "branch", "case": "branch", "elif": "branch",
    "execute": "execute", "immediate": "execute", "declare": "variables", "set": "variables",
    "def": "function", "lambda": "function", "macro": "function",
    "select": "sql", "from": "sql", "join": "sql", "where": "sql", "with": "sql",
    "union": "union", "over": "window", "qualify": "window", "pivot": "pivot", "unnest": "unnest",
}  # fmt: skip
_SQL_IN_TEXT = re.compile(r"\b(SELECT|FROM|JOIN)\b", re.IGNORECASE)


def idiom_of(leftover: Leftover, text: str) -> str:
    """The idiom of a leftover in the text of its file, e.g. `python/dynamic-sql/call+f-string+list`."""
    framework = "text" if leftover.framework is None else leftover.framework.value
    codes = "+".join(sorted({reason.code for reason in leftover.reasons})) or "none"
    shape = "+".join(sorted(set(_kinds(_around(leftover, text))))) or "plain"
    return f"{framework}/{codes}/{shape}"


def outlier(leftover: Leftover, text: str) -> str | None:
    """Why no agent gets this leftover; None where one may try. People get it with this reason."""
    for reason in leftover.reasons:
        if reason.code in _NOT_FOR_AGENTS:
            return _NOT_FOR_AGENTS[reason.code]
    if _another_table(leftover):
        return "whether it names the old dataset, only a person can say: under `ref` of the migration file"
    if _VENDORED.search(leftover.path):
        return "it is a copy of code from elsewhere: it is changed where it comes from"
    lines = text.splitlines()
    if any(_COMMENT.match(line) and _GENERATED.search(line) for line in lines[:_HEAD]):
        return "its head says that it is generated: what generates it is to be changed"
    if any(len(line) > MAX_LINE for line in lines):
        return f"a line has more than {MAX_LINE:,} characters, as in minified code"
    if len(text) > MAX_CHARS or len(lines) > MAX_LINES:
        return f"it is too big for an agent: {count(len(lines), 'line')}, {len(text):,} characters"
    if len(leftover.reads) > MAX_READS:
        return f"it reads old datasets in {len(leftover.reads)} places; an agent gets at most {MAX_READS}"
    return None


def _another_table(leftover: Leftover) -> bool:
    """SQL that may name another table. The proof takes it for one, and would refuse every change of it."""
    codes = {reason.code for reason in leftover.reasons}
    return leftover.framework is Framework.SQL and codes == {"maybe-old"}


def examples_for(
    idioms: Iterable[str],
    examples: Iterable[Example],
    *,
    most: int = MAX_EXAMPLES,
    chars: int = EXAMPLE_CHARS,
) -> tuple[Example, ...]:
    """The changes that show best what is wanted for these idioms: the nearest first, proven before tested.

    An example of another framework, or one that nothing proved, never helps. At most `most` are taken, and
    none that would make all of them together longer than `chars`; no two with the same change.
    """
    wanted = tuple(sorted(set(idioms)))
    chosen: list[Example] = []
    room = chars
    for example in _ranked(wanted, examples):
        size = len(example.before) + len(example.after)
        same = any((one.before, one.after) == (example.before, example.after) for one in chosen)
        if len(chosen) < most and size <= room and not same:
            chosen.append(example)
            room -= size
    return tuple(chosen)


def _ranked(idioms: tuple[str, ...], examples: Iterable[Example]) -> list[Example]:
    near = [(distance, one) for one in examples if (distance := _nearest(idioms, one)) is not None]
    near.sort(
        key=lambda pair: (
            pair[0],
            pair[1].verdict is not Verdict.PROVEN,
            len(pair[1].before),
            pair[1].repository,
            pair[1].path,
            pair[1].before,
            pair[1].after,
        )
    )
    return [one for _, one in near]


def _nearest(idioms: tuple[str, ...], example: Example) -> float | None:
    if example.verdict not in (Verdict.PROVEN, Verdict.TESTED):
        return None
    return min(
        (distance for idiom in idioms if (distance := _distance(idiom, example.idiom)) is not None),
        default=None,
    )


def _distance(one: str, other: str) -> float | None:
    """0 for the same idiom, up to 2 for two that share the framework only; None for two frameworks."""
    (framework, codes, shape), (framework2, codes2, shape2) = _parts(one), _parts(other)
    return None if framework != framework2 else _unlike(codes, codes2) + _unlike(shape, shape2)


def _parts(idiom: str) -> tuple[str, frozenset[str], frozenset[str]]:
    framework, codes, shape = (*idiom.split("/"), "", "")[:3]
    return framework, frozenset(codes.split("+")), frozenset(shape.split("+"))


def _unlike(one: frozenset[str], other: frozenset[str]) -> float:
    return 1 - len(one & other) / len(one | other)


def _around(leftover: Leftover, text: str) -> str:
    """The lines around what is read; where that is not known, around the reasons; else the file's head."""
    lines = text.splitlines()
    spots = {read.line for read in leftover.reads if read.line} or {
        reason.line for reason in leftover.reasons if reason.line
    }
    if not spots:
        return "\n".join(lines[: 10 * AROUND])
    wanted = sorted({near for spot in spots for near in range(spot - AROUND, spot + AROUND + 1)})
    return "\n".join(lines[number - 1] for number in wanted if 0 < number <= len(lines))


def _kinds(code: str) -> Iterator[str]:
    """The kinds of tokens; what a plain name or number is like says nothing."""
    for found in _TOKEN.finditer(code):
        kind, text = str(found.lastgroup), found.group()
        match kind:
            case "string":
                yield from _kinds_of_text(text)
            case "word":
                if text.lower() in _WORDS:
                    yield _WORDS[text.lower()]
            case "call":
                name = text.rstrip("( \t\n").lower()
                yield _WORDS.get(name, "call")
            case "jinja" | "join" | "format" | "concat" | "list" | "item":
                yield kind
            case _:
                continue


def _kinds_of_text(text: str) -> Iterator[str]:
    prefix = text[: len(text) - len(text.lstrip("fFrRbBsS"))].lower()
    if "f" in prefix and "{" in text:
        yield "f-string"
    elif "${" in text or ("s" in prefix and "$" in text):
        yield "interpolated"
    elif re.search(r"\{\w*\}", text):
        yield "format"
    elif re.search(r"%(\(\w+\))?s", text):
        yield "percent"
    if _SQL_IN_TEXT.search(text):
        yield "sql-text"
