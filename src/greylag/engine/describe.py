"""The words of a commit and of a pull request. Pure: the same patch, the same text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from greylag.domain.migration import Templates
from greylag.domain.outcome import Edited
from greylag.domain.parts import part, whole
from greylag.domain.quoting import cut, visible
from greylag.engine.patching import LedgerEntry, Rewriting
from greylag.engine.world import Target
from greylag.mapping.compiled import CompiledMigration, Mapping
from greylag.mapping.templates import rendered
from greylag.workspace.history import parse_trailers

CHECK = "equivalence"
"""The verifier whose check stands on our pull requests: `greylag/equivalence` on a forge."""

AGENT_SAYS = "agent: "
"""What a ledger's reason begins with where it is an agent's."""

PLAIN = Templates()
"""No templates: our own words."""

_SAID = 400
_TICKS = re.compile(r"`+")
_QUOTED = re.compile(r"((?<!`)`[^`]+`(?!`))")
_TAME = re.compile(r"([<\[@#!])")


def branch(migration: str, attempt: int, templates: Templates = PLAIN, *, repository: str = "") -> str:
    """The branch of an attempt; a retried one gets its own, so that nothing is ever pushed over.

    No migration has `_` in its name: attempt 2 of `m` is no attempt of a migration `m-2`.
    """
    default = f"greylag/{migration}" if attempt == 1 else f"greylag/{migration}_{attempt}"
    if templates.branch is None:
        return default
    values: dict[str, object] = {
        "migration": migration,
        "repository": whole(repository),
        "part": part(repository),
        "attempt": attempt,
        "owners": [],
        "old": [],
        "new": [],
        "default": default,
    }
    return rendered("branch", templates.branch, values)


def pull_key(migration: str, repository: str, attempt: int) -> str:
    """The key by which the forge knows the pull request."""
    return f"{migration}/{repository}/{attempt}"


def _worded(
    what: str, template: str | None, default: str, migration: CompiledMigration, target: Target
) -> str:
    """What a template makes of the words that would stand there without it."""
    if template is None:
        return default
    values: dict[str, object] = {
        "migration": migration.name,
        "repository": whole(target.repository),
        "part": part(target.repository),
        "attempt": target.attempt,
        "owners": [*target.owners],
        "old": [mapping.dataset.name for mapping in migration.mappings],
        "new": [provided.dataset.name for provided in migration.provides],
        "default": default,
    }
    return rendered(what, template, values)


def subject(migration: CompiledMigration) -> str:
    """One line: what is read instead of what."""
    old = ", ".join(mapping.dataset.name for mapping in migration.mappings)
    new = ", ".join(provided.dataset.name for provided in migration.provides)
    return f"Read {new} instead of {old}" if new else f"Stop reading {old}"


def title(migration: CompiledMigration, target: Target, templates: Templates = PLAIN) -> str:
    """The title of a pull request."""
    return _worded("title", templates.title, subject(migration), migration, target)


def commit_message(migration: CompiledMigration, target: Target, templates: Templates = PLAIN) -> str:
    """The message of the commit, with trailers that name where it comes from."""
    return _message(subject(migration), migration, target, templates)


def mentions_message(migration: CompiledMigration, target: Target, templates: Templates = PLAIN) -> str:
    """The message of the commit behind it, in which names in comments and documents follow."""
    return _message("Names in comments and documents follow", migration, target, templates)


def agent_message(migration: CompiledMigration, target: Target, templates: Templates = PLAIN) -> str:
    """The message of the commit of what a coding agent did where the codemods stopped."""
    first = f"{subject(migration)}, where it takes judgement"
    return _message(first, migration, target, templates, "Greylag-Author: agent")


def _message(
    first: str, migration: CompiledMigration, target: Target, templates: Templates, *trailers: str
) -> str:
    paragraphs = [first, f"Part of the migration {migration.name}."]
    if target.context:
        # In one line: one of its own might be read as a trailer.
        why = " ".join(visible(target.context).split())
        paragraphs.append(f"Attempt {target.attempt}: the one before was reverted ({why}).")
    text = _worded("commit", templates.commit, "\n\n".join(paragraphs), migration, target)
    known = [*trailers, f"Greylag-Migration: {migration.name}", f"Greylag-Attempt: {target.attempt}"]
    # Trailers are the last paragraph, all of them: those of a template and ours are one.
    between = "\n" if parse_trailers(f"{text}\n") else "\n\n"
    return text + between + "\n".join(known) + "\n"


def body(
    migration: CompiledMigration, target: Target, rewriting: Rewriting, templates: Templates = PLAIN
) -> str:
    """The description of a pull request, in Markdown."""
    parts = [
        f"`{migration.name}` moves the readers of the old datasets below to the new ones. "
        f"{_made(rewriting)}; what is known about each file stands in its verdict.",
        *(_mapping(mapping) for mapping in migration.mappings),
        _files(rewriting),
        _differs(migration.mappings),
        _left(rewriting.entries),
        _context(target),
        _override(migration.name, target.repository),
    ]
    default = "\n\n".join(one for one in parts if one)
    return _worded("body", templates.body, default, migration, target) + "\n"


def _made(rewriting: Rewriting) -> str:
    if not rewriting.by_agent:
        return "This change was made by rule"
    return (
        "This change was made by rule, and by a coding agent in the files of form `agent`: read those first"
    )


def _mapping(mapping: Mapping) -> str:
    rows = [[_code(output.name), _code(output.text)] for output in mapping.outputs]
    rows += [[_code(name), f"no counterpart: {text}"] for name, text in mapping.unmapped.items()]
    return f"### `{mapping.dataset}`\n\n" + _table(["column", "is now"], rows)


def _files(rewriting: Rewriting) -> str:
    rows = [_agents_row(path, rewriting.entries) for path in rewriting.by_agent]
    for report in rewriting.reports:
        if report.path not in rewriting.changes or not isinstance(report.outcome, Edited):
            continue
        if report.path in rewriting.by_agent:
            continue
        proof = report.proof
        verdict = "companion file" if not report.outcome.reads else "not compared"
        if proof is not None:
            verdict = (
                f"{proof.verdict} (by {proof.method})" if proof.method != "none" else proof.verdict.value
            )
        notes = [*report.outcome.notes, *(proof.reasons if proof is not None else ())]
        rows.append([_code(report.path), report.outcome.form.value, verdict, "; ".join(map(_tame, notes))])
    return "### Files\n\n" + _table(["file", "form", "verdict", "notes"], rows)


def _agents_row(path: str, entries: Sequence[LedgerEntry]) -> list[str]:
    entry = next((one for one in entries if one.consumer.path == path and one.form == "agent"), None)
    if entry is None:
        return [_code(path), "agent", "companion file", ""]
    verdict = "not compared" if entry.verdict is None else entry.verdict.value
    by = f" (by {entry.method})" if entry.method not in (None, "none") else ""
    return [_code(path), "agent", verdict + by, "; ".join(map(_said, entry.reasons))]


def _differs(mappings: Iterable[Mapping]) -> str:
    lines = [
        f"- `{mapping.dataset}.{column}`: {why}"
        for mapping in mappings
        for column, why in mapping.differs.items()
    ]
    return "### Values that change on purpose\n\n" + "\n".join(lines) if lines else ""


def _left(entries: Sequence[LedgerEntry]) -> str:
    left = [entry for entry in entries if entry.outcome != "edited"]
    lines = [
        f"- {_code(one.consumer.path)}, {one.consumer.read.dataset}: "
        + ("; ".join(map(_reason, one.reasons)) or one.outcome)
        for one in left
    ]
    return "### Left alone here, and why\n\n" + "\n".join(lines) if lines else ""


def _context(target: Target) -> str:
    if not target.context:
        return ""
    return f"### Attempt {target.attempt}\n\nThe change before this one was reverted: {_said(target.context)}"


def _override(migration: str, repository: str) -> str:
    return (
        "### To decide otherwise\n\n"
        "- Close this pull request: this repository is left alone, and the ledger says so.\n"
        f"- `greylag take {migration} {repository}`, or push to its branch: it is yours from then on.\n"
        f"- `greylag approve {migration} {repository}`: merge it in its wave and window.\n"
        f"- `greylag revert {migration} {repository}`: take it back after the merge.\n"
        "- Or say it here, on a line of its own: `/greylag skip because …`, `/greylag take`, "
        "`/greylag retry`, `/greylag approve`, `/greylag help`."
    )


def _reason(text: str) -> str:
    """Ours in plain words; what an agent said, or a check about what it wrote, as a quotation."""
    if not text.startswith(AGENT_SAYS):
        return _tame(text)
    return f"{AGENT_SAYS}{_said(text.removeprefix(AGENT_SAYS))}"


def _said(text: str) -> str:
    """Words of others in one line that no forge acts on: no links, mentions, images, closed issues."""
    return _code(cut(visible(text, keep="\n\t"), _SAID))


def _tame(text: str) -> str:
    """Words of ours, in which a repository's names and texts may stand: outside of code they mark up
    nothing, mention nobody and lead nowhere.
    """
    parts = _QUOTED.split(" ".join(visible(text).split()))
    return "".join(
        part if number % 2 else _TAME.sub(r"\\\1", part) for number, part in enumerate(parts)
    ).replace("\\@", "@\u2060")


def _code(text: str) -> str:
    flat = " ".join(visible(text).split())
    if "`" not in flat:
        return f"`{flat}`"
    # More of them than stand together anywhere in it: nothing in it can end the quotation.
    fence = "`" * (max(map(len, _TICKS.findall(flat))) + 1)
    return f"{fence} {flat} {fence}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
