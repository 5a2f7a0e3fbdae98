"""The six tools as the model sees them: their names, arguments and descriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pydantic_ai import RunContext, Tool

from greylag.agent.own import tools
from greylag.agent.own.folder import Folder, Refused

Ctx = RunContext[object]


class Wire(Protocol):
    """What leads to the host."""

    def send(self, **line: object) -> None:
        """Tell the host what happens."""
        ...

    def call(self, name: str, **arguments: object) -> str:
        """Have the host do something; its words."""
        ...


def toolset(folder: Folder, wire: Wire) -> list[Tool[object]]:
    """The tools over one folder. The docstrings within are what the model reads."""

    def read(ctx: Ctx, path: str, start: int = 1, lines: int = 300) -> str:
        """Read a text file of the repository. Lines are shown with their number and a tab in front.

        Args:
            path: From the root of the repository.
            start: The first line.
            lines: How many lines.
        """
        return noted(
            ctx, "read", lambda: tools.read(folder, path, start, lines), path=path, start=start, lines=lines
        )

    def search(ctx: Ctx, text: str, path: str = "") -> str:
        """Find the lines that hold a text, in any case. With an empty text, list the files.

        Args:
            text: Plain words, not a pattern.
            path: Only under this folder, or in this file.
        """
        return noted(ctx, "search", lambda: tools.search(folder, text, path), text=text, path=path)

    def edit(ctx: Ctx, path: str, old: str, new: str) -> str:
        """Change an existing file: replace `old`, which must stand in it exactly once, by `new`.

        Args:
            path: From the root of the repository.
            old: The words as they stand, white space and all, without numbers of lines.
            new: What shall stand there.
        """
        return noted(ctx, "edit", lambda: tools.edit(folder, path, old, new), path=path, old=old, new=new)

    def verify(ctx: Ctx) -> str:
        """Run the verifiers on your changes as they stand, and hear what fails."""
        return noted(ctx, "verify", lambda: wire.call("verify"))

    def ask(ctx: Ctx, question: str, options: list[str] | None = None) -> str:
        """Ask a person what only a person can decide. Your work may end with it until there is an answer.

        Args:
            question: One question, to be understood without this conversation.
            options: Answers to choose from.
        """
        given = options or []
        return noted(
            ctx,
            "ask",
            lambda: wire.call("ask", question=question, options=given),
            question=question,
            options=given,
        )

    def give_up(ctx: Ctx, reason: str) -> str:
        """Say that it cannot be done, and why. It ends your work; nothing of it is kept.

        Args:
            reason: What stands in the way, with file and line.
        """
        return noted(ctx, "give_up", lambda: wire.call("give_up", reason=reason), reason=reason)

    def noted(ctx: Ctx, name: str, act: Callable[[], str], **arguments: object) -> str:
        wire.send(note="tool_call", id=ctx.tool_call_id, name=name, arguments=arguments)
        try:
            text = act()
        except Refused as refused:
            text = f"Not done: {refused}"
        wire.send(note="tool_result", id=ctx.tool_call_id, name=name, text=text)
        return text

    # One after the other: what one sees of another's edit must be the same every time.
    return [Tool(one, sequential=True) for one in (read, search, edit, verify, ask, give_up)]
