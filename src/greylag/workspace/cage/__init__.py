"""Commands of a repository's own, and agents, run where they see one folder and nothing else."""

from greylag.workspace.cage.base import (
    HOME,
    PORT,
    SOCKET,
    WORK,
    Cage,
    Caged,
    CageError,
    CageLimits,
    CageSpec,
    NoSandbox,
)
from greylag.workspace.cage.choose import choose_cage, unsafe_cage
from greylag.workspace.cage.masks import AGENT_CONFIG, is_agent_config

__all__ = [
    "AGENT_CONFIG",
    "HOME",
    "PORT",
    "SOCKET",
    "WORK",
    "Cage",
    "CageError",
    "CageLimits",
    "CageSpec",
    "Caged",
    "NoSandbox",
    "choose_cage",
    "is_agent_config",
    "unsafe_cage",
]
