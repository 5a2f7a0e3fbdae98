"""Programs that nobody would write: the golden files, cut up and spoilt, and soups of their words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

GOLDEN = Path(__file__).parents[1] / "golden"
SUFFIXES = {".sql", ".py", ".ipynb", ".scala", ".java"} | {
    *(".yaml", ".json", ".toml", ".tf", ".lkml", ".conf", ".properties", ".tds"),
}
_SKIPPED = {"data.sql", "migration.yaml"}
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
SPOILS = (
    *(
        "'",
        '"',
        "`",
        "'''",
        '"""',
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "$",
        "%s",
    ),
    *("\0", "\x1b", "\r\n", "\r", "\n", "\ufeff", "\ud800", "\u2028", "\x0c", "é", "名前", "\U0001f600"),
    *("--", "/*", "*/", "//", "#", ";", ",", ".", "::", "->", "\\", "|", "@", ":", "- ", "  ", "\t"),
    *(
        "SELECT ",
        " FROM ",
        " AS ",
        " JOIN ",
        " UNION ALL ",
        " WHERE ",
        " WITH x AS (",
        "CASE ",
        " END",
        "NULL",
    ),
    *("prod.core.users_v1", "users_v1", "user_id", "plan", "*", "spark.sql(", "f'", 's"', "${", "DECLARE x;"),
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A golden file: its path in a repository, its text, and the migration that it belongs to."""

    path: str
    text: str
    migration: Path


@cache
def seeds() -> tuple[Seed, ...]:
    """Every program of the golden folders, in order."""
    found = []
    for path in sorted(GOLDEN.rglob("*")):
        if not path.is_file() or path.suffix not in SUFFIXES or path.name in _SKIPPED:
            continue
        near = (folder / "migration.yaml" for folder in path.parents)
        migration = next((one for one in near if one.exists()), None)
        if migration is not None:
            name = f"models/{path.stem}{path.suffix}"
            found.append(Seed(name, path.read_bytes().decode("utf-8", "replace"), migration))
    return tuple(found)


@st.composite
def spoilt(draw: Callable[..., object]) -> Seed:
    """A golden file with a few changes that make it stranger."""
    seed = draw(st.sampled_from(seeds()))
    assert isinstance(seed, Seed)
    text = seed.text
    for _ in range(int(str(draw(st.integers(1, 4))))):
        text = _spoil(draw, text)
    return Seed(seed.path, text, seed.migration)


def _spoil(draw: Callable[..., object], text: str) -> str:
    low = int(str(draw(st.integers(0, len(text)))))
    high = min(len(text), low + int(str(draw(st.integers(0, 60)))))
    spoil = str(draw(st.sampled_from(SPOILS)))
    match draw(st.integers(0, 8)):
        case 0:
            return text[:low] + text[high:]
        case 1:
            return text[:high] + text[low:high] + text[high:]
        case 2:
            other = draw(st.sampled_from(seeds()))
            assert isinstance(other, Seed)
            return text[:low] + other.text[low:high] + text[low:]
        case 3:
            swap = str.maketrans("'\"`([{", "\"`'{([")
            return text[:low] + text[low:high].translate(swap) + text[high:]
        case 4:
            return text.replace("\n", "\r\n")
        case 5:
            return text[:low] + spoil * 40 + text[low:]
        case 6:
            words = _WORD.findall(text[low:high])
            return text[:low] + "".join(reversed(words)) + text[high:]
        case _:
            return text[:low] + spoil + text[low:]


@st.composite
def soups(draw: Callable[..., object]) -> Seed:
    """Words of a golden file and spoils, in no order."""
    seed = draw(st.sampled_from(seeds()))
    assert isinstance(seed, Seed)
    words = [*dict.fromkeys(_WORD.findall(seed.text)), *SPOILS, "prod.core.users_v1 ", " "]
    picked = draw(st.lists(st.sampled_from(words), max_size=60))
    assert isinstance(picked, list)
    return Seed(seed.path, "".join(map(str, picked)), seed.migration)
