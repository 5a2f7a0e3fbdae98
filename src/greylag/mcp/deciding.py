"""The tools that decide something in a person's name; a server has them only where it was told so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, cast

from mcp.server.mcpserver import Context
from pydantic import Field

from greylag.engine import documents
from greylag.mcp.access import Access
from greylag.mcp.shapes import Done, Migration


def answer(access: Access) -> Callable[..., Done]:
    """The tool `answer`."""

    def answer(
        migration: Migration,
        key: Annotated[str, Field(description="The question's key, as `questions` shows it.")],
        value: Annotated[
            str,
            Field(description="Of a column: SQL over the new datasets, or `skip`. Of an agent: words."),
        ],
        ctx: Context[Any, Any],
        again: Annotated[bool, Field(description="Replace an answer that was given before.")] = False,
    ) -> Done:
        """Answer a question, once for all targets that wait on it; the answer is kept in the migration file.
        Only ever give an answer that a person decided.
        """
        from greylag.engine.overrides import Overrides

        overrides = Overrides(access.campaign(migration), _actor(access, ctx), "mcp")
        return cast("Done", documents.report_document(overrides.answer(key, value, again=again)))

    return answer


def approve(access: Access) -> Callable[..., Done]:
    """The tool `approve`."""

    def approve(
        migration: Migration,
        ctx: Context[Any, Any],
        target: Annotated[str | None, Field(description="One repository.")] = None,
        wave: Annotated[int | None, Field(description="Every target of a wave.")] = None,
        everything: Annotated[bool, Field(description="Everything that waits now.")] = False,
    ) -> Done:
        """Approve merges that need a person, as they stand, or accept the health of what was merged. Give one
        of target, wave and everything. Only ever approve what a person decided.
        """
        from greylag.engine.overrides import Overrides

        overrides = Overrides(access.campaign(migration), _actor(access, ctx), "mcp")
        report = overrides.approve(target, wave=wave, everything=everything)
        return cast("Done", documents.report_document(report))

    return approve


def _actor(access: Access, ctx: Context[Any, Any]) -> str:
    """The person whom the server works for, and the client that speaks for them, by its own word."""
    info = getattr(getattr(ctx.session, "client_params", None), "client_info", None)
    name = re.sub(r"[^\w .-]", "", str(getattr(info, "name", "") or ""))[:40].strip()
    return f"{access.actor} (mcp{f': {name}' if name else ''})"
