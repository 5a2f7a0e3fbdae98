"""The plan as data, made by the same functions that decide. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from greylag.domain.check import Verdict
from greylag.domain.lineage import Dependency
from greylag.domain.migration import Criticality, MergePolicy, Rollout
from greylag.domain.target import TargetState
from greylag.engine import describe
from greylag.engine.campaign import Campaign
from greylag.engine.optouts import Unclear, asked, declared
from greylag.engine.parted import PartedHealth
from greylag.engine.patching import Rewriting
from greylag.engine.permits import criticality, left_out
from greylag.engine.plan_words import calendar_words, policy_words
from greylag.engine.ports import ProofLevel
from greylag.engine.upstream import cycle_words, ordered
from greylag.engine.world import Target
from greylag.rollout.policy import merges_by_itself
from greylag.rollout.sources import NoHealth
from greylag.rollout.waves import Weight, assign
from greylag.rollout.windows import Opening, opening


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTarget:
    """What `run` would do to one repository. `state` is where it stands when the campaign has begun.

    `window` says what closes merging for it now, or what its traffic taught; empty: nothing to say.
    `upstream` are targets of the same or an earlier wave that build what it reads: they come first. `later`
    are those of a later wave, which nobody waits for.
    """

    repository: str
    does: str
    consumers: int
    edited: int
    verdict: Verdict | None
    wave: int | None
    merges: str
    owners: tuple[str, ...]
    reasons: tuple[str, ...]
    questions: tuple[str, ...]
    state: str | None = None
    window: str = ""
    upstream: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `run` would do. `questions` maps a key to its text and the targets that wait on it.

    `sample` is how the first target's branch, title, body and commit are worded; empty without templates.
    """

    migration: str
    policy: tuple[str, ...]
    window: Opening
    targets: tuple[PlannedTarget, ...]
    questions: Mapping[str, tuple[str, tuple[str, ...]]]
    sample: Mapping[str, str] = field(default_factory=dict)

    @property
    def waves(self) -> dict[int, tuple[PlannedTarget, ...]]:
        """The targets of each wave."""
        numbers = sorted({target.wave for target in self.targets if target.wave is not None})
        return {
            number: tuple(target for target in self.targets if target.wave == number) for number in numbers
        }


def plan(campaign: Campaign, *, proof: ProofLevel | None = None) -> Plan:
    """Rewrite every repository in memory, and put the targets into waves; done to nothing."""
    migration, _ = campaign.compiled()
    rollout = campaign.migration.rollout
    known = {target.repository: target for target in campaign.world().targets}
    made = campaign.scanner.rehearse(proof=proof)
    left = _left_out(campaign, made)
    edges = campaign.scanner.edges(made)
    order = ordered(edges)
    weights = [
        Weight(
            repository=repository,
            consumers=len(rewriting.entries),
            needs_person=rollout.merge is not MergePolicy.NEVER and not _alone(rollout, rewriting),
            owners=_owners(rewriting),
            criticality=_critical(campaign, repository, rewriting),
            downstream=order.downstream.get(repository, 0),
            depth=order.depth.get(repository, 0),
        )
        for repository, rewriting in made.items()
        if rewriting.state is TargetState.REWRITTEN and repository not in left
    ]
    waves = assign(weights, rollout.waves)
    targets = []
    for repository, rewriting in made.items():
        row = known.get(repository)
        wave = row.wave if row is not None and row.wave is not None else waves.get(repository)
        state = None if row is None else row.state.value
        planned = _target(repository, rewriting, rollout, wave, state)
        if repository in left:
            told = (left[repository],)
            planned = replace(
                planned, does="leave alone", merges="nothing to merge", reasons=told, questions=()
            )
        elif rewriting.state is TargetState.REWRITTEN:
            planned = replace(planned, window=_window(campaign, planned))
        targets.append(planned)
    targets = _upstreams(targets, edges)
    questions: dict[str, tuple[str, tuple[str, ...]]] = {}
    for mapping in migration.mappings:
        for column, text in mapping.unmapped.items():
            key = f"{mapping.dataset}.{column}"
            waiting = tuple(target.repository for target in targets if key in target.questions)
            if waiting:
                questions[key] = (text, waiting)
    return Plan(
        migration=campaign.name,
        policy=(
            *policy_words(rollout),
            *_unwatched(campaign),
            *calendar_words(campaign.rules),
            *map(_sentence, cycle_words(order)),
        ),
        window=opening(rollout.window, campaign.clock.now(), calendar=campaign.rules.calendar),
        targets=tuple(targets),
        questions=questions,
        sample=_sample(campaign, made),
    )


def _sample(campaign: Campaign, made: Mapping[str, Rewriting]) -> dict[str, str]:
    migration, _ = campaign.compiled()
    templates = campaign.performer.rewrites.worded(migration)
    found = sorted(name for name, one in made.items() if one.state is TargetState.REWRITTEN)
    if templates == describe.PLAIN or not found:
        return {}
    name, first = found[0], made[found[0]]
    target = Target(repository=name, state=first.state, owners=tuple(_owners(first)))
    return {
        "repository": name,
        "branch": describe.branch(migration.name, 1, templates, repository=name),
        "title": describe.title(migration, target, templates),
        "body": describe.body(migration, target, first, templates),
        "commit": describe.commit_message(migration, target, templates),
    }


