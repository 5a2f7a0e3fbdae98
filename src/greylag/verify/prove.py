"""Is the new version of a file the same program as the old one, under the mapping?

Three layers, cheapest first. By construction: every difference is the mapping put where the old dataset
was read. By unfolding: both versions have one normal form. By execution: both are run in an embedded
DuckDB over generated tables, the old one over the mapping. Columns under `differs` need no special care
here: the old version is run over the mapping, so that a value that changes on purpose is the same on both
sides.

Whatever is unsure is `inconclusive`, with the reason.
"""

from __future__ import annotations

from typing import Literal, assert_never

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag.domain.check import Proof, Verdict
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.changes import pair_of_change
from greylag.verify.construction import same_by_construction, same_statement
from greylag.verify.experiment import Experiment
from greylag.verify.implicit import refuse_implicit
from greylag.verify.names import TableKey, table_key
from greylag.verify.naming import Reading, ambiguous, name_outputs, settle, settle_keys
from greylag.verify.pairs import Pair
from greylag.verify.pieces import forget_made, inner_pairs, same_shells
from greylag.verify.prepare import Names, names_for, prepare, reads_replaced, without_counterpart
from greylag.verify.program import DoesNotRun, NotComparable, Statement, StatementKind, parse_program
from greylag.verify.script import script_statements
from greylag.verify.token_stream import same_by_tokens
from greylag.verify.unfold import same_by_unfolding

