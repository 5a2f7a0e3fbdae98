"""Does a patch follow the mapping where no proof could decide? Read from words, after the proof.

For SQL put together at run time, lists of columns in settings, data frames. What it finds is a fault with its
place; that it finds nothing shows little. The guards say the rest (`guards/faithful.py`): these rules are
stricter, and would be wrong about some patches that a proof has shown right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from greylag.domain.agent import Changes, Leftover
from greylag.domain.check import Check, CheckStatus
from greylag.domain.words import count
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.follows.facts import Facts, facts_of
from greylag.verify.follows.outputs import bare, kept
from greylag.verify.follows.recoded import recodings
from greylag.verify.follows.rules import conditions, joins, makings, negations, orders, spoken
from greylag.verify.follows.wording import Patched, patched

NAME = "mapping-followed"

_RULES = (recodings, negations, bare, kept, conditions, makings, joins)


def follows(
    migration: CompiledMigration,
    leftovers: Iterable[Leftover],
    before: Mapping[str, bytes],
    changes: Changes,
    *,
    decided: Collection[str] = (),
) -> Check:
    """One check over the changed files. `decided` are paths that a proof has shown right: they are not read.

    failed: each finding is `path:line: …` in `details["findings"]`. passed: nothing was found. inconclusive:
    there was nothing to read.
    """
    texts = list(patched(before, changes))
    if not texts:
        return Check(verifier=NAME, status=CheckStatus.INCONCLUSIVE, summary="no file to read")
    files = [one for one in texts if one.path not in decided]
    if not files:
        return Check(verifier=NAME, status=CheckStatus.PASSED, summary="a proof has decided every file")
    known = facts_of(migration, leftovers)
    found = list(dict.fromkeys(_found(files, known)))
    if not found:
        summary = "no value, condition or name was found that the mapping does not explain"
        return Check(verifier=NAME, status=CheckStatus.PASSED, summary=summary)
    rest = f" (and {count(len(found) - 1, 'other place')})" if len(found) > 1 else ""
    details = {"findings": found[:12], "found": len(found)}
    return Check(verifier=NAME, status=CheckStatus.FAILED, summary=f"{found[0]}{rest}", details=details)


def _found(files: list[Patched], known: tuple[Facts, ...]) -> Iterable[str]:
    for file in files:
        yield from spoken(file)
        yield from orders(file)
        for facts in known:
            for rule in _RULES:
                yield from rule(file, facts)


__all__ = ["NAME", "follows"]
