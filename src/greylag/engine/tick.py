"""One decision in the making."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from greylag.domain.parts import whole
from greylag.domain.target import TargetState
from greylag.engine.actions import Action, Effect, EffectKind, Settle, Wait, WaitKind
from greylag.engine.world import Target, World


@dataclass(slots=True)
class Tick:
    """One decision in the making: what was decided so far counts for the owners' limits."""

    world: World
    now: datetime
    actions: list[Action] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    open_now: Counter[str] = field(init=False)
    opened: int = field(init=False)
    merging: int = field(init=False)
    merging_in: set[str] = field(init=False)
    """Repositories of which a part may be merging now."""
    at_work: set[str] = field(init=False)
    """Targets that an agent works on, or begins to."""

    def __post_init__(self) -> None:
        self.at_work = {
            target.repository
            for target in self.world.targets
            if target.state is TargetState.AGENT and target.repository in self.world.busy
        }
        self.open_now = Counter(self.world.open_elsewhere)
        for target in self.world.targets:
            if self._holds(target):
                self.open_now.update(target.owners)
        self.merging_in = {
            whole(target.repository)
            for target in self.world.targets
            if target.state is TargetState.PROPOSED and target.repository in self.world.busy
        }
        self.opened = self.world.open_others + sum(self._holds(target) for target in self.world.targets)
        self.merging = sum(
            target.state is TargetState.PROPOSED and target.repository in self.world.busy
            for target in self.world.targets
        )

    def _holds(self, target: Target) -> bool:
        return target.holds_a_pull or (target.repository in self.world.busy and not target.terminal)

    def effect(self, kind: EffectKind, target: Target, note: str = "") -> None:
        """Ask for an effect, unless the last try failed a moment ago."""
        if target.not_before is not None and self.now < target.not_before:
            reason = f"{target.reason}; tried again soon"
            self.wait(WaitKind.TIME, target, reason, until=target.not_before)
            return
        self.actions.append(Effect(kind=kind, repository=target.repository, seq=target.seq, note=note))

    def settle(self, target: Target, state: TargetState, reason: str) -> None:
        """Ask for a change of state."""
        self.actions.append(Settle(repository=target.repository, seq=target.seq, state=state, reason=reason))

    def wait(
        self,
        kind: WaitKind,
        target: Target,
        reason: str,
        *,
        command: str | None = None,
        until: datetime | None = None,
    ) -> None:
        """Note why nothing happens to a target."""
        self.waits.append(
            Wait(kind=kind, repository=target.repository, reason=reason, command=command, until=until)
        )
