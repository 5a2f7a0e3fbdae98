"""Commands of a repository's own, and agents, run where they see one folder and nothing else."""

from greylag.workspace.cage.base import PORT, SOCKET, WORK, Cage, Caged, CageLimits, CageSpec, NoSandbox

__all__ = ["PORT", "SOCKET", "WORK", "Cage", "CageLimits", "CageSpec", "Caged", "NoSandbox"]
