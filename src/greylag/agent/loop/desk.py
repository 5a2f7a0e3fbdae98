"""What the host does for a running agent, and what it saw: the same for every runner."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from greylag.agent.base import Checker, Note
from greylag.agent.loop.decide import accepts as accepts_by_default
from greylag.agent.loop.trim import tell_failures
from greylag.domain.agent import Changes
from greylag.domain.check import Check, CheckStatus
from greylag.domain.outcome import Reason
from greylag.domain.quoting import visible

Accepts = Callable[[tuple[Check, ...]], bool]
"""Whether these checks allow a patch."""

_TOO_LONG = 4000
_QUESTIONS = 5


class Collected(Protocol):
    """What differs in the agent's folder, and what of it is refused; see `greylag.workspace.collect`."""

    @property
    def changes(self) -> Changes:
        """Path to new bytes, None for a deleted file."""
        ...

    @property
    def refused(self) -> tuple[Reason, ...]:
        """Changes that no patch may hold: links, modes, special files, too much."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The folder as the host saw it. `checks` are empty when nothing changed.

    Where something is refused nothing else is checked: `checks` are the refusals.
    """

    changes: Changes
    checks: tuple[Check, ...]


class Desk:
    """A `Host` for one attempt: runs the checks, takes questions, hears that the agent gives up.

    Give it to the proxy's grant and as `Job.host`; `run_attempt` then reads from it what was asked. `answer`
    knows the answers that are there already; `key` names a question, the same for the same words. What was
    checked last is remembered, so that nothing is checked twice; `verifies` bounds what an agent may ask for.
    Its methods may be called from several threads.
    """

    def __init__(
        self,
        *,
        collect: Callable[[], Collected],
        check: Checker,
        accepts: Accepts = accepts_by_default,
        answer: Callable[[str, Sequence[str]], str | None] | None = None,
        key: Callable[[str], str] = str,
        note: Note | None = None,
        verifies: int = 20,
    ) -> None:
        self._collect, self._check, self._accepts = collect, check, accepts
        self._answer, self._key, self._note = answer, key, note
        self._left = verifies
        self._lock = threading.RLock()
        self._last: tuple[str, tuple[Check, ...]] | None = None
        self._asked: dict[str, str] = {}
        self._options: dict[str, tuple[str, ...]] = {}
        self._gave_up: str | None = None

    @property
    def asked(self) -> Mapping[str, str]:
        """Questions that wait for a person: key to text."""
        with self._lock:
            return dict(self._asked)

    @property
    def options(self) -> Mapping[str, tuple[str, ...]]:
        """The answers that they offer, by key."""
        with self._lock:
            return dict(self._options)

    @property
    def gave_up(self) -> str | None:
        """Why the agent gave up, None if it did not."""
        return self._gave_up

    @property
    def over(self) -> bool:
        """Whether the attempt ends with this turn, whatever else the agent does: it asked, or gave up."""
        with self._lock:
            return bool(self._asked) or self._gave_up is not None

    def look(self) -> Seen:
        """Collect what changed and check it, unless the same was checked last."""
        with self._lock:
            collected = self._collect()
            if collected.refused:
                return Seen(changes=collected.changes, checks=tuple(map(_refusal, collected.refused)))
            if not collected.changes:
                return Seen(changes={}, checks=())
            digest = changes_hash(collected.changes)
            if self._last is None or self._last[0] != digest:
                self._last = (digest, self._check(collected.changes))
            return Seen(changes=collected.changes, checks=self._last[1])

    def verify(self) -> str:
        """Run the verifiers on the folder as it stands; what failed, in few words."""
        with self._lock:
            if self._left <= 0:
                return (
                    "You have verified often enough. Finish the work and end your turn: it is verified then."
                )
            self._left -= 1
        seen = self.look()
        if not seen.checks:
            return "Nothing has changed yet, so there is nothing to verify."
        if self._accepts(seen.checks):
            return "Accepted as it stands. End your turn."
        return f"Not accepted as it stands:\n{tell_failures(seen.checks)}"

    def ask(self, question: str, options: Sequence[str] = ()) -> str:
        """The answer if it is known, else that the attempt waits for a person."""
        text = _line(question)
        if not text:
            return "A question needs words."
        choices = tuple(str(option) for option in options)
        with self._lock:
            if self._key(text) not in self._asked and len(self._asked) >= _QUESTIONS:
                return "You have asked enough. Your work ends here until there are answers."
        self._write("question", key=self._key(text), text=text, options=choices)
        known = self._answer(text, choices) if self._answer else None
        if known is not None:
            self._write("answer", key=self._key(text), text=known)
            return known
        with self._lock:
            self._asked[self._key(text)] = text
            self._options[self._key(text)] = choices
        return "A person is asked. Your work ends here until there is an answer: end your turn now."

    def give_up(self, reason: str) -> str:
        """Note that the agent cannot do it."""
        with self._lock:
            if self._gave_up is None:
                self._gave_up = _line(reason) or "no reason given"
        return "Noted. End your turn now."

    def _write(self, kind: str, **data: object) -> None:
        if self._note:
            self._note(kind, **data)


def _line(text: str) -> str:
    """Words of an agent in one line that drives no terminal."""
    return visible(" ".join(text[: 2 * _TOO_LONG].split()), keep="")[:_TOO_LONG]


def _refusal(reason: Reason) -> Check:
    return Check(
        verifier="changes",
        status=CheckStatus.FAILED,
        summary=f"{reason.message} ({reason.code}). Take this change back.",
    )


def changes_hash(changes: Changes) -> str:
    """What tells changes apart: paths and bytes, whatever their order."""
    digest = hashlib.sha256()
    for path, content in sorted(changes.items()):
        for part in (
            path.encode("utf-8", "surrogateescape"),
            b"deleted" if content is None else b"=" + content,
        ):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
