"""The house rules of a repository: what its own papers and settings say of how code looks there.

They are read for layout, naming and tests, quoted as data, and kept short: a brief is no handbook.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_PAPERS = {
    "agents.md", "claude.md", "contributing.md", "contributing.rst", "contributing.txt", "contributing",
    "copilot-instructions.md", ".cursorrules", "styleguide.md", "style.md", "style_guide.md",
    "conventions.md",
}  # fmt: skip
_PLACES = ("", ".github", "docs", ".claude")
_SETTINGS = {
    ".editorconfig", ".sqlfluff", ".scalafmt.conf", ".flake8", "ruff.toml", ".ruff.toml", ".prettierrc",
    ".sqlfmt", ".sqlfluff.cfg",
}  # fmt: skip
_TOOLS = ("ruff", "black", "isort", "flake8", "pylint", "sqlfluff", "sqlfmt", "mypy", "yapf")
_STYLE = re.compile(
    r"\b(styl|format|lint|convention|nam(e|ing)|quot|indent|casing|upper.?case|lower.?case|sql|quer|column|alias"
    r"|dbt|model|test|fixture|comment|docstring|type hint|import|line length)",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^(#{1,6} |[=\-~^]{3,}\s*$)")
_PAPER_CHARACTERS = 900
_SETTING_CHARACTERS = 400
_ALL_CHARACTERS = 1_800
_LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRule:
    """A piece of one file, as it stands there; `cut` says that there is more of it."""

    path: str
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """What a repository says of its own code. The texts are its own: data, never instructions."""

    rules: tuple[HouseRule, ...] = ()


def house_rules(files: Mapping[str, str], paths: Collection[str] = ()) -> HouseRules:
    """The house rules among the files of a repository (path to text).

    Papers and settings count at the root, in `.github` and `docs`, and in every folder above one of `paths`:
    the nearest first, as they bind most. At most some 1,800 characters, the same for the same files.
    """
    found: list[HouseRule] = []
    room = _ALL_CHARACTERS
    for path in sorted((one for one in files if _counts(one, paths)), key=lambda one: _order(one, paths)):
        if len(files[path]) > _LARGEST:
            continue
        rule = _rule(path, files[path], room)
        if rule is not None:
            found.append(rule)
            room -= len(rule.text)
        if room < 100:
            break
    return HouseRules(rules=tuple(found))


def _order(path: str, paths: Collection[str]) -> tuple[int, bool, str]:
    folder = str(PurePosixPath(path).parent)
    near = any(one.startswith(f"{folder}/") for one in paths) if folder != "." else False
    # Deepest folder above a path first, then settings (short and exact), then papers.
    return (-path.count("/") if near else 1, PurePosixPath(path).name.lower() in _PAPERS, path)


def _counts(path: str, paths: Collection[str]) -> bool:
    name = PurePosixPath(path).name.lower()
    if name not in _PAPERS | _SETTINGS | {"pyproject.toml", "setup.cfg", "tox.ini"}:
        return False
    folder = str(PurePosixPath(path).parent)
    return folder in (".", *_PLACES) or any(one.startswith(f"{folder}/") for one in paths)


def _rule(path: str, text: str, room: int) -> HouseRule | None:
    name = PurePosixPath(path).name.lower()
    if name == "pyproject.toml":
        lines, most = list(_pyproject(text)), _SETTING_CHARACTERS
    elif name in {"setup.cfg", "tox.ini"}:
        lines, most = list(_sections(text)), _SETTING_CHARACTERS
    elif name in _SETTINGS:
        lines, most = list(_settings(text)), _SETTING_CHARACTERS
    else:
        lines, most = list(_paper(text)), _PAPER_CHARACTERS
    kept: list[str] = []
    size = 0
    for line in lines:
        short = line[:200]
        if size + len(short) + 1 > min(most, room):
            break
        kept.append(short)
        size += len(short) + 1
    if not kept:
        return None
    return HouseRule(path=path, text="\n".join(kept), cut=len(kept) < len(lines))


def _settings(text: str) -> Iterator[str]:
    """Settings without comments and empty lines."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(("#", ";", "//")):
            yield line.rstrip()


def _sections(text: str) -> Iterator[str]:
    """The sections of an ini file that are a linter's or a formatter's."""
    wanted = False
    for line in _settings(text):
        if line.startswith("["):
            wanted = any(tool in line for tool in _TOOLS)
        if wanted:
            yield line


def _pyproject(text: str) -> Iterator[str]:
    """The settings of linters and formatters, a line each: `tool.ruff.line-length = 100`."""
    try:
        tools = tomllib.loads(text).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    for tool in _TOOLS:
        yield from _leaves(f"tool.{tool}", tools.get(tool) if isinstance(tools, dict) else None)


def _leaves(key: str, value: object, depth: int = 0) -> Iterator[str]:
    match value:
        case None:
            return
        case dict() if depth < 3:
            for name, inner in value.items():
                yield from _leaves(f"{key}.{name}", inner, depth + 1)
        case _:
            yield f"{key} = {value!r}"


def _paper(text: str) -> Iterator[str]:
    """The lines of a paper that speak of how code is written, each after the heading that it stands under."""
    heading, told = "", True
    for line in text.splitlines():
        if _HEADING.match(line):
            heading, told = line.rstrip() if line.startswith("#") else "", False
            continue
        if line.strip() and (_STYLE.search(line) or _STYLE.search(heading)):
            if heading and not told:
                yield heading
                told = True
            yield line.rstrip()