Level = Literal["fast", "full"]
_OWN_ERRORS = (
    SqlglotError,
    duckdb.Error,
    RecursionError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
_STRENGTH = ["none", "execution", "unfolding", "construction"]


def prove(old: str, new: str, migration: CompiledMigration, *, level: Level = "fast", seed: int = 0) -> Proof:
    """Compare two versions of a SQL text (one or several statements, in the migration's dialect).

    `fast` takes at most about 2 seconds, `full` about 20. The verdict is the weakest of all statements.
    """
    try:
        return _prove(old, new, migration, level, seed)
    except NotComparable as reason:
        return Proof(verdict=Verdict.INCONCLUSIVE, method="none", reasons=(str(reason),))
    except DoesNotRun as reason:
        return Proof(
            verdict=Verdict.REFUTED, method="none", reasons=(f"the new version does not run: {reason}",)
        )
    except _OWN_ERRORS as error:
        # Ours, or a limit of the engine: nothing is known then, and a fleet must not stop for one file.
        first = str(error).splitlines()[0][:300] if str(error) else ""
        return Proof(
            verdict=Verdict.INCONCLUSIVE,
            method="none",
            reasons=(f"the proof broke off: {type(error).__name__}: {first}",),
        )


def _prove(old: str, new: str, migration: CompiledMigration, level: Level, seed: int) -> Proof:
    names = names_for(migration)
    if same_by_tokens(old, new, names):
        return Proof(verdict=Verdict.PROVEN, method="construction")
    try:
        rest, methods = _statements(old, new, names)
    except NotComparable as reason:
        try:
            rest, methods = _queries(old, new, names_for(migration))
        except NotComparable:
            raise reason from None
    if isinstance(rest, str):
        return Proof(verdict=Verdict.REFUTED, method="none", reasons=(rest,))
    if not rest:
        method = min(methods, key=_STRENGTH.index, default="construction")
        return Proof(verdict=Verdict.PROVEN, method=method)
    return _by_running(rest, names, level, seed)


def _statements(old: str, new: str, names: Names) -> tuple[list[Pair] | str, list[str]]:
    """What remains to be run, and how the rest was settled; a text that refutes, where there is one."""
    dialect = names.migration.dialect
    before = parse_program(old, dialect, which="old")
    after = parse_program(new, dialect, which="new")
    still = _still_reads(after, names)
    if still is not None:
        return still, []
    same_shells(before, after, dialect)
    return _settled(list(zip(before, after, strict=True)), names)


def _queries(old: str, new: str, names: Names) -> tuple[list[Pair] | str, list[str]]:
    """The same for a text of which only the queries are understood."""
    pairs = script_statements(old, new, names)
    still = _still_reads(tuple(other for _, other in pairs), names)
    return (still, []) if still is not None else _settled(pairs, names)


def _settled(
    statements: list[tuple[Statement, Statement]], names: Names
) -> tuple[list[Pair] | str, list[str]]:
    rest: list[Pair] = []
    methods: list[str] = []
    for number, (one, other) in enumerate(statements, 1):
        for pair in _pairs(number, one, other, names):
            method = _by_reading(pair, names)
            if method is not None:
                methods.append(method)
            else:
                rest.append(pair)
    return rest, methods


def _by_running(rest: list[Pair], names: Names, level: Level, seed: int) -> Proof:
    """Run both versions; twice where a name may be read in two ways, and then only what both say counts."""
    if not any(ambiguous(pair.old, names) or ambiguous(pair.new, names) for pair in rest):
        return Experiment(rest, names, level=level, seed=seed).run()
    proofs: list[Proof] = []
    readings: tuple[Reading, ...] = ("output", "column")
    for reading in readings:
        pairs = [
            Pair(
                number=pair.number,
                old=settle(pair.old, names, reading),
                new=settle(pair.new, names, reading),
                named=pair.named,
                ordered=pair.ordered,
            )
            for pair in rest
        ]
        proofs.append(Experiment(pairs, names, level=level, seed=seed).run())
    first, second = proofs
    if first.verdict is second.verdict:
        return first
    reason = "a name means an output or a column, and the versions agree only for one of the two: qualify it"
    return Proof(
        verdict=Verdict.INCONCLUSIVE, method="execution", reasons=(reason, *first.reasons, *second.reasons)
    )


def _by_reading(pair: Pair, names: Names) -> str | None:
    old = without_counterpart(pair.old)
    if same_by_construction(old, pair.new, names):
        return "construction"
    for query in (pair.old, pair.new):
        refuse_implicit(query, names.migration.dialect)
    if same_by_unfolding(old, pair.new, names, column_names=pair.named):
        return "unfolding"
    return None


def _still_reads(after: tuple[Statement, ...], names: Names) -> str | None:
    """The new version may read a replaced dataset only where a mapping itself does."""
    allowed: set[TableKey] = set()
    for mapping in names.migration.mappings:
        for table in reads_replaced(exp.Subquery(this=mapping.query.copy()), names):
            allowed.add(_key(table, names))
    for statement in after:
        for table in reads_replaced(statement.node, names):
            if _key(table, names) not in allowed and table is not statement.target:
                return f"the new version still reads {'.'.join(_key(table, names))}"
    return None


def _key(table: exp.Table, names: Names) -> TableKey:
    return table_key(table, names.migration.dialect)


def _pairs(number: int, one: Statement, other: Statement, names: Names) -> list[Pair]:
    """The queries of a statement that remain to be compared, prepared; none when it is the same by
    construction.
    """
    if one.key in names.replaced:
        raise NotComparable(f"statement {number} writes {'.'.join(one.key)}, which is replaced")
    same = same_statement(one.node, other.node, names)
    if one.kind in {StatementKind.INSERT, StatementKind.CHANGE, StatementKind.OTHER}:
        forget_made(one, names)
    if same:
        if one.kind is StatementKind.CREATE:
            _query_pair(number, one, other, names)
        return []
    match one.kind:
        case StatementKind.OTHER:
            return inner_pairs(number, one, other, names)
        case StatementKind.CHANGE:
            return [pair_of_change(number, one, other, names)]
        case StatementKind.QUERY | StatementKind.CREATE | StatementKind.INSERT:
            return [_query_pair(number, one, other, names)]
        case _:
            assert_never(one.kind)


def _query_pair(number: int, one: Statement, other: Statement, names: Names) -> Pair:
    """The two queries of a statement; what CREATE makes is known by its query from then on."""
    dialect = names.migration.dialect
    assert one.query is not None and other.query is not None
    pair = Pair(
        number=number,
        old=settle_keys(prepare(name_outputs(one.query, dialect), names, old=True), names),
        new=settle_keys(prepare(name_outputs(other.query, dialect), names, old=False), names),
        named=one.kind is not StatementKind.INSERT,
        ordered=one.kind is StatementKind.QUERY,
    )
    if one.kind is StatementKind.CREATE and one.key and not one.node.args.get("exists"):
        names.made_old[one.key], names.made_new[one.key] = pair.old, pair.new
    return pair
