"""Proof for dbt files: every rendering of the old version against the same rendering of the new one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from greylag import verify
from greylag.domain.check import Proof, Verdict
from greylag.domain.dbt import DbtSurroundings
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.sqltext import PARSER_GIVES_UP
from greylag.verify.dbt_hooks import split_hooks
from greylag.verify.dbt_own import qualified
from greylag.verify.dbt_render import NOTHING, Rendering, renderings
from greylag.verify.dbt_template import is_template_boundary
from greylag.verify.dbt_tokens import is_boundary
from greylag.verify.dbt_world import OPAQUE, Unrenderable, known_relations

_WEAKEST_FIRST = (Verdict.REFUTED, Verdict.INCONCLUSIVE, Verdict.TESTED, Verdict.PROVEN)
Level = Literal["fast", "full"]


def prove_dbt(
    old: str,
    new: str,
    migration: CompiledMigration,
    *,
    level: Level = "fast",
    seed: int = 0,
    project: DbtSurroundings = NOTHING,
) -> Proof:
    """Are two versions of a dbt file the same under the mapping?

    Both are rendered without dbt, once for each combination of outside conditions, and the SQL of each hook
    by itself; the weakest verdict wins.
    What cannot be rendered here is inconclusive. `project` says what its variables and macros are; where they
    themselves cannot be rendered, they are unknown words, the same in both versions.
    """
    (rest, hooks, calls), (new_rest, new_hooks, new_calls) = split_hooks(old), split_hooks(new)
    if hooks == new_hooks and calls == new_calls:
        return _prove_text(old, new, migration, level, seed, project)
    if len(hooks) != len(new_hooks) or calls != new_calls:
        return _inconclusive("the hooks of the two versions cannot be laid side by side")
    pairs = [pair for pair in zip(hooks, new_hooks, strict=True) if pair[0] != pair[1]]
    pairs += [(rest, new_rest)] if rest != new_rest else []
    return weakest([_prove_text(one, other, migration, level, seed, project) for one, other in pairs])


def _prove_text(
    old: str, new: str, migration: CompiledMigration, level: Level, seed: int, project: DbtSurroundings
) -> Proof:
    if is_template_boundary(old, new, migration, known_relations(migration)):
        return Proof(verdict=Verdict.PROVEN, method="construction")
    proof = _prove(old, new, migration, level, seed, project)
    if proof.verdict is Verdict.INCONCLUSIVE and project.macros:
        other = _prove(old, new, migration, level, seed, replace(project, macros={}))
        return other if other.verdict in (Verdict.PROVEN, Verdict.TESTED) else proof
    return proof


def _prove(
    old: str, new: str, migration: CompiledMigration, level: Level, seed: int, project: DbtSurroundings
) -> Proof:
    proofs: list[Proof] = []
    seen: set[tuple[str, str]] = set()
    try:
        for rendering in renderings(old, new, migration, project):
            if (rendering.old, rendering.new) in seen or not (rendering.old + rendering.new).strip():
                continue
            seen.add((rendering.old, rendering.new))
            proofs.append(_prove_one(rendering, migration, level, seed))
            if proofs[-1].verdict is Verdict.REFUTED:
                break
    except Unrenderable as error:
        proofs.append(_inconclusive(str(error)))
    return weakest(proofs) if proofs else _inconclusive("both versions render as nothing")


def weakest(proofs: list[Proof]) -> Proof:
    """One proof for several that must all hold: the weakest, with the rows and reasons of all."""
    worst = min(proofs, key=lambda proof: _WEAKEST_FIRST.index(proof.verdict))
    reasons = dict.fromkeys(reason for proof in proofs for reason in proof.reasons)
    return replace(worst, rows=sum(proof.rows for proof in proofs), reasons=tuple(reasons))


def _inconclusive(reason: str) -> Proof:
    return Proof(verdict=Verdict.INCONCLUSIVE, method="none", reasons=(reason,))


def _prove_one(rendering: Rendering, migration: CompiledMigration, level: Level, seed: int) -> Proof:
    proof = _prove_around(rendering, migration, level, seed)
    known = OPAQUE not in rendering.old.lower() and OPAQUE not in rendering.new.lower()
    given_up = _gives_up(rendering, migration.dialect)
    if given_up is not None:
        proof = _inconclusive(given_up)
    elif known and proof.verdict not in (Verdict.PROVEN, Verdict.TESTED):
        old, new = qualified(rendering.old, rendering.new, migration.dialect)
        proof = verify.prove(old, new, migration, level=level, seed=seed)
    reasons = proof.reasons
    if rendering.branch and proof.verdict in (Verdict.REFUTED, Verdict.INCONCLUSIVE):
        reasons = tuple(f"{reason} ({rendering.branch})" for reason in reasons)
    if rendering.guessed and proof.verdict is Verdict.PROVEN:
        told = f"a value was made up for {', '.join(rendering.guessed)}"
        return replace(proof, verdict=Verdict.TESTED, reasons=(*reasons, told))
    return replace(proof, reasons=reasons)


def _gives_up(rendering: Rendering, dialect: str) -> str | None:
    """Why the parser falls over one of the texts: not for wrong syntax, which verifiers tell themselves."""
    for text in (rendering.old, rendering.new):
        try:
            sqlglot.parse(text, dialect=dialect)
        except SqlglotError:
            continue
        except PARSER_GIVES_UP as error:
            return f"the parser gives up on it: {type(error).__name__}: {error}"[:200]
    return None


# -- query by query: what is equal around them needs no proof, and may hold unknown macros ----------------


def _prove_around(rendering: Rendering, migration: CompiledMigration, level: Level, seed: int) -> Proof:
    """Prove that only closed queries without unknown Jinja differ, and that each of those is the same.

    What is around them then stands over equal relations, whatever its unknown Jinja renders to.
    """
    if is_boundary(rendering.old, rendering.new, migration):
        return Proof(verdict=Verdict.PROVEN, method="construction")
    try:
        old, new = (_parsed(text, migration.dialect) for text in (rendering.old, rendering.new))
    except (SqlglotError, *PARSER_GIVES_UP):
        return _inconclusive("with its unknown macros as plain names it cannot be parsed")
    placed = [_with_mapping(tree, migration) for tree in old]
    if placed == new:
        return Proof(verdict=Verdict.PROVEN, method="construction")
    pairs: list[tuple[exp.Expr, exp.Expr]] = []
    if len(old) != len(new) or not all(_differing(a, b, pairs) for a, b in zip(old, new, strict=True)):
        return _inconclusive("macros that are not known here stand where the versions differ")
    if not pairs:
        return _inconclusive("the new version reads what the old one reads: nothing was rewritten")
    return weakest([_prove_pair(pair, migration, level, seed) for pair in pairs])


def _parsed(text: str, dialect: str) -> list[exp.Expr | None]:
    """The statements, with quotes off table names: renderings quote them where that makes no difference."""
    statements = list(sqlglot.parse(text, dialect=dialect))
    for statement in statements:
        for table in statement.find_all(exp.Table) if statement is not None else ():
            for part in table.parts:
                if isinstance(part, exp.Identifier) and part.name.isidentifier():
                    part.set("quoted", False)
    return statements


def _prove_pair(
    pair: tuple[exp.Expr, exp.Expr], migration: CompiledMigration, level: Level, seed: int
) -> Proof:
    before, after = pair
    if _with_mapping(before, migration) == after:
        return Proof(verdict=Verdict.PROVEN, method="construction")
    texts = [tree.sql(dialect=migration.dialect) for tree in pair]
    datasets = {
        ref.name for mapping in migration.mappings for ref in mapping.names.tables if len(ref.parts) == 1
    }
    if datasets & (_cte_names(before) | _cte_names(after)):
        return _inconclusive("a CTE has the name of a replaced dataset")
    if any(OPAQUE in text.lower() for text in texts):
        return _inconclusive("macros that are not known here stand where the versions differ")
    return verify.prove(texts[0], texts[1], migration, level=level, seed=seed)


def _differing(old: exp.Expr | None, new: exp.Expr | None, pairs: list[tuple[exp.Expr, exp.Expr]]) -> bool:
    """Collect the smallest closed queries that differ; False when something else differs as well."""
    if old == new:
        return True
    if old is None or new is None:
        return False
    inner: list[tuple[exp.Expr, exp.Expr]] = []
    if type(old) is type(new) and all(_differing(a, b, inner) for a, b in _aligned(old, new)):
        pairs += inner
        return True
    if _is_closed(old) and _is_closed(new):
        pairs.append((old, new))
        return True
    return False


def _aligned(old: exp.Expr, new: exp.Expr) -> Iterator[tuple[exp.Expr | None, exp.Expr | None]]:
    """Children of two nodes side by side; a pair with None stands for a difference that is no child."""
    for key in old.args.keys() | new.args.keys():
        left, right = old.args.get(key), new.args.get(key)
        lefts, rights = ((side if isinstance(side, list) else [side]) for side in (left, right))
        lefts, rights = ([item for item in side if item not in (None, False)] for side in (lefts, rights))
        if len(lefts) != len(rights):
            yield None, new
            return
        for a, b in zip(lefts, rights, strict=True):
            if isinstance(a, exp.Expr) and isinstance(b, exp.Expr):
                yield a, b
            elif a != b:
                yield None, new


def _is_closed(node: exp.Expr) -> bool:
    """A query that sees no row of a query around it: a CTE's body, or one in FROM that is not lateral."""
    if not isinstance(node, exp.Query) or isinstance(node, exp.Subquery):
        return False
    parent = node.parent
    if isinstance(parent, exp.CTE):
        return not isinstance(parent.parent, exp.With) or not parent.parent.args.get("recursive")
    return isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.From | exp.Join)


def _with_mapping(tree: exp.Expr | None, migration: CompiledMigration) -> exp.Expr | None:
    """The old version with the mapping put where an old dataset is read: the boundary form, as a tree."""
    if tree is None:
        return None
    known = {tuple(ref.parts): mapping for mapping in migration.mappings for ref in mapping.names.tables}
    result = tree.copy()
    ctes = _cte_names(tree)
    for table in list(result.find_all(exp.Table)):
        mapping = known.get(tuple(part.name for part in table.parts))
        if mapping is not None and (len(table.parts) > 1 or table.name not in ctes):
            table.replace(_boundary(table, mapping))
    return result


def _cte_names(tree: exp.Expr) -> set[str]:
    """Names of all CTEs of the statement that a node is part of."""
    return {cte.alias for cte in tree.root().find_all(exp.CTE)}


def _boundary(table: exp.Table, mapping: Mapping) -> exp.Expr:
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
    rest = {key: value for key, value in table.args.items() if key in ("joins", "sample", "pivots")}
    return exp.Subquery(this=mapping.query.copy(), alias=alias.copy(), **rest)
