"""Taking the compatibility view away: the last step, and only when nobody reads the old dataset any more."""

from __future__ import annotations

from dataclasses import dataclass

from greylag.engine.campaign import Campaign
from greylag.engine.events import EventKind
from greylag.engine.retire import Retirement, retire
from greylag.mapping.compat import removal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """May the views go? `statements` are empty while `retirement` still has readers, or the campaign goes on.

    `unended` are repositories in which the campaign is not over: what merged there may still be taken back.
    """

    retirement: Retirement
    unended: tuple[str, ...]
    statements: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Nobody reads the old names, and nothing of the campaign is under way."""
        return self.retirement.unread and not self.unended


def removal(campaign: Campaign) -> Removal:
    """Scan the fleet anew, and say whether the views may be dropped; the campaign keeps the answer."""
    found = retire(campaign)
    now = campaign.clock.now()
    with campaign.store.write() as session:
        known = session.migration(campaign.name) is not None
        unended = tuple(one.repository for one in session.targets(campaign.name) if not one.terminal)
        made = Removal(
            retirement=found,
            unended=unended,
            statements=removal_of(campaign.migration) if found.unread and not unended else (),
        )
        if known:
            word = "may be dropped" if made.allowed else "has to stay"
            names = ", ".join(str(mapping.dataset) for mapping in campaign.migration.mappings)
            data = {"readers": len(found.readers), "unended": list(unended), "allowed": made.allowed}
            text = f"the compatibility view {names} {word}"
            session.event(campaign.name, EventKind.COMPATIBILITY, text, at=now, data=data)
    return made
