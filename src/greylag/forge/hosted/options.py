"""How pull requests are made on a hosted forge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from greylag.forge.hosted.api import MergeMethod
from greylag.workspace.signing import Signer

OWNERS = "owners"
"""Among those who are assigned: the people who are asked for a review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How pull requests are made. `draft`: until our checks have passed. `author` is who reverts are by, and
    `sign` signs them.

    `poll`: seconds between two looks for what people said in a repository. `trailers`: what our merge commits
    say besides, name to value. `assignees`: who is assigned to each; `owners` means the people (not the
    teams) that are asked for a review.
    """

    draft: bool = False
    merge_method: MergeMethod = "merge"
    delete_branch: bool = True
    author: str = "Greylag"
    email: str = "greylag@localhost"
    sign: Signer | None = None
    poll: float = 0.0
    trailers: Mapping[str, str] = field(default_factory=dict)
    assignees: tuple[str, ...] = ()