def _upstreams(targets: Sequence[PlannedTarget], edges: Iterable[Dependency]) -> list[PlannedTarget]:
    """The same targets, with what builds what they read: nobody waits for a later wave, nor in a circle."""
    waves = {target.repository: target.wave for target in targets}
    cycle = {name: group for group in ordered(tuple(edges)).cycles for name in group}
    first: dict[str, list[str]] = {}
    later: dict[str, list[str]] = {}
    for edge in edges:
        mine, theirs = waves.get(edge.repository), waves.get(edge.upstream)
        together = edge.upstream in cycle.get(edge.repository, ())
        if mine is not None and theirs is not None and not together:
            found = first if theirs <= mine else later
            found.setdefault(edge.repository, []).append(str(edge))
    return [
        replace(
            target,
            upstream=tuple(first.get(target.repository, ())),
            later=tuple(later.get(target.repository, ())),
        )
        for target in targets
    ]


def _sentence(words: str) -> str:
    return f"{words}."


def _left_out(campaign: Campaign, made: Mapping[str, Rewriting]) -> dict[str, str]:
    """Repositories that stay out, or of which nobody knows whether they do, and why."""
    found = {}
    for repository, rewriting in made.items():
        repo = campaign.fleet.open(repository)
        said = asked(repo, repo.head(), campaign.name)
        if isinstance(said, Unclear):
            found[repository] = f"nobody knows whether it takes part: {said.reason}"
            continue
        target = Target(
            repository=repository, state=TargetState.FOUND, owners=_owners(rewriting), optout=said
        )
        reason = left_out(campaign.rules, target)
        if reason is not None:
            found[repository] = reason
    return found


def _critical(campaign: Campaign, repository: str, rewriting: Rewriting) -> Criticality:
    repo = campaign.fleet.open(repository)
    return criticality(campaign.rules, repository, _owners(rewriting), declared(repo, repo.head()))


def _owners(rewriting: Rewriting) -> tuple[str, ...]:
    return tuple(sorted({entry.consumer.owner for entry in rewriting.entries if entry.consumer.owner}))


def _window(campaign: Campaign, target: PlannedTarget) -> str:
    """What closes merging for this target now, and what its traffic taught."""
    now = campaign.clock.now()
    quiet = campaign.rules.rollout.window is None
    lesson = campaign.performer.lessons(campaign.name, target.repository) if quiet else None
    found = opening(
        campaign.rules.rollout.window,
        now,
        schedules=campaign.performer.schedules(target.repository),
        lesson=lesson,
        calendar=campaign.rules.calendar,
        repository=target.repository,
        owners=target.owners,
    )
    told = "" if lesson is None else lesson.words
    if lesson is not None and lesson.hours is None:
        told += ": it only keeps away from runs that its schedule announces"
    if found.open:
        return told
    until = f" until {found.until:%Y-%m-%d %H:%M %Z}" if found.until else ""
    closed = f"no merge{until}: {found.why}"
    return closed if told in closed else f"{closed}; {told}"


def _alone(rollout: Rollout, rewriting: Rewriting) -> bool:
    return merges_by_itself(rollout.merge, rewriting.verdict or Verdict.INCONCLUSIVE)


def _target(
    repository: str, rewriting: Rewriting, rollout: Rollout, wave: int | None, state: str | None
) -> PlannedTarget:
    edited = [entry for entry in rewriting.entries if entry.outcome == "edited"]
    merges = "nothing to merge"
    if rewriting.state is TargetState.AGENT:
        merges = "as its checks allow"
    if rewriting.state is TargetState.REWRITTEN:
        merges = "by itself" if _alone(rollout, rewriting) else "when a person approves"
    does = {
        TargetState.REWRITTEN: "propose",
        TargetState.WAITING_ANSWER: "ask",
        TargetState.AGENT: "let an agent try",
        TargetState.SKIPPED: "leave alone",
    }.get(rewriting.state, "nothing")
    reasons = tuple(
        dict.fromkeys(
            reason for entry in rewriting.entries if entry not in edited for reason in entry.reasons
        )
    )
    return PlannedTarget(
        repository=repository,
        does=does,
        consumers=len(rewriting.entries),
        edited=len(edited),
        verdict=rewriting.verdict,
        wave=wave,
        merges=merges,
        owners=_owners(rewriting),
        reasons=reasons,
        questions=rewriting.questions if rewriting.state is TargetState.WAITING_ANSWER else (),
        state=state,
    )


def _unwatched(campaign: Campaign) -> tuple[str, ...]:
    """Whoever has configured no health would wait for it in vain: that is said beforehand."""
    health = campaign.performer.health
    if not isinstance(health.source if isinstance(health, PartedHealth) else health, NoHealth):
        return ()
    return (
        "Nothing tells whether a merge is healthy (`health` in greylag.yaml): "
        "a person accepts each one with `greylag approve`.",
    )
