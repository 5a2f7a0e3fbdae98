"""Where pull requests live."""

from greylag.forge.base import (
    Comment,
    Forge,
    ForgeError,
    Merged,
    MergeRefusal,
    NotMergeable,
    NotRevertible,
    PullRequest,
    PullRequestSpec,
    PullRequestState,
    Remark,
    Remarks,
    RevertRefusal,
)
from greylag.forge.embedded import EmbeddedForge

__all__ = [
    "Comment",
    "EmbeddedForge",
    "Forge",
    "ForgeError",
    "MergeRefusal",
    "Merged",
    "NotMergeable",
    "NotRevertible",
    "PullRequest",
    "PullRequestSpec",
    "PullRequestState",
    "Remark",
    "Remarks",
    "RevertRefusal",
]
