"""The words of a mapping: what it computes, renames, recodes and refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from greylag.domain.agent import Leftover
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.compiled import Mapping as Replacement

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recoding:
    """A CASE of literals: `pairs` of (WHEN, THEN) words, and the word after ELSE (None: no ELSE)."""

    pairs: frozenset[tuple[str, str]]
    other: str | None

    @property
    def values(self) -> frozenset[str]:
        """What it can return."""
        return frozenset(then for _, then in self.pairs) | ({self.other} if self.other is not None else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The words of one mapping, all in small letters.

    `made` maps an old column to the new ones that its expression is made from, `plain` to the one column that
    it is. `negated` are columns that its filter asks to be not true; `denies`: there is any negation in it;
    `outer_only`: all its joins are LEFT.
    """

    made: Mapping[str, frozenset[str]]
    plain: Mapping[str, str]
    recodings: tuple[Recoding, ...]
    negated: frozenset[str]
    words: frozenset[str]
    denies: bool
    outer_only: bool

    @property
    def columns(self) -> frozenset[str]:
        """Every new column that the mapping's outputs are made from."""
        return frozenset(self.plain.values()).union(*self.made.values())


def facts_of(migration: CompiledMigration, leftovers: Iterable[Leftover]) -> tuple[Facts, ...]:
    """The facts of the mappings that the leftovers read.

    None where it is not known which of several they read: what one mapping says would be held against readers
    of another.
    """
    left = tuple(leftovers)
    read = {one.dataset for each in left for one in each.reads}
    unsure = not left or any(not each.reads for each in left)
    if unsure and len(migration.mappings) > 1:
        return ()
    return tuple(_facts(one) for one in migration.mappings if unsure or one.dataset in read)


def _facts(mapping: Replacement) -> Facts:
    return Facts(
        made=dict(_made(mapping)),
        plain=dict(_plain(mapping)),
        recodings=tuple(_recodings(mapping)),
        negated=frozenset(_negated(mapping.query)),
        denies=mapping.query.find(exp.Not, exp.NEQ) is not None,
        words=frozenset(word.casefold() for word in _WORD.findall(mapping.sql)),
        outer_only=_outer_only(mapping.query),
    )


def _made(mapping: Replacement) -> Iterator[tuple[str, frozenset[str]]]:
    for output in mapping.outputs:
        if not isinstance(output.expression, exp.Column | exp.Dot):
            columns = frozenset(one.name.casefold() for one in output.expression.find_all(exp.Column))
            yield output.name.casefold(), columns


def _plain(mapping: Replacement) -> Iterator[tuple[str, str]]:
    for output in mapping.outputs:
        node = output.expression
        if isinstance(node, exp.Column):
            yield output.name.casefold(), node.name.casefold()


def _recodings(mapping: Replacement) -> Iterator[Recoding]:
    for output in mapping.outputs:
        for case in output.expression.find_all(exp.Case):
            arms = [(arm.this, arm.args.get("true")) for arm in case.args.get("ifs") or []]
            plain = all(
                isinstance(when, exp.Literal) and isinstance(then, exp.Literal) for when, then in arms
            )
            if not plain or not isinstance(case.this, exp.Column):
                continue
            default = case.args.get("default")
            yield Recoding(
                pairs=frozenset((when.name.casefold(), then.name.casefold()) for when, then in arms),
                other=default.name.casefold() if isinstance(default, exp.Literal) else None,
            )


def _negated(query: exp.Query) -> Iterator[str]:
    where = query.args.get("where") if isinstance(query, exp.Select) else None
    for node in where.find_all(exp.Not) if where is not None else ():
        if isinstance(node.this, exp.Column):
            yield node.this.name.casefold()


def _outer_only(query: exp.Query) -> bool:
    joins = list(query.find_all(exp.Join))
    return bool(joins) and all(join.side.upper() == "LEFT" for join in joins)
