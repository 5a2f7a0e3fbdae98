"""Parts of a shared repository: disjoint, complete, and no file ever in two open changes of ours."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pygit2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.e2e.campaigns import START, ScriptedHealth, make_fleet, push

from greylag.app import Settings, build
from greylag.domain.check import Proof, Verdict
from greylag.domain.consumer import Framework, Read
from greylag.domain.outcome import Edited, FileReport, Form, FormChoice, Unchanged
from greylag.domain.parts import part_of
from greylag.domain.target import TargetState
from greylag.engine.actions import WaitKind
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.loop import Outcome
from greylag.engine.overrides import Overrides
from greylag.engine.parts import cut
from greylag.engine.ports import ProofLevel
from greylag.engine.report import ledger_rows
from greylag.engine.work import InlineWork
from greylag.forge import EmbeddedForge, PullRequestState
from greylag.mapping.compiled import CompiledMigration
from greylag.workspace import Repository

PATHS = [f"{folder}/{name}" for folder in "abc" for name in ("q.sql", "r.sql", "s.sql")]
TEAMS = ["@alpha", "@beta", "@org/gamma", "d@example.org", None]

paths = st.sets(st.sampled_from(PATHS))
owners = st.fixed_dictionaries({path: st.sampled_from(TEAMS) for path in PATHS})
pairs = st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(PATHS)), max_size=6)
standing = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["alpha", "beta", "no-owner"]))


@given(paths, owners, pairs, standing)
def test_a_cut_is_disjoint_complete_and_keeps_together_what_belongs_together(
    paths: set[str],
    owners: dict[str, str | None],
    pairs: list[tuple[str, str]],
    standing: dict[str, str],
) -> None:
    made = cut(paths, owners.__getitem__, pairs, standing)
    count = Counter(path for part in made.parts.values() for path in part)
    assert count == Counter(paths)
    of = made.of()
    assert all(of[one] == of[other] for one, other in pairs if one in paths and other in paths)
    bound = {path for pair in pairs for path in pair}
    for path in paths - bound:
        assert of[path] == standing.get(path, part_of(owners[path]))
    for name, joined in made.joined.items():
        assert joined == {path for path in made.parts[name] if part_of(owners[path]) != name}


@given(st.text(max_size=30), st.text(max_size=30))
def test_two_owners_never_share_a_part(one: str, other: str) -> None:
    same = one == other or (one[:1] == other[:1] == "@" and one.lower() == other.lower())
    assert (part_of(one) == part_of(other)) == same
    assert part_of(one) != part_of(None)


@given(st.sampled_from(["@", ""]), st.text(max_size=30), st.sampled_from([1, 40]))
def test_a_part_is_a_piece_of_a_branchs_name(start: str, name: str, times: int) -> None:
    """However odd the owner, or long: `@a…` of 500 letters had a name that no file system takes."""
    found = part_of(start + name * times)
    assert 0 < len(found) <= 110
    assert "/" not in found
    assert pygit2.reference_is_valid_name(f"refs/heads/greylag/users-v2.{found}")


MIGRATION = """\
name: {name}-v2
dialect: bigquery
replaces:
  - dataset: prod.core.{name}_v1
    columns: {{id: STRING}}
    to: prod.core.{name}_v2
provides:
  - dataset: prod.core.{name}_v2
    columns: {{id: STRING}}
