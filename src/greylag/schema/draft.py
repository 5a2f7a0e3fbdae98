"""Drafting a mapping: what each old column probably becomes, with the evidence, and what must be asked.

Names and types alone decide little; aligned rows decide much. A guess is only made where it would be a
surprise if it were wrong: what is doubtful stays a question. The steps are the field's usual ones, matching
by name, by type and by instances (Rahm and Bernstein, A survey of approaches to automatic schema matching,
2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp

from greylag.schema.align import align
from greylag.schema.data import Data, Keyed
from greylag.schema.instances import matches_by_rows
from greylag.schema.model import Column, Guess, TableSchema
from greylag.schema.naming import likeness, said_alike, words
from greylag.schema.transforms import Leaf, candidates
from greylag.schema.types import leaves

BY_NAME = 0.8
"""A guess by name and type alone needs at least this likeness …"""
MARGIN = 0.15
"""… and this much more than the next best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A new dataset in the drafted query: how its rows meet those of the old one."""

    schema: TableSchema
    alias: str
    keyed: Keyed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drafted mapping of one old dataset.

    `guesses` are in the order of the old columns; `questions` says of every other column what is in doubt.
    `predicate` is the condition that restores the old grain; `notes` are for the reader.
    """

    old: TableSchema
    sources: tuple[Source, ...]
    guesses: tuple[Guess, ...]
    questions: dict[str, str]
    predicate: str | None
    notes: tuple[str, ...]
    dialect: str

    def sql(self) -> str | None:
        """The mapping as a SELECT; None when no column has a guess."""
        if not self.guesses:
            return None
        listed = ",\n       ".join(
            f"{guess.expression} AS {_identifier(guess.column, self.dialect)}" for guess in self.guesses
        )
        lines = [f"SELECT {listed}", f"FROM {self._from()}"]
        if self.predicate:
            lines.append(f"WHERE {self.predicate}")
        return "\n".join(lines)

    def _from(self) -> str:
        first, *rest = self.sources
        if not rest:
            return _table(first, self.dialect)
        text = f"{_table(first, self.dialect)} AS {first.alias}"
        for other in rest:
            kind = "JOIN" if other.keyed is not None and other.keyed.covered == 1.0 else "LEFT JOIN"
            joined = _on(first, other, self.dialect)
            text += f"\n{kind} {_table(other, self.dialect)} AS {other.alias} ON {joined}"
        return text


def draft(old: TableSchema, new: Sequence[TableSchema], dialect: str, data: Data | None = None) -> Draft:
    """Draft the mapping of one old dataset over the new ones that it needs."""
    sources = _sources(old, new, dialect, data)
    chosen = {source.alias: source for source in sources}
    found: list[Guess] = []
    questions: dict[str, str] = {}
    by_rows: dict[str, dict[str, list[Guess]]] = {}
    for source in sources:
        if data is None:
            break
        listed = _leaves(source, dialect)
        by_rows[source.alias] = matches_by_rows(data, old, listed, source.schema, source.keyed, dialect)
    for column in old.columns:
        guess, question = _decide(column, old, sources, by_rows, dialect)
        if guess is not None:
            found.append(guess)
        else:
            questions[column.name] = question
    used = {guess.table for guess in found}
    kept = tuple(source for source in sources if source.alias in used) or sources[:1]
    qualified = len(kept) > 1
    return Draft(
        old=old,
        sources=kept,
        guesses=tuple(found if qualified else [_plain(guess, chosen, dialect) for guess in found]),
        questions=questions,
        predicate=_predicate(kept, qualified, dialect),
        notes=tuple(_notes(kept)),
        dialect=dialect,
    )


def _sources(
    old: TableSchema, new: Sequence[TableSchema], dialect: str, data: Data | None
) -> tuple[Source, ...]:
    """The new datasets with the way in which their rows meet the old ones, the best covering first."""
    found: list[tuple[float, Source]] = []
    for number, schema in enumerate(new):
        alias = f"t{number + 1}" if len(new) > 1 else schema.dataset.name
        bare = Source(schema=schema, alias=alias, keyed=None)
        keyed = _aligned(old, bare, dialect, data)
        share = keyed.covered - (0.0 if not keyed.filters else 0.01) if keyed is not None else -float(number)
        found.append((share, Source(schema=schema, alias=alias, keyed=keyed)))
    found.sort(key=lambda pair: -pair[0])
    aligned = [source for _, source in found if source.keyed is not None]
    return tuple(aligned) or tuple(source for _, source in found[:1])


