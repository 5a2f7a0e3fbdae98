"""What all cages share: a command that is run to its end is one that is started, read and waited for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from greylag.workspace.cage.base import CageSpec
from greylag.workspace.cage.process import CagedCommand, run_to_end
from greylag.workspace.cage.spawn import Tail
from greylag.workspace.command import CommandResult


class Starting(ABC):
    """A cage that says how a command is started; see `Cage`."""

    def run(
        self, argv: Sequence[str], spec: CageSpec, *, timeout: float, tail: int = 20_000
    ) -> CommandResult:
        """Run a command to its end, without input; see `Cage`. Raises CageError if it cannot be built."""

        def started() -> tuple[CagedCommand, Tail]:
            caged = self._start(argv, spec, talks=False)
            return caged, Tail(caged.stdout, tail)

        return run_to_end(started, timeout=timeout, wall=spec.limits.wall)

    def start(self, argv: Sequence[str], spec: CageSpec) -> CagedCommand:
        """Start a command with pipes. Raises CageError if the cage cannot be built."""
        return self._start(argv, spec, talks=True)

    @abstractmethod
    def _start(self, argv: Sequence[str], spec: CageSpec, *, talks: bool) -> CagedCommand:
        """Start a command; `talks`: it has an input, and its output is read as it comes."""
