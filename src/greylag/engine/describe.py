"""The words of a commit and of a pull request. Pure: the same patch, the same text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from greylag.domain.outcome import Edited
from greylag.domain.quoting import cut, visible
from greylag.engine.patching import LedgerEntry, Rewriting
from greylag.engine.world import Target
from greylag.mapping.compiled import CompiledMigration, Mapping

AGENT_SAYS = "agent: "
"""What a ledger's reason begins with where it is an agent's."""

_SAID = 400
_TICKS = re.compile(r"`+")
_QUOTED = re.compile(r"((?<!`)`[^`]+`(?!`))")
_TAME = re.compile(r"([<\[@#!])")


def branch(migration: str, attempt: int) -> str:
    """The branch of an attempt; a retried one gets its own, so that nothing is ever pushed over."""
    return f"greylag/{migration}" if attempt == 1 else f"greylag/{migration}-{attempt}"


def pull_key(migration: str, repository: str, attempt: int) -> str:
    """The key by which the forge knows the pull request."""
    return f"{migration}/{repository}/{attempt}"


def title(migration: CompiledMigration) -> str:
    """One line: what is read instead of what."""
    old = ", ".join(mapping.dataset.name for mapping in migration.mappings)
    new = ", ".join(provided.dataset.name for provided in migration.provides)
    return f"Read {new} instead of {old}" if new else f"Stop reading {old}"


def commit_message(migration: CompiledMigration, target: Target) -> str:
    """The message of the commit, with trailers that name where it comes from."""
    lines = [title(migration), "", f"Part of the migration {migration.name}.", ""]
    if target.context:
        # In one line: one of its own might be read as a trailer.
        why = " ".join(visible(target.context).split())
        lines[3:3] = [f"Attempt {target.attempt}: the one before was reverted ({why}).", ""]
    lines += [f"Greylag-Migration: {migration.name}", f"Greylag-Attempt: {target.attempt}"]
    return "\n".join(lines) + "\n"


def mentions_message(migration: CompiledMigration, target: Target) -> str:
    """The message of the commit behind it, in which names in comments and documents follow."""
    return commit_message(migration, target).replace(
        title(migration), "Names in comments and documents follow", 1
    )


def agent_message(migration: CompiledMigration, target: Target) -> str:
    """The message of the commit of what a coding agent did where the codemods stopped."""
    first = f"{title(migration)}, where it takes judgement"
    message = commit_message(migration, target).replace(title(migration), first, 1)
    return message.replace("\nGreylag-Migration:", "\nGreylag-Author: agent\nGreylag-Migration:", 1)


def body(migration: CompiledMigration, target: Target, rewriting: Rewriting) -> str:
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
    return "\n\n".join(part for part in parts if part) + "\n"


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