def _aligned(old: TableSchema, source: Source, dialect: str, data: Data | None) -> Keyed | None:
    """The way to meet that explains most columns, when several are as good by their keys."""
    if data is None:
        return None
    old_table, new_table = data.table(old.dataset), data.table(source.schema.dataset)
    if old_table is None or new_table is None:
        return None
    listed = _leaves(source, dialect)
    ways = align(data, old, old_table, listed, new_table, dialect)
    scored = sorted(
        (
            (len(matches_by_rows(data, old, listed, source.schema, way, dialect)), -len(way.filters), number)
            for number, way in enumerate(ways)
        ),
        reverse=True,
    )
    if not scored:
        return None
    if len(scored) > 1 and scored[0][:2] == scored[1][:2]:
        return None  # several filters would do: which one is meant, the data does not say
    return ways[scored[0][2]]


def _leaves(source: Source, dialect: str) -> tuple[Leaf, ...]:
    return tuple(
        Leaf(alias=source.alias, path=path, type=kind, comment=column.comment)
        for column in source.schema.columns
        for path, kind in leaves(column.name, column.type, dialect)
    )


def _decide(
    column: Column,
    old: TableSchema,
    sources: Sequence[Source],
    by_rows: dict[str, dict[str, list[Guess]]],
    dialect: str,
) -> tuple[Guess | None, str]:
    """The guess for a column, or the question that stands for it."""
    seen: list[Guess] = [
        guess for source in sources for guess in by_rows.get(source.alias, {}).get(column.name, [])
    ]
    if seen:
        ranked = sorted(_met_keys(column, seen, sources), key=lambda guess: -guess.confidence)
        if len(ranked) == 1 or ranked[0].confidence - ranked[1].confidence >= 0.02:
            return ranked[0], ""
        both = " or ".join(f"{guess.expression}" for guess in ranked[:3])
        return None, f"The data fits {both} alike. Which one is it?"
    if any(source.keyed is not None for source in sources):
        return None, _nothing_fits(column, old, sources, dialect)
    return _by_name(column, old, sources, dialect)


def _met_keys(column: Column, seen: list[Guess], sources: Sequence[Source]) -> list[Guess]:
    """Without the keys of further datasets where the first one has it: joined, they are the same."""
    keys = {
        (source.alias, new)
        for source in sources
        for old, new in (source.keyed.pairs if source.keyed is not None else ())
        if old == column.name
    }
    first = sources[0].alias
    if not any(guess.table == first and (first, guess.leaf) in keys for guess in seen):
        return seen
    return [guess for guess in seen if guess.table == first or (guess.table, guess.leaf) not in keys]


def _nothing_fits(column: Column, old: TableSchema, sources: Sequence[Source], dialect: str) -> str:
    near = _ranked(column, old, sources, dialect)
    hint = (
        f" The nearest by name is {near[0][1].path}, whose values differ."
        if near and near[0][0] > 0.5
        else ""
    )
    return f"Nothing in the new data reproduces it.{hint} Is it still needed?"


def _ranked(
    column: Column, old: TableSchema, sources: Sequence[Source], dialect: str
) -> list[tuple[float, Leaf]]:
    found = []
    for source in sources:
        about = (*words(old.dataset.name), *words(source.schema.dataset.name))
        about = (*about, *(word.removesuffix("s") for word in about))
        for leaf in _leaves(source, dialect):
            if not any(True for _ in candidates(column.type, leaf, dialect)):
                continue
            score = likeness(column.name, leaf.path, about)
            said = said_alike(column.comment, leaf.comment)
            found.append((min(1.0, score + 0.15 * said), leaf))
    return sorted(found, key=lambda pair: -pair[0])


