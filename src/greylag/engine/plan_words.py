"""The plan in words, and what the policy of a migration means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence, Sized
from datetime import datetime
from typing import TYPE_CHECKING

from greylag.domain.migration import MergePolicy, Rollout
from greylag.domain.words import count, duration
from greylag.engine.world import Rules

if TYPE_CHECKING:
    from greylag.engine.explain import Plan, PlannedTarget


def policy_words(rollout: Rollout) -> tuple[str, ...]:
    """The policy of a migration, a sentence each."""
    merge = {
        MergePolicy.NEVER: "Nothing merges without a person's approval.",
        MergePolicy.PROVEN: "What is proven in every file merges by itself; the rest waits for approval.",
        MergePolicy.VERIFIED: "What is proven or tested in every file merges by itself; the rest waits.",
    }[rollout.merge]
    window = (
        "Merges keep away from the minutes before a consumer runs, where its schedule is known."
        if rollout.window is None
        else f"Merges happen in the window {rollout.window.cron!r} ({rollout.window.timezone})."
    )
    return (
        merge,
        window,
        f"Each merge is watched for {duration(rollout.bake)}; an unhealthy one is reverted.",
        f"A wave that sees more than {count(rollout.max_reverts, 'revert')} is held until a person resumes.",
        f"Open pull requests an owner at a time, at most: {rollout.per_owner}.",
    )


def calendar_words(rules: Rules) -> tuple[str, ...]:
    """What is closed by calendars, and the limits over all owners, a sentence each."""
    calendar = rules.calendar
    told = []
    if calendar.holidays:
        places = ", ".join(dict.fromkeys(str(holiday) for holiday in calendar.holidays))
        told.append(f"Nothing merges on public holidays in {places}.")
    for freeze in calendar.freezes:
        whom = ", ".join((*freeze.owners, *freeze.repositories))
        what = f"of {whom} " if whom else ""
        span = f"{freeze.start:%Y-%m-%d %H:%M} to {freeze.end:%Y-%m-%d %H:%M %Z}"
        told.append(f"Nothing {what}merges from {span}: {freeze.because}.")
    if rules.max_open is not None:
        told.append(f"Open pull requests in all, at most: {rules.max_open}.")
    if rules.merges_per_hour is not None:
        told.append(f"Merges in an hour, at most: {rules.merges_per_hour}.")
    return tuple(told)


def words(plan: Plan, now: datetime) -> list[str]:
    """The plan, a line each. What is said of several targets alike is said once."""
    lines = [f"{plan.migration}: {_targets(plan.targets)}", *(f"  {line}" for line in plan.policy)]
    if plan.sample:
        shown = plan.sample
        lines.append(f"  {shown['repository']}: branch {shown['branch']}, “{shown['title']}”.")
    if not plan.window.open:
        until = f" until {plan.window.until:%Y-%m-%d %H:%M %Z}" if plan.window.until else ""
        lines.append(f"  Now ({now:%H:%M %Z}) no merge is allowed{until}: {plan.window.why}.")
    alike = {
        text: number
        for text, number in Counter(target.window for target in plan.targets).items()
        if text and number > 1
    }
    lines += [f"  {count(number, 'target')}: {text}." for text, number in alike.items()]
    for number, members in plan.waves.items():
        lines.append(f"wave {number}: {_targets(members)}")
        lines += _shown(members, alike)
    rest = [target for target in plan.targets if target.wave is None]
    if rest:
        lines.append(f"in no wave: {_targets(rest)}")
        lines += _shown(rest, alike)
    for key, (text, waiting) in plan.questions.items():
        lines.append(f"question {key}: {text}")
        lines.append(f"  {_targets(waiting)} waiting on it: greylag answer {plan.migration} {key} VALUE")
    return lines


def _targets(some: Sized) -> str:
    return count(len(some), "target")


def _shown(members: Iterable[PlannedTarget], alike: Container[str]) -> list[str]:
    lines = []
    for target in members:
        lines.append(f"  {_line(target)}")
        if target.upstream:
            lines.append(f"    waits for {_first(target.upstream)}")
        if target.later:
            lines.append(f"    does not wait for {_first(target.later)}: that is of a later wave")
        if target.window and target.window not in alike:
            lines.append(f"    {target.window}")
    return lines


def _first(told: Sequence[str]) -> str:
    more = len(told) - 1
    return told[0] + (f" and {more} more" if more else "")


def _line(target: PlannedTarget) -> str:
    parts = [
        f"{target.repository}: {target.does}, {target.edited} of {count(target.consumers, 'consumer')} edited"
    ]
    if target.verdict is not None:
        parts.append(f"{target.verdict}, merges {target.merges}")
    if target.state is not None:
        parts.append(f"now {target.state}")
    parts += target.reasons[:2]
    return "; ".join(parts)
