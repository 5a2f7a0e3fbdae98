"""The migration in a page, for a judge: it holds nothing of any repository."""

from __future__ import annotations

from greylag.agent.brief.facts import fact
from greylag.agent.brief.templating import filled
from greylag.domain.quoting import Quoted, plain
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.told import NotCarried, told


def summary(migration: CompiledMigration, *, characters: int = 8_000) -> str:
    """What a judge has to know of a migration: its mappings, in the migration's own dialect.

    It holds nothing of any repository. Of a migration too large for it, it says what was left out.
    """
    found = told(migration)
    assert not isinstance(found, NotCarried), "a migration is told in its own dialect"
    each = max(characters // max(len(found), 1), 600)
    parts = [
        {"names": _lines(one.names), "columns": _lines(one.columns), "rows": _lines(one.rows)}
        | {"view": _lines(one.view)}
        for one in (fact(mapping, None, each) for mapping in found)
    ]
    return filled("summary.md.j2", {"migration": plain(migration.name), "mappings": parts})


def _lines(block: Quoted) -> list[str]:
    note = [f"[{block.left_out} more lines are left out]"] if block.left_out else []
    return [*(line.removeprefix("|").removeprefix(" ") for line in block.lines), *note]
