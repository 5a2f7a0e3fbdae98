"""What an agent changed, judged by the host: guards, what is still read, the proof, the project's own tests.

Nothing here asks the agent, and nothing of what it says counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from greylag.domain.agent import Changes, Leftover
from greylag.domain.check import Check, CheckStatus, Proof, Verdict
from greylag.domain.errors import GreylagError
from greylag.domain.migration import MergePolicy
from greylag.domain.outcome import Reason, Unchanged
from greylag.engine.finding import look
from greylag.engine.presence import present, unescaped
from greylag.engine.rewriting import prove_texts
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import candidate_names
from greylag.verify.follows import follows
from greylag.verify.gate import check_of, gate
from greylag.workspace import OverlaidFiles, decode_text

EQUIVALENCE = "equivalence"
OLD_READS = "old-dataset-unread"
FINISHED = "everything-done"

More = Callable[[Changes], tuple[Check, ...]]
"""Checks of a patch by another floor."""


class CalledOff(GreylagError):
    """Nobody wants the answer any more; nothing is known of what was checked."""


@dataclass(slots=True, kw_only=True)
class Verification:
    """Judges one agent's changes; see `greylag.agent.base.Checker`.

    `original` are the files of the base commit, `before` those that the agent was given (with the codemods'
    edits in them). `guards` run first, and what they refuse is looked at no further; `others` (the
    repository's own verifiers) and then `judge` only see what passed so far. `over` says that nobody wants
    the answer any more: what takes long is not begun then. `proofs` and `checks` are those of the last call.
    """

    migration: CompiledMigration
    original: Mapping[str, str]
    before: Mapping[str, str]
    leftovers: tuple[Leftover, ...]
    guards: More
    others: More = lambda changes: ()
    judge: More = lambda changes: ()
    level: Literal["fast", "full"] = "full"
    over: Callable[[], bool] = lambda: False
    proofs: dict[str, Proof] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    def only(self, paths: Collection[str], *, quick: bool = False) -> Verification:
        """The same for a part of the leftovers; `quick` asks neither the repository's tools nor the judge."""
        part = replace(
            self, leftovers=tuple(left for left in self.leftovers if left.path in paths), proofs={}, checks=()
        )
        return replace(part, others=_nothing, judge=_nothing) if quick else part

    def __call__(self, changes: Changes) -> tuple[Check, ...]:
        """All checks, as far as the first refusal. Raises CalledOff."""
        self.checks = self._judged(changes)
        return self.checks

    def _judged(self, changes: Changes) -> tuple[Check, ...]:
        # What was shown of another round's text says nothing of this one's.
        self.proofs.clear()
        self._go_on()
        checks = list(self.guards(changes))
        if refused(checks):
            return tuple(checks)
        texts: dict[str, str] = {}
        for path, data in sorted(changes.items()):
            text = decode_text(data) if data is not None else Reason(code="deleted", message="it was deleted")
            if isinstance(text, Reason):
                summary = f"{path}: {text.message}"
                checks.append(Check(verifier=OLD_READS, status=CheckStatus.FAILED, summary=summary))
            else:
                texts[path] = text
        checks += self._finished(texts)
        files = OverlaidFiles(self.before, texts)
        given = {left.path for left in self.leftovers}
        # A companion (a list of sources) may go on naming what other files still read.
        checks += [self._unread(path, texts[path], files) for path in texts if path in given]
        checks += [self._equal(path, texts[path], files) for path in texts]
        if not refused(checks):
            checks.append(self._followed(changes))
            if not texts.keys() <= self._shown:
                checks += present(self.migration, self.original, texts)
        for more in (self.others, self.judge):
            if refused(checks):
                break
            self._go_on()
            checks += more(changes)
        return tuple(checks)

    def _go_on(self) -> None:
        if self.over():
            raise CalledOff("the checks were called off")

    def _finished(self, texts: Mapping[str, str]) -> list[Check]:
        """Was every file that was left over changed?"""
        return [
            Check(
                verifier=FINISHED,
                status=CheckStatus.FAILED,
                summary=f"{left.path}: it was left over by the codemods and is not changed yet",
            )
            for left in self.leftovers
            if left.path not in texts
        ]

    def _unread(self, path: str, text: str, files: Mapping[str, str]) -> Check:
        """Does the new text still read an old dataset, or may it?"""
        outcome = look(path, text, self.migration, files)
        if isinstance(outcome, Unchanged) and not self._escaped(text):
            summary = f"{path}: reads no old dataset"
            return Check(verifier=OLD_READS, status=CheckStatus.PASSED, summary=summary)
        lowered = unescaped(text).lower()
        named = sorted(name for name in candidate_names(self.migration) if name in lowered)
        if not named:
            summary = f"{path}: names no old dataset, but holds queries that cannot be read"
            return Check(verifier=OLD_READS, status=CheckStatus.INCONCLUSIVE, summary=summary)
        line = next(
            number for number, one in enumerate(lowered.splitlines(), start=1) if any(n in one for n in named)
        )
        summary = f"{path}:{line}: it still reads, or may read, an old dataset ({', '.join(named)})"
        return Check(verifier=OLD_READS, status=CheckStatus.FAILED, summary=summary)

    @property
    def _shown(self) -> set[str]:
        """Files whose new text was shown to be right."""
        return {
            path for path, proof in self.proofs.items() if proof.verdict in (Verdict.PROVEN, Verdict.TESTED)
        }

    def _escaped(self, text: str) -> bool:
        """Does it name an old dataset by escapes that no reader of names resolves?"""
        plain = unescaped(text)
        return plain != text and any(name in plain.lower() for name in candidate_names(self.migration))

    def _followed(self, changes: Changes) -> Check:
        """Does what no proof decided say what the mapping says?"""
        before = {path: self.original[path].encode() for path in changes if path in self.original}
        return follows(self.migration, self.leftovers, before, changes, decided=self._shown)

    def _equal(self, path: str, text: str, files: Mapping[str, str]) -> Check:
        """Old and new text under the mapping; a verifier that could not run has not passed."""
        if path not in self.original or text == self.original[path]:
            what = "a new file" if path not in self.original else "as it was before the codemods"
            summary = f"{path}: {what}, there is nothing to compare it with"
            return Check(verifier=EQUIVALENCE, status=CheckStatus.INCONCLUSIVE, summary=summary)
        try:
            proof = prove_texts(
                self.original[path], text, self.migration, path=path, files=files, level=self.level
            )
        except Exception as error:  # noqa: BLE001 - errored is inconclusive, never passed
            reason = f"the verifier failed: {type(error).__name__}: {error}"[:300]
            proof = Proof(verdict=Verdict.INCONCLUSIVE, method="none", reasons=(reason,))
        self.proofs[path] = proof
        check = check_of(proof, verifier=EQUIVALENCE)
        details = {**check.details, "path": path, "counterexample": proof.counterexample}
        return Check(
            verifier=EQUIVALENCE, status=check.status, summary=f"{path}: {check.summary}", details=details
        )


def _nothing(_changes: Changes) -> tuple[Check, ...]:
    return ()


def refused(checks: list[Check]) -> bool:
    """Did one of them fail?"""
    return any(check.status is CheckStatus.FAILED for check in checks)


def acceptable(checks: tuple[Check, ...]) -> bool:
    """May such a patch be proposed to a person? Nothing failed, and the guards all passed.

    What was not shown (inconclusive, errored) never merges by itself: its verdict says so.
    """
    if not checks or any(check.status is CheckStatus.FAILED for check in checks):
        return False
    guards = [check for check in checks if check.verifier.startswith("guard:")]
    return bool(guards) and all(check.status is not CheckStatus.ERRORED for check in guards)


def verdict_of(checks: tuple[Check, ...]) -> Verdict:
    """What is known of a patch with these checks: the weakest of them."""
    return gate(checks, MergePolicy.VERIFIED).verdict
