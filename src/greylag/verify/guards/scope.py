"""What a patch may touch: the paths and spans that the consumers name, and the words that explain it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from greylag.domain.agent import Leftover
from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, Names
from greylag.mapping.compiled import Mapping as Replacement

_FIELD = re.compile(r"(\w+) +\w+")
_SIGN = re.compile(r"<>|!=|<=|>=|\|\||<<|>>|[-+*/%^~&|<>]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Lines of a file as it was before, 1-based, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """One mapping in words, in small letters.

    `old_tables` and `tables` are last parts of the old dataset's names and of the new ones; `filtered` are
    columns of its WHERE, `conditions` those of them that are compared with one value (sign and value),
    `negated` those that stand under NOT. `brought` are columns that it reads and the old dataset had not,
    `unused` columns of the new datasets that it never reads, `renamed` old columns whose name is not one of
    the new, `unmapped` those without a counterpart. `factors` maps a new column to the numbers that it is
    computed with; `cases` are its CASE expressions as words.
    """

    old_tables: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    filtered: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()
    brought: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()
    unmapped: frozenset[str] = frozenset()
    factors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cases: frozenset[tuple[str, ...]] = frozenset()
    conditions: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    negated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a patch may touch.

    `paths` are the files of the consumers; `companions` other files that were named together with them (a
    `schema.yml` beside a dbt model, a test's fixture). `spans` narrows a path to some of its lines; a path
    without spans may change anywhere. `old_names` and `new_names` are the names that the mapping replaces
    and those that it brings: parts of dataset names, columns, fields. `words` is what else the mapping's SQL
    says (functions, literals, numbers), `signs` its operators. `max_lines` counts lines added and lines
    removed. `residue` are texts of the brief that must not be found in code; `replaced` are the mappings.
    """

    paths: frozenset[str]
    companions: frozenset[str] = frozenset()
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    old_names: frozenset[str] = frozenset()
    new_names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    max_files: int = 20
    max_lines: int = 400
    residue: tuple[str, ...] = ()
    replaced: tuple[Replaced, ...] = ()

    @property
    def allowed(self) -> frozenset[str]:
        """Every path that may change."""
        return self.paths | self.companions


def scope_of(
    migration: CompiledMigration,
    leftovers: Iterable[Leftover],
    *,
    companions: Collection[str] = (),
    residue: tuple[str, ...] = (),
    max_files: int = 20,
    max_lines: int = 400,
) -> Scope:
    """The scope of a target: its leftovers' files, and the names of its migration."""
    old: set[str] = set()
    new: set[str] = set()
    words: set[str] = set()
    signs: set[str] = set()
    for mapping in migration.mappings:
        old |= _names(mapping.names) | set(mapping.columns) | _parts(mapping.dataset)
        # A new dataset need not declare its columns; what the mapping reads are names of it all the same.
        new |= {part.name for column in mapping.query.find_all(exp.Column) for part in column.parts}
        said = " ".join((mapping.sql, *mapping.answers.values()))
        words.update(_WORD.findall(said))
        signs.update(_SIGN.findall(said))
        # The dialect's own names of types may come with a cast of an old column's type.
        words.update(_WORD.findall(" ".join(mapping.columns.values())))
    for provided in migration.provides:
        new |= _parts(provided.dataset) | set(provided.columns)
        for kind in provided.columns.values():
            new.update(_WORD.findall(kind))
        if provided.dataset in migration.new_names:
            new |= _names(migration.new_names[provided.dataset])
    return Scope(
        paths=frozenset(leftover.path for leftover in leftovers),
        companions=frozenset(companions),
        old_names=frozenset(old),
        new_names=frozenset(new),
        words=frozenset(words - old - new),
        signs=frozenset(signs),
        residue=residue,
        replaced=tuple(_replaced(mapping, migration) for mapping in migration.mappings),
        max_files=max_files,
        max_lines=max_lines,
    )


