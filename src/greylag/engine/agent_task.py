"""One target's leftovers as an agent gets them: its copy of the repository, the brief, and who judges."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from greylag.agent.brief import Answered, Brief, BriefInput, house_rules, make_brief
from greylag.agent.learning import examples_for
from greylag.agent.loop.diff import unified_diff
from greylag.domain.agent import Example, Leftover
from greylag.engine import agent_runs, questions
from greylag.engine.agent_parts import Agents
from greylag.engine.checking import Verification
from greylag.engine.copying import Copy, companions, copied
from greylag.engine.effects import Request, Tools
from greylag.engine.judges import Base
from greylag.engine.rewriter import Draft
from greylag.engine.world import Target
from greylag.rewrite import candidate_names
from greylag.workspace import OverlaidFiles, Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one run is about. `copy` holds the base commit with the codemods' changes in it.

    `off` is set when nobody wants the run any more.
    """

    draft: Draft
    target: Target
    copy: Copy
    brief: Brief
    verification: Verification
    off: threading.Event

    @property
    def leftovers(self) -> tuple[Leftover, ...]:
        """The files to be changed."""
        return self.draft.chosen.leftovers

    @property
    def paths(self) -> frozenset[str]:
        """Their paths."""
        return frozenset(left.path for left in self.leftovers)


def task_of(tools: Tools, agents: Agents, request: Request, target: Target, draft: Draft) -> Task:
    """Read the repository, write the brief, set up the checks. Raises TooMuch."""
    repo = tools.fleet.open(target.repository)
    commit = tools.rewrites.commit(draft, target) or draft.sources.commit
    leftovers = draft.chosen.leftovers
    copy = copied(repo, commit, {left.path for left in leftovers})
    changed = {path: new.decode("utf-8") for path, new in draft.made.changes.items()}
    files = OverlaidFiles(draft.sources.files, changed)
    beside = companions(leftovers, copy.data, candidate_names(draft.migration))
    base = _base(repo, draft, copy)
    shown, answers = _known(tools, request, target)
    brief = make_brief(
        BriefInput(
            migration=draft.migration,
            repository=target.repository,
            leftovers=leftovers,
            files={left.path: files[left.path] for left in leftovers},
            companions=beside,
            house=house_rules(files, [left.path for left in leftovers]),
            examples=examples_for(sorted(set((draft.chosen.idioms or {}).values())), shown),
            answers=answers,
            verifiers=agents.judges.notes(files),
            codemods=unified_diff(base.files, draft.made.changes),
            earlier=target.context,
        )
    )
    off = threading.Event()

    def stopped() -> bool:
        return off.is_set() or agents.closing.is_set()

    verification = Verification(
        migration=draft.migration,
        original=draft.sources.files,
        before=files,
        leftovers=leftovers,
        guards=agents.judges.guards(
            draft.migration, leftovers, copy.data, companions=beside, residue=(brief.marker,)
        ),
        others=agents.judges.others(base, draft.made.changes, stopped=stopped),
        over=stopped,
    )
    return Task(draft=draft, target=target, copy=copy, brief=brief, verification=verification, off=off)


def _known(
    tools: Tools, request: Request, target: Target
) -> tuple[tuple[Example, ...], tuple[Answered, ...]]:
    """Examples and answers for a brief.

    A run that was cut off gets the examples that it began with: with another brief it would begin anew, and
    what it was paid for would be lost.
    """
    with tools.store.read() as session:
        begun = agent_runs.begun(session, request.migration, target)
        shown = agent_runs.examples(session, request.migration, until=begun)
        answers = questions.answers_for_brief(session, request.migration)
    return shown, tuple(Answered(question=one, answer=other) for one, other in answers.items())


def _base(repo: Repository, draft: Draft, copy: Copy) -> Base:
    """The repository before the codemods; `copy` is what it holds after them."""
    commit = draft.sources.commit
    changed: Mapping[str, bytes | None] = {path: repo.find(commit, path) for path in draft.made.changes}
    files = {**copy.data, **changed}
    return Base(
        commit=commit,
        files={path: found for path, found in files.items() if found is not None},
        executable=copy.executable,
    )