def _by_name(
    column: Column, old: TableSchema, sources: Sequence[Source], dialect: str
) -> tuple[Guess | None, str]:
    """A guess without rows: only where one name is much nearer than all others, and the type fits."""
    ranked = _ranked(column, old, sources, dialect)
    if not ranked:
        return None, "No new column has a type that fits. Is it still needed?"
    score, leaf = ranked[0]
    second = ranked[1][0] if len(ranked) > 1 else 0.0
    if score < BY_NAME or (score < 1.0 and score - second < MARGIN):
        near = ", ".join(f"{other.path} ({value:.2f})" for value, other in ranked[:3] if value > 0.3)
        return (
            None,
            f"No column is surely it{f'; nearest by name: {near}' if near else ''}. What becomes of it?",
        )
    option = next(candidates(column.type, leaf, dialect))
    if option.how:
        kinds = f"{column.type} and {leaf.type}"
        return None, f"{leaf.path} has a like name, but the types are {kinds}. What becomes of it?"
    evidence = [f"{leaf.path} has {'the same' if score == 1.0 else 'a like'} name ({score:.2f})"]
    evidence.append(f"types {column.type or '?'} and {leaf.type or '?'}; no rows were looked at")
    return (
        Guess(
            column=column.name,
            expression=option.expression(qualified=True).sql(dialect=dialect),
            confidence=round(0.75 * score, 2),
            evidence=tuple(evidence),
            table=leaf.alias,
            leaf=leaf.path,
        ),
        "",
    )


def _plain(guess: Guess, chosen: dict[str, Source], dialect: str) -> Guess:
    """The guess without the alias of its only table."""
    tree = sqlglot.parse_one(guess.expression, read=dialect)
    for column in tree.find_all(exp.Column):
        if column.parts[0].name == chosen[guess.table].alias and len(column.parts) > 1:
            rest = [part.copy() for part in column.parts[1:]]
            bare: exp.Expr = exp.column(rest[0])
            for part in rest[1:]:
                bare = exp.Dot(this=bare, expression=part)
            if column is tree:
                tree = bare
            else:
                column.replace(bare)
    return replace(guess, expression=tree.sql(dialect=dialect))


def _predicate(sources: Sequence[Source], qualified: bool, dialect: str) -> str | None:
    parts = []
    for source in sources:
        for path, value in source.keyed.filters if source.keyed is not None else ():
            leaf = Leaf(alias=source.alias, path=path, type="").expression(qualified)
            parts.append(exp.EQ(this=leaf, expression=exp.convert(value)).sql(dialect=dialect))
    return " AND ".join(parts) or None


def _notes(sources: Sequence[Source]) -> list[str]:
    found = []
    for source in sources:
        if source.keyed is None:
            continue
        name, keyed = source.schema.dataset, source.keyed
        pairs = ", ".join(f"{old} = {new}" for old, new in keyed.pairs)
        found.append(f"rows of {name} were aligned on {pairs}; {keyed.covered:.1%} of the old rows meet one")
        for path, value in keyed.filters:
            found.append(f"{name}.{path} = {value!r} restores the old grain")
        if keyed.extra:
            found.append(f"{keyed.extra} rows of {name} meet no old row: a filter may be missing")
    return found


def _table(source: Source, dialect: str) -> str:
    return exp.to_table(str(source.schema.dataset), dialect=dialect).sql(dialect=dialect)


def _on(first: Source, other: Source, dialect: str) -> str:
    """The two new keys that meet the same old key."""
    if first.keyed is None or other.keyed is None:
        raise AssertionError("only aligned datasets are joined")
    mine, theirs = dict(first.keyed.pairs), dict(other.keyed.pairs)
    shared = [old for old in theirs if old in mine]
    if set(shared) != set(theirs):
        raise AssertionError("datasets that are joined meet the old one over the same key")
    return " AND ".join(
        exp.EQ(
            this=Leaf(alias=first.alias, path=mine[old], type="").expression(True),
            expression=Leaf(alias=other.alias, path=theirs[old], type="").expression(True),
        ).sql(dialect=dialect)
        for old in shared
    )


def _identifier(name: str, dialect: str) -> str:
    return exp.to_identifier(name).sql(dialect=dialect)