def _replaced(mapping: Replacement, migration: CompiledMigration) -> Replaced:
    read = {part.name.lower() for column in mapping.query.find_all(exp.Column) for part in column.parts}
    tables = {table.name.lower() for table in mapping.query.find_all(exp.Table)}
    provided = [each for each in migration.provides if each.dataset.name.lower() in tables]
    for each in provided:
        names = migration.new_names.get(each.dataset)
        tables |= {name.args[-1].lower() for name in names.dbt} if names else set()
    fields = {
        word.lower()
        for each in provided
        for column, kind in each.columns.items()
        for word in (column, *_FIELD.findall(kind))
    }
    says = {word.lower() for word in _WORD.findall(mapping.sql)}
    # A column of one mapping may be an unused one of another.
    others = {column.lower() for each in migration.mappings for column in each.columns} | {
        column.name.lower() for each in migration.mappings for column in each.query.find_all(exp.Column)
    }
    wheres = [where for where in mapping.query.find_all(exp.Where)]
    return Replaced(
        old_tables=frozenset(table.name.lower() for table in mapping.names.tables)
        | {name.args[-1].lower() for name in mapping.names.dbt},
        tables=frozenset(tables),
        # In a union each part has its own: which of them is needed, words cannot tell.
        filtered=frozenset(c.name.lower() for w in wheres for c in w.find_all(exp.Column))
        if len(wheres) == 1 and not mapping.query.find(exp.SetOperation)
        else frozenset(),
        unused=frozenset(fields - read - says - others),
        brought=frozenset((read & fields) - {column.lower() for column in mapping.columns}),
        renamed=frozenset(column.lower() for column in mapping.columns) - fields - read,
        unmapped=frozenset(column.lower() for column in mapping.unmapped),
        factors=dict(_factors(mapping)),
        conditions=_conditions(migration),
        negated=frozenset(
            node.this.name.lower()
            for where in wheres
            for node in where.find_all(exp.Not)
            if _column(node.this)
        ),
        cases=frozenset(
            tuple(word.lower() for word in _WORD.findall(case.sql()))
            for case in mapping.query.find_all(exp.Case)
        ),
    )


def _column(node: object) -> bool:
    return isinstance(node, exp.Column)


def _conditions(migration: CompiledMigration) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Columns that mappings compare with one value: their signs and values."""
    found: dict[str, set[tuple[str, str]]] = {}
    for mapping in migration.mappings:
        for node in mapping.query.find_all(exp.EQ, exp.NEQ):
            left, right = node.left, node.right
            if (
                isinstance(left, exp.Column)
                and isinstance(right, exp.Literal)
                and node.find_ancestor(exp.Where)
            ):
                sign = "=" if isinstance(node, exp.EQ) else "!="
                found.setdefault(left.name.lower(), set()).add((sign, str(right.this).lower()))
    return {column: frozenset(said) for column, said in found.items()}


def _factors(mapping: Replacement) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Columns that are multiplied or divided, with what by; none that another output takes as it is."""
    plain = {
        column.name.lower() for output in mapping.outputs if _column(column := output.expression.unalias())
    }
    for output in mapping.outputs:
        columns = {column.name.lower() for column in output.expression.find_all(exp.Column)}
        if len(columns) != 1 or columns & plain or output.expression.find(exp.Case):
            continue
        numbers = tuple(
            str(literal.this)
            for node in output.expression.find_all(exp.Mul, exp.Div)
            for literal in node.find_all(exp.Literal)
            if not literal.is_string
        )
        if numbers:
            yield columns.pop(), numbers


def _parts(dataset: DatasetRef) -> set[str]:
    return {word for part in dataset.parts for word in (part, *_WORD.findall(part))}


def _names(names: Names) -> set[str]:
    found = {part for table in names.tables for part in _parts(table)}
    return found | {argument for name in names.dbt for argument in name.args}
