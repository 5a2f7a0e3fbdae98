"""What every attack says of itself, and `docs/attacks.md`, which is made of it.

`python -m tests.attacks.table` writes the page anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"

_HEAD = """\
# Attacks that are tried

Each of these is tried by the tests in `tests/attacks`, with the real loop, proxy, cage and checks. The model
is scripted: it stands for one that an attacker has taken over, or that obeys a hostile repository. None
may succeed: the tests look for what its success would leave on the host. In the last column stands what stops
it, and, in brackets, under which name it is reported: in the attempt's transcript, its checks or its end.

This page is made from the tests' tables by `python -m tests.attacks.table`; a test compares.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One attack. `seen`: how its success would be seen on the host. `stopped`: what stops it, and the name
    under which it is reported.
    """

    name: str
    seen: str
    stopped: str


def groups() -> tuple[tuple[str, tuple[Named, ...]], ...]:
    """All attacks, by the way that they take."""
    from tests.attacks.code_cases import CODE
    from tests.attacks.own_cases import OWN
    from tests.attacks.patch_cases import PATCHES
    from tests.attacks.program_cases import AGENTS, WORKERS
    from tests.attacks.reach_cases import ATTACKS
    from tests.attacks.reply_cases import REPLIES
    from tests.attacks.shell_cases import ALONE, SHELL
    from tests.attacks.test_left_behind import TRAPS
    from tests.attacks.word_cases import WORDS

    cage = "the cage"
    reach = [Named(name=one.name, seen="the program says what it reached", stopped=cage) for one in ATTACKS]
    traps = [
        Named(
            name=f"leaves behind: {one.name}",
            seen="it is among the changes that the host collects",
            stopped=f"the collecting of changes (`{one.code}`)",
        )
        for one in TRAPS
    ]
    return (
        ("Through the tools of our own loop", tuple(one.named for one in OWN)),
        ("Through a shell in the cage, by an agent of others", tuple(one.named for one in (*SHELL, *ALONE))),
        ("Through the worker's lines to the host", tuple(one.named for one in WORKERS)),
        ("Through messages of the Agent Client Protocol", tuple(one.named for one in AGENTS)),
        ("Through the model's replies", tuple(one.named for one in REPLIES)),
        ("Through the patch", tuple(one.named for one in PATCHES)),
        ("Through code that the repository's own tests run", tuple(one.named for one in CODE)),
        ("Through words: questions, reasons, file names, pull requests", tuple(one.named for one in WORDS)),
        ("From a program in the cage", tuple(reach)),
        ("By what is left in the folder", tuple(traps)),
    )


def page() -> str:
    """The page's text."""
    found = groups()
    total = sum(len(attacks) for _, attacks in found)
    parts = [_HEAD, f"{total} attacks in {len(found)} groups.\n"]
    for title, attacks in found:
        parts.append(f"## {title}\n")
        parts.append("\n".join(_rows(attacks)) + "\n")
    return "\n".join(parts)


def _rows(attacks: Iterable[Named]) -> Iterable[str]:
    yield "| it tries | success would show as | stopped by |"
    yield "| --- | --- | --- |"
    for one in attacks:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in (one.name, one.seen, one.stopped)) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
