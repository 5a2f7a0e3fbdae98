"""Agents for tests of the verify loop: what they do to the folder, and how each turn ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from greylag.agent.base import Access, Job, Session, Turn, TurnEnd
from greylag.agent.loop import Desk
from greylag.domain.agent import AttemptKey, Changes
from greylag.domain.check import Check, CheckStatus
from greylag.domain.outcome import Reason
from greylag.workspace.cage import Cage

KEY = AttemptKey(migration="users-v2", repository="team/reports")
ENDED = Turn(end=TurnEnd.ENDED, text="Done.")

Act = Callable[[Job, str], Turn]
"""One turn: sees the job and the words, may write into the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was collected."""

    changes: Changes
    refused: tuple[Reason, ...] = ()


def collector(folder: Path, before: dict[str, bytes]) -> Callable[[], Found]:
    """Differences of a folder of plain files; the real one is `greylag.workspace.collect`."""

    def collect() -> Found:
        now = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".git" not in path.parts
        }
        names = now.keys() | before.keys()
        return Found(changes={name: now.get(name) for name in names if now.get(name) != before.get(name)})

    return collect


@dataclass
class Acting:
    """A session and its runner: plays `acts` one a prompt, the last one for ever."""

    acts: Sequence[Act]
    name: str = "acting"
    heard: list[str] = field(default_factory=list)
    ended: int = 0

    def version(self) -> str:
        return "acting 1"

    @contextmanager
    def session(self, job: Job) -> Iterator[Session]:
        owner = self

        class Playing:
            def prompt(self, text: str) -> Turn:
                owner.heard.append(text)
                return owner.acts[min(len(owner.heard), len(owner.acts)) - 1](job, text)

        try:
            yield Playing()
        finally:
            self.ended += 1


def writes(path: str, text: str, turn: Turn = ENDED) -> Act:
    """A turn that writes a file."""

    def act(job: Job, _: str) -> Turn:
        (job.folder / path).write_text(text)
        return turn

    return act


def says(end: TurnEnd, text: str = "Done.") -> Act:
    """A turn that writes nothing."""
    return lambda job, words: Turn(end=end, text=text)


def contains(path: str, wanted: str) -> Callable[[Changes], tuple[Check, ...]]:
    """A checker: the file as changed holds these words, and nothing else changed."""

    def check(changes: Changes) -> tuple[Check, ...]:
        content = changes.get(path)
        good = content is not None and wanted.encode() in content
        only = set(changes) == {path}
        return (
            _check("guard", only, "" if only else f"{', '.join(sorted(changes))}: only {path} may change"),
            _check("proof", good, "the same" if good else f"{path}:1: {wanted} is expected"),
        )

    return check


def _check(name: str, good: bool, words: str) -> Check:
    return Check(
        verifier=name, status=CheckStatus.PASSED if good else CheckStatus.FAILED, summary=words or "fine"
    )


def job(folder: Path, host: Desk) -> Job:
    """A job whose cage and proxy nobody uses."""
    access = Access(
        socket=folder / "no.sock", base_url="http://127.0.0.1", token="t", model="m", api="anthropic"
    )
    return Job(
        attempt=KEY,
        folder=folder,
        system="",
        access=access,
        host=host,
        note=lambda kind, **data: None,
        cage=cast(Cage, None),
    )