rollout: {{waves: [2, 100%], merge: verified, bake: 10m, split: owner, per_owner: 2, max_reverts: 9}}
"""
SHARED = "sources.txt"
"""Every change of a file in `b/` adds a line here, as a list of sources does."""


def rewriter(
    files: Mapping[str, str],
    migration: CompiledMigration,
    *,
    form: FormChoice,
    proof: ProofLevel,
    only: Callable[[str], bool],
) -> tuple[FileReport, ...]:
    """Rewrites by plain replacement, with a list that follows."""
    (mapping,) = migration.mappings
    old = str(mapping.dataset)
    new = old.replace("_v1", "_v2")
    reports, added = [], []
    for path, text in files.items():
        if not only(path):
            continue
        if old not in text:
            reports.append(FileReport(path=path, outcome=Unchanged()))
            continue
        read = Read(dataset=mapping.dataset, line=1, column=1)
        after, proof = text.replace(old, new), Proof(verdict=Verdict.PROVEN, method="x")
        outcome = Edited(framework=Framework.SQL, form=Form.INLINE, text=after, reads=(read,))
        reports.append(FileReport(path=path, outcome=outcome, proof=proof))
        added += [f"{path} {new}\n"] if path.startswith("b/") else []
    if added:
        text = files.get(SHARED, "") + "".join(added)
        follows = Edited(framework=Framework.SQL, form=Form.INLINE, text=text, reads=())
        reports.append(FileReport(path=SHARED, outcome=follows))
    return tuple(reports)


def _start(repo: Repository, commit: str) -> str:
    start = repo.merge_base(commit, repo.head())
    assert start is not None
    return start


class Play:
    """Two campaigns over one shared repository, and people who change it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.root = folder / "fleet"
        files = {"CODEOWNERS": self.codeowners(), SHARED: "# no reader\n"}
        make_fleet(self.root, {"mono": files | {path: self.text() for path in PATHS}})
        database = f"sqlite:///{folder / '.greylag' / 'greylag.db'}"
        self.health = ScriptedHealth()
        self.clock = LeapClock(START)
        app = build(
            Settings.model_validate({"fleet": self.root, "database": database}),
            rewriter=rewriter,
            clock=self.clock,
            health=self.health,
            work=InlineWork,
        )
        self.forge = EmbeddedForge(self.root)
        self.campaigns: list[Campaign] = []
        for name in ("users", "devices"):
            path = folder / f"{name}.migration.yaml"
            path.write_text(MIGRATION.format(name=name), encoding="utf-8")
            campaign = app.campaign(str(path))
            campaign.start()
            campaign.scan()
            self.campaigns.append(campaign)

    def codeowners(self) -> str:
        teams = [team for team in TEAMS if team]
        rules = [f"/{folder}/ {self.random.choice(teams)}" for folder in "abc" if self.random.random() < 0.8]
        single = self.random.sample(PATHS, 2)
        rules += [f"/{path} {' '.join(self.random.sample(teams, 2))}" for path in single]
        return "\n".join(rules) + "\n"

    def text(self) -> str:
        read = self.random.choice([["users"], ["devices"], ["users", "devices"], []])
        return "-- a report\n" + "".join(f"SELECT id FROM prod.core.{name}_v1\n" for name in read)

    def tick(self, campaign: Campaign) -> None:
        with InlineWork(campaign.performer.perform) as work:
            campaign.tick(work)

    def step(self) -> None:
        campaign = self.random.choice(self.campaigns)
        match self.random.randrange(12):
            case 0:
                push(self.root, "mono", {"CODEOWNERS": self.codeowners().encode()})
            case 1:
                push(self.root, "mono", {self.random.choice(PATHS): self.text().encode()})
            case 2:
                self.clock.sleep_until(self.clock.now() + timedelta(minutes=6), threading.Event())
            case 3 if self.random.random() < 0.2:
                live = [one.repository for one in campaign.world().targets if not one.terminal]
                if live:
                    Overrides(campaign, actor="ann").skip(self.random.choice(live), "not now")
            case 4:
                self.health.sick ^= {"mono"}
            case 5:
                campaign.scan()
            case _:
                self.tick(campaign)

    def finish(self) -> list[Outcome]:
        """Each campaign to its end, as often as one may wait for the other."""
        for _ in range(4):
            ended = [campaign.run() for campaign in self.campaigns]
        return ended

    def check(self) -> None:
        """No file in two open changes; and whatever is wanted belongs to one target."""
        repo = Repository.open(self.root / "mono.git")
        mine = {
            pull.number: set(repo.changed(_start(repo, pull.head_commit), pull.head_commit))
            for pull in self.forge.pull_requests("mono", state=PullRequestState.OPEN)
            if not self.taken(pull.key)
        }
        seen = Counter(path for changed in mine.values() for path in changed)
        assert max(seen.values(), default=0) <= 1, mine

    def taken(self, key: str) -> bool:
        """A person has it."""
        migration, _, rest = key.partition("/")
        target = rest.rpartition("/")[0]
        for campaign in self.campaigns:
            if campaign.name == migration:
                known = {one.repository: one.state for one in campaign.world().targets}
                return known.get(target) is TargetState.HANDED_OVER
        return False


@pytest.mark.parametrize("seed", range(3))
def test_no_file_is_ever_in_two_open_changes(tmp_path: Path, seed: int) -> None:
    play = Play(tmp_path, seed)
    for _ in range(60):
        play.step()
        play.check()
    play.health.sick.clear()
    ended = play.finish()
    # Held: somebody worked over what was to be taken back, and it is theirs to go on.
    held = any(wait.kind is WaitKind.PERSON for one in ended for wait in one.decision.waits)
    assert held or all(one.over for one in ended), [one.decision.waits for one in ended]
    for campaign in play.campaigns:
        assert_every_reader_is_told(play, campaign)
    play.check()


def assert_every_reader_is_told(play: Play, campaign: Campaign) -> None:
    """Every file that still reads the old dataset has one row, and none says that it was migrated."""
    rows = ledger_rows(campaign)
    keys = Counter((row.path, row.dataset) for row in rows)
    assert not [key for key, count in keys.items() if count > 1]
    left = {entry.consumer.path for entry in campaign.survey()}
    told = {row.path: row.state for row in rows}
    assert left <= told.keys()
    assert not [path for path in left if told[path] in ("migrated", "retired")], (left, told)
