"""A whole attempt with agents that are functions: what is said next, how it ends, what is kept."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.unit.agent.agents import Act, Acting, Found, collector, contains, job, says, writes

from greylag.agent.base import Job, Turn, TurnEnd
from greylag.agent.loop import Desk, load_resume, run_attempt
from greylag.agent.loop.diff import unified_diff
from greylag.agent.loop.resume import FILE, Resume, brief_hash, put_back, save_resume
from greylag.domain.agent import AttemptEnd, AttemptResult, Changes
from greylag.domain.check import Check
from greylag.domain.outcome import Reason

BEFORE = {"a.sql": b"SELECT 1 FROM users_v1\n"}
RIGHT, WRONG = "SELECT 1 FROM users_v2\n", "SELECT 2 FROM users_v3\n"
BRIEF = "Move a.sql to users_v2."


class World:
    """A folder, a desk, and what was noted and checked."""

    def __init__(self, root: Path) -> None:
        self.folder, self.keep = root / "work", root
        self.folder.mkdir(exist_ok=True)
        for name, content in BEFORE.items():
            (self.folder / name).write_bytes(content)
        self.noted: list[tuple[str, dict[str, object]]] = []
        self.checked: list[Changes] = []
        self.refused: tuple[Reason, ...] = ()
        self.desk = Desk(
            collect=self.collect, check=self.check, key=lambda text: f"q-{len(text)}", note=self.note
        )

    def note(self, kind: str, /, **data: object) -> None:
        self.noted.append((kind, data))

    def collect(self) -> Found:
        return Found(changes=collector(self.folder, BEFORE)().changes, refused=self.refused)

    def check(self, changes: Changes) -> tuple[Check, ...]:
        self.checked.append(changes)
        return contains("a.sql", "users_v2")(changes)

    def run(
        self, *acts: Act, rounds: int = 3, resume: Resume | None = None
    ) -> tuple[AttemptResult, list[str]]:
        agent = Acting(acts)
        result = run_attempt(
            runner=agent,
            job=job(self.folder, self.desk),
            brief=BRIEF,
            collect=self.collect,
            check=self.check,
            rounds=rounds,
            resume=resume,
            note=self.note,
            keep=self.keep,
            before=BEFORE,
        )
        assert agent.ended == 1
        return result, agent.heard


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_right_at_once(world: World) -> None:
    result, heard = world.run(writes("a.sql", RIGHT))
    assert (result.end, result.rounds) == (AttemptEnd.ACCEPTED, 1)
    assert result.changes == {"a.sql": RIGHT.encode()}
    assert heard == [BRIEF]
    assert [kind for kind, _ in world.noted] == ["prompt", "round"]
    assert world.noted[1][1]["diff"] == (
        "--- a/a.sql\n+++ b/a.sql\n@@ -1 +1 @@\n-SELECT 1 FROM users_v1\n+SELECT 1 FROM users_v2\n"
    )


def test_wrong_then_right_after_the_failure(world: World) -> None:
    result, heard = world.run(writes("a.sql", WRONG), writes("a.sql", RIGHT))
    assert (result.end, result.rounds) == (AttemptEnd.ACCEPTED, 2)
    assert "a.sql:1: users_v2 is expected" in heard[1]
    assert "2 more tries" in heard[1]
    assert BRIEF not in heard[1]


def test_a_lie_is_told_back_and_finally_rejected(world: World) -> None:
    result, heard = world.run(says(TurnEnd.ENDED, "All done, every test passes."), rounds=2)
    assert (result.end, result.rounds) == (AttemptEnd.REJECTED, 2)
    assert result.reason == "not right after 2 rounds; it changed nothing"
    assert "Nothing in the folder has changed" in heard[1]
    assert world.checked == []


def test_the_same_wrong_again_is_not_checked_again(world: World) -> None:
    result, heard = world.run(writes("a.sql", WRONG))
    assert (result.end, result.changes) == (AttemptEnd.REJECTED, {})
    assert "proof: a.sql:1: users_v2 is expected" in result.reason
    assert "You changed nothing since the last time" in heard[2]
    assert len(world.checked) == 1


def test_what_is_refused_is_told_and_nothing_else_is_checked(world: World) -> None:
    world.refused = (Reason(code="symlink", message="a.sql became a link"),)
    result, heard = world.run(writes("a.sql", RIGHT), rounds=2)
    assert result.end is AttemptEnd.REJECTED
    assert "a.sql became a link" in heard[1]
    assert world.checked == []


@pytest.mark.parametrize(
    ("end", "text", "expected", "reason"),
    [
        (
            TurnEnd.OVER_BUDGET,
            "$2.00 spent",
            AttemptEnd.OVER_BUDGET,
            "over budget: $2.00 spent; proof: a.sql:1",
        ),
        (TurnEnd.OUT_OF_TURNS, "", AttemptEnd.REJECTED, "all turns are used up; proof: a.sql:1"),
        (TurnEnd.OUT_OF_TIME, "", AttemptEnd.REJECTED, "the time is up; proof: a.sql:1"),
        (TurnEnd.FAILED, "worker died", AttemptEnd.ERRORED, "the agent's session failed: worker died"),
        (TurnEnd.GAVE_UP, "too hard", AttemptEnd.GAVE_UP, "the agent gave up: too hard"),
        (TurnEnd.ASKED, "which plan?", AttemptEnd.ASKED, "the agent asks: which plan?"),
    ],
)
def test_ends_that_no_prompt_follows(
    world: World, end: TurnEnd, text: str, expected: AttemptEnd, reason: str
) -> None:
    def act(task: Job, words: str) -> Turn:
        writes("a.sql", WRONG)(task, words)
        return says(end, text)(task, words)

    result, heard = world.run(act)
    assert (result.end, result.changes, len(heard)) == (expected, {}, 1)
    assert result.reason.startswith(reason)


@pytest.mark.parametrize("end", [TurnEnd.OVER_BUDGET, TurnEnd.OUT_OF_TURNS, TurnEnd.OUT_OF_TIME])
def test_work_that_is_right_counts_however_the_turn_ended(world: World, end: TurnEnd) -> None:
    turn = says(end)(job(world.folder, world.desk), "")
    assert world.run(writes("a.sql", RIGHT, turn))[0].end is AttemptEnd.ACCEPTED


def test_a_session_that_failed_is_not_judged(world: World) -> None:
    turn = says(TurnEnd.FAILED, "gone")(job(world.folder, world.desk), "")
    result, _ = world.run(writes("a.sql", RIGHT, turn))
    assert (result.end, result.changes, world.checked) == (AttemptEnd.ERRORED, {}, [])


def test_a_question_ends_it_even_if_the_runner_does_not_know(world: World) -> None:
    def act(task: Job, words: str) -> Turn:
        answer = world.desk.ask("Is  plan\nstill needed?", ["yes", "no"])
        assert "person" in answer
        return writes("a.sql", RIGHT)(task, words)

    result, _ = world.run(act)
    assert (result.end, result.changes) == (AttemptEnd.ASKED, {})
    assert result.asked == {"q-21": "Is plan still needed?"}
    assert result.options == {"q-21": ("yes", "no")}


def test_a_known_answer_goes_on(world: World) -> None:
    desk = Desk(collect=world.collect, check=world.check, answer=lambda text, options: "yes")
    assert desk.ask("Is it?") == "yes"
    assert not desk.over
    assert desk.asked == {}


def test_what_was_verified_in_the_turn_is_not_checked_again(world: World) -> None:
    told: list[str] = [world.desk.verify()]

    def act(task: Job, words: str) -> Turn:
        writes("a.sql", WRONG)(task, words)
        told.append(world.desk.verify())
        writes("a.sql", RIGHT)(task, words)
        told.append(world.desk.verify())
        return says(TurnEnd.ENDED)(task, words)

    assert world.run(act)[0].end is AttemptEnd.ACCEPTED
    assert len(world.checked) == 2
    assert [words.partition("\n")[0] for words in told] == [
        "Nothing has changed yet, so there is nothing to verify.",
        "Not accepted as it stands:",
        "Accepted as it stands. End your turn.",
    ]


def test_verifying_has_an_end(world: World) -> None:
    desk = Desk(collect=world.collect, check=world.check, verifies=1)
    writes("a.sql", WRONG)(job(world.folder, desk), "")
    assert "users_v2 is expected" in desk.verify()
    assert "often enough" in desk.verify()


def test_giving_up_counts_once(world: World) -> None:
    world.desk.give_up("dynamic SQL")
    world.desk.give_up("something else")
    assert world.desk.gave_up == "dynamic SQL"
    assert world.run(writes("a.sql", RIGHT))[0].end is AttemptEnd.GAVE_UP


def test_a_killed_attempt_goes_on_after_its_last_round(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def dies(task: Job, words: str) -> Turn:
        raise Killed

    world = World(tmp_path)
    with pytest.raises(Killed):
        world.run(writes("a.sql", WRONG), dies)
    resume = load_resume(tmp_path)
    assert resume is not None
    assert (resume.rounds, resume.changes) == (1, {"a.sql": WRONG.encode()})

    fresh = World(tmp_path)
    seen: list[str] = []

    def goes_on(task: Job, words: str) -> Turn:
        seen.append((fresh.folder / "a.sql").read_text())
        return writes("a.sql", RIGHT)(task, words)

    result, heard = fresh.run(goes_on, resume=resume)
    assert (result.end, result.rounds) == (AttemptEnd.ACCEPTED, 2)
    assert seen == [WRONG]
    # A session that remembers nothing is told the brief, too.
    assert heard[0].startswith(BRIEF)
    assert "users_v2 is expected" in heard[0]


def test_rounds_before_a_crash_count(tmp_path: Path) -> None:
    world = World(tmp_path)
    resume = Resume(rounds=2, changes={}, say="again", brief=brief_hash(BRIEF))
    result, heard = world.run(says(TurnEnd.ENDED), rounds=3, resume=resume)
    assert (result.rounds, len(heard)) == (3, 1)


def test_another_brief_is_another_attempt(tmp_path: Path) -> None:
    world = World(tmp_path)
    resume = Resume(rounds=2, changes={"a.sql": b"x"}, say="again", brief=brief_hash("another"))
    result, heard = world.run(writes("a.sql", RIGHT), resume=resume)
    assert (result.rounds, heard) == (1, [BRIEF])


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    resume = Resume(rounds=1, changes={"a": b"\xff\x00", "b/c": None}, say="s", brief="b", memory="[]")
    assert save_resume(tmp_path, resume) == tmp_path / FILE
    assert load_resume(tmp_path) == resume
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"version": 2}', '{"version": 1, "changes": 3}'])
def test_what_cannot_be_read_back_starts_afresh(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / FILE).write_text(content)
    assert load_resume(tmp_path) is None


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", ".git/config", "link/x", "", "file-link"])
def test_nothing_is_put_back_outside(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "work"
    (tmp_path / "out").mkdir()
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "out")
    (folder / "file-link").symlink_to(tmp_path / "out" / "new")
    with pytest.raises(ValueError, match="leads"):
        put_back(folder, {path: b"x"})
    assert list((tmp_path / "out").iterdir()) == []


def test_put_back_makes_folders_and_deletes(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    put_back(tmp_path, {"a/b/c": b"new", "old": None, "never": None})
    assert (tmp_path / "a/b/c").read_bytes() == b"new"
    assert not (tmp_path / "old").exists()


def test_a_diff_of_every_kind_of_change() -> None:
    before = {"gone": b"x\n", "bin": b"\0", "end": b"a\nb", "cr": b"a\rb\n"}
    changes = {"new": b"y\n", "gone": None, "bin": b"\0\0", "end": b"a\nc", "cr": b"a\rc\n"}
    told = unified_diff(before, changes)
    for words in (
        "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+y\n",
        "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
        "Binary files a/bin and b/bin differ\n",
        " a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n",
        "-a\rb\n+a\rc\n",
    ):
        assert words in told


def test_a_diff_of_a_hostile_file_takes_no_time() -> None:
    lines = [f"line {number % 90}\n" for number in range(40_000)]
    before, after = "".join(lines).encode(), "".join(reversed(lines)).encode()
    begun = time.process_time()
    assert unified_diff({"a": before}, {"a": after}).startswith("--- a/a\n+++ b/a\n@@ ")
    assert time.process_time() - begun < 5
