"""Proofs of programs in other languages than SQL: every query that they hold, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from greylag.domain.check import Proof, Verdict
from greylag.domain.outcome import Fragment
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.in_dialect import CannotTranspile, in_dialect
from greylag.rewrite.dispatch import read_program
from greylag.verify import prove

Level = Literal["fast", "full"]

_STRENGTH = (Verdict.REFUTED, Verdict.INCONCLUSIVE, Verdict.TESTED, Verdict.PROVEN)
_METHODS = ("none", "execution", "unfolding", "construction")


def prove_fragments(
    path: str,
    fragments: Iterable[Fragment],
    migration: CompiledMigration,
    *,
    level: Level = "fast",
    seed: int = 0,
) -> Proof:
    """The verdict on a program is that of its weakest query; without a query there is nothing to check."""
    proofs = [
        (fragment, _prove(fragment, migration, level, seed))
        for fragment in fragments
        if fragment.old != fragment.new
    ]
    if not proofs:
        return _unchecked(f"{path}: no query was found in it that could be checked")
    weakest = min((proof for _, proof in proofs), key=_strength)
    return Proof(
        verdict=weakest.verdict,
        method=weakest.method,
        rows=sum(proof.rows for _, proof in proofs),
        counterexample=weakest.counterexample,
        reasons=tuple(
            f"{path}:{fragment.line}: {reason}"
            for fragment, proof in proofs
            for reason in proof.reasons
            if len(proofs) == 1 or proof.verdict is weakest.verdict
        ),
    )


def prove_programs(
    path: str,
    old: str,
    new: str,
    migration: CompiledMigration,
    *,
    files: Mapping[str, str] | None = None,
    level: Level = "full",
    seed: int = 0,
) -> Proof:
    """Compare two versions of a program: the same but for its queries, and these the same in pairs.

    `files` are those around it, whose constants it may use. Inconclusive where anything but a query differs:
    what that does, no verifier of ours can say.
    """
    before = read_program(path, old, migration, files)
    after = read_program(path, new, migration, files)
    if before is None or after is None:
        return _unchecked(f"{path}: no verifier reads such files")
    if before.skeleton != after.skeleton or len(before.queries) != len(after.queries):
        line = _first_difference(before.skeleton, after.skeleton)
        return _unchecked(f"{path}:{line}: more than queries changed, and the rest is not checked")
    if before.dialects != after.dialects:
        return _unchecked(f"{path}: a query changed its dialect")
    fragments = [
        Fragment(old=one, new=other, line=line, dialect=dialect)
        for one, other, line, dialect in zip(
            before.queries, after.queries, before.lines, before.dialects, strict=True
        )
    ]
    if not any(fragment.old != fragment.new for fragment in fragments):
        return _unchecked(f"{path}: the two versions hold the same queries")
    return prove_fragments(path, fragments, migration, level=level, seed=seed)


def _prove(fragment: Fragment, migration: CompiledMigration, level: Level, seed: int) -> Proof:
    try:
        spoken = (
            migration if fragment.dialect == migration.dialect else in_dialect(migration, fragment.dialect)
        )
    except CannotTranspile as error:
        return _unchecked(str(error))
    return prove(fragment.old, fragment.new, spoken, level=level, seed=seed)


def _strength(proof: Proof) -> tuple[int, int]:
    method = _METHODS.index(proof.method) if proof.method in _METHODS else 0
    return _STRENGTH.index(proof.verdict), method


def _unchecked(reason: str) -> Proof:
    return Proof(verdict=Verdict.INCONCLUSIVE, method="none", reasons=(reason,))


def _first_difference(old: str, new: str) -> int:
    """The 1-based line of the old text where the two part."""
    lines = zip(old.splitlines(), new.splitlines(), strict=False)
    return next((number for number, (a, b) in enumerate(lines, start=1) if a != b), old.count("\n") + 1)
