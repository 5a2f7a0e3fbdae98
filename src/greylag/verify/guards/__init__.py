"""Scope guards: deterministic checks of what a patch touches, whoever wrote it.

Each guard is a pure function of a `Subject` that yields findings; `scope` runs them all, each its own check.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from greylag.domain.agent import Changes
from greylag.domain.check import Check, CheckStatus
from greylag.verify.guards.calls import reach
from greylag.verify.guards.content import residue, secrets, unseen
from greylag.verify.guards.faithful import faithful
from greylag.verify.guards.filters import filters, structure
from greylag.verify.guards.naming import names
from greylag.verify.guards.order import order, signs
from greylag.verify.guards.paths import caps, deletions, kinds, paths, protected, spans
from greylag.verify.guards.scope import Scope, Span, scope_of
from greylag.verify.guards.shape import churn, kept_comments, silencers
from greylag.verify.guards.subject import Guard, Subject, check_of, subject_of
from greylag.verify.guards.weak_others import weak_others
from greylag.verify.guards.weak_python import weak_python
from greylag.verify.guards.weak_yaml import weak_yaml

_PLACES: dict[str, tuple[Guard, str]] = {
    "paths": (paths, "only files that the consumers name changed"),
    "spans": (spans, "only lines that the consumers name changed"),
    "caps": (caps, "the patch is small enough to review"),
    "deletions": (deletions, "no file was deleted or emptied"),
    "protected": (protected, "no CI, agent configuration, lock file or the like changed"),
    "kinds": (kinds, "text files stayed text, with their line ends"),
}
_CONTENT: dict[str, tuple[Guard, str]] = {
    "secrets": (secrets, "no secret was added"),
    "unseen": (unseen, "no character that is not seen was added"),
    "residue": (residue, "nothing of a prompt or an edit tool was left behind"),
    "churn": (churn, "no lines changed in layout alone"),
    "comments": (kept_comments, "no comment was deleted"),
    "silencers": (silencers, "no linter or type checker was silenced"),
    "names": (names, "every name that came or went is the mapping's"),
    "filters": (filters, "every condition of the old version is there"),
    "structure": (structure, "no other operation on rows came or went"),
    "faithful": (faithful, "what is read is what the mapping says, as far as words tell"),
    "order": (order, "what stays stands in the order of before"),
    "signs": (signs, "no sign between values changed"),
    "reach": (reach, "nothing new reaches the network, processes or files"),
    "python-tests": (weak_python, "no Python test was weakened"),
    "yaml-tests": (weak_yaml, "no test in YAML was weakened"),
    "other-tests": (weak_others, "no other test was weakened"),
}
GUARDS: Mapping[str, tuple[Guard, str]] = MappingProxyType({**_PLACES, **_CONTENT})
"""Every guard by name, with what its passing says."""


def scope(changes: Changes, before: Mapping[str, bytes], scope: Scope) -> tuple[Check, ...]:
    """One check a guard, in the order of `GUARDS`; the verifier's name is `guard:<name>`.

    `before` holds the files as the agent found them, at least those that changed. Where a guard of places
    fails, what stands in the files is not looked at: those checks are inconclusive.
    """
    subject = subject_of(changes, before, scope)
    first = tuple(_run(name, subject) for name in _PLACES)
    if any(check.status is CheckStatus.FAILED and check.verifier in _STOPS for check in first):
        return (*first, *(_not_looked_at(name) for name in _CONTENT))
    return (*first, *(_run(name, subject) for name in _CONTENT))


# Content of a size or kind that nobody wants parsed.
_STOPS = frozenset({"guard:caps", "guard:kinds"})


def _run(name: str, subject: Subject) -> Check:
    guard, question = GUARDS[name]
    try:
        return check_of(name, question, guard(subject))
    except RecursionError:
        summary = "nested too deeply to be looked at"
        return Check(verifier=f"guard:{name}", status=CheckStatus.ERRORED, summary=summary)


def _not_looked_at(name: str) -> Check:
    summary = "not looked at: the patch is too large, or no text"
    return Check(verifier=f"guard:{name}", status=CheckStatus.INCONCLUSIVE, summary=summary)


__all__ = ["GUARDS", "Scope", "Span", "Subject", "scope", "scope_of"]
