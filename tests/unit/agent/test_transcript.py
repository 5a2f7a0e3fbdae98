"""Transcripts: what is written is whole, redacted, readable after a crash, and told in figures."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greylag.agent.transcript import (
    Level,
    TranscriptWriter,
    attempts,
    folder_of,
    prune,
    read_transcript,
    resumable,
    summary,
)
from greylag.domain.agent import AttemptEnd, AttemptKey, Usage
from greylag.domain.check import Check, CheckStatus
from greylag.domain.errors import UsageError

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = AttemptKey(migration="users-v2", repository="team/reports")


class Ticks:
    """A clock that goes on a second a look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def keep(text: str) -> str:
    return text


def without_key(text: str) -> str:
    return text.replace("sk-123", "[redacted]")


def writer(path: Path, **options: object) -> TranscriptWriter:
    return TranscriptWriter(path, without_key, clock=Ticks(), **options)  # type: ignore[arg-type]


def attempt(note: TranscriptWriter, *, end: bool = True) -> None:
    note(
        "started",
        attempt=KEY,
        runner="own",
        agent="own 1",
        model="m",
        api="anthropic",
        sandbox={"name": "bwrap"},
    )
    note("prompt", round=1, text="please")
    note("model_call", call=1, model="m", usage=Usage(calls=1, input_tokens=10, output_tokens=2, cost=0.5))
    note("message", text="the key is sk-123")
    note("tool_call", id="a", name="read", arguments={"path": "a.sql", "sk-123": ["sk-123"]})
    note("tool_result", id="a", name="read", text="SELECT 1")
    note("denied", what="network", reason="no way out")
    note(
        "round",
        round=1,
        checks=(Check(verifier="paths", status=CheckStatus.PASSED, summary="fine"),),
        diff="+a",
    )
    note("snapshot", round=1, reference="snap-1")
    note("prompt", round=2, text="again")
    note("model_call", call=2, model="m", input_tokens=5, output_tokens=1, cost=0.25, replayed=True)
    if end:
        note("ended", end=AttemptEnd.ACCEPTED, reason="good", rounds=1, usage=Usage(calls=1))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with writer(tmp_path / "a" / "t.jsonl") as note:
        attempt(note)
        note.close()
    found = read_transcript(tmp_path / "a" / "t.jsonl")
    assert found.torn == 0
    assert [record.seq for record in found.records] == list(range(1, 13))
    assert found.records[0].at == START + timedelta(seconds=1)
    assert found.records[0].data["attempt"]["repository"] == "team/reports"
    assert found.records[7].data["checks"] == [
        {"verifier": "paths", "status": "passed", "summary": "fine", "details": {}}
    ]


def test_secrets_are_taken_out_before_anything_is_written_or_hashed(tmp_path: Path) -> None:
    for level in Level:
        path = tmp_path / f"{level}.jsonl"
        with writer(path, level=level, cap=12) as note:
            attempt(note)
            note("message", text="0123456789sk-123")  # the cut at 12 would go through the secret
        text = path.read_text()
        assert "sk-" not in text
        assert hashlib.sha256(b"the key is sk-123").hexdigest() not in text


def test_a_long_text_is_cut_and_the_rest_hashed(tmp_path: Path) -> None:
    with writer(tmp_path / "t.jsonl", cap=10) as note:
        note("message", text="0123456789abcdef")
    (record,) = read_transcript(tmp_path / "t.jsonl").records
    rest = hashlib.sha256(b"abcdef").hexdigest()
    assert record.data["text"] == {"head": "0123456789", "chars": 16, "sha256_of_rest": rest}


def test_without_content_only_sizes_and_hashes_are_written(tmp_path: Path) -> None:
    with writer(tmp_path / "t.jsonl", level="no-content") as note:
        note("prompt", round=1, text="SELECT secret FROM business")
        note("tool_call", id="1", name="edit", arguments={"path": "business.sql", "name": "business"})
        note(
            "round",
            round=1,
            diff="+business",
            checks=(
                Check(
                    verifier="paths",
                    status=CheckStatus.FAILED,
                    summary="business",
                    details={"name": "business"},
                ),
            ),
        )
        note("ended", end=AttemptEnd.GAVE_UP, reason="business is hard", usage=Usage(calls=3, cost=1.5))
    assert "business" not in (tmp_path / "t.jsonl").read_text()
    records = read_transcript(tmp_path / "t.jsonl").records
    assert records[0].data["text"]["chars"] == 27
    assert records[1].data["name"] == "edit"
    found = summary(records)
    assert (found.end, found.usage.cost, found.checks[0]["status"]) == ("gave_up", 1.5, "failed")


def test_values_that_json_does_not_know_are_told_by_size_or_type(tmp_path: Path) -> None:
    nested: dict[str, object] = {}
    nested["again"] = nested
    with writer(tmp_path / "t.jsonl") as note:
        note(
            "odd",
            raw=b"abc",
            thing=object(),
            path=Path("a"),
            at=START,
            some={2, 1},
            deep=nested,
            lone="\udc80",
        )
    data = read_transcript(tmp_path / "t.jsonl").records[0].data
    assert data["raw"] == {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    assert (data["thing"], data["path"], data["some"], data["lone"]) == ("<object>", "a", [1, 2], "\udc80")
    assert "<dict>" in json.dumps(data["deep"])


def test_many_threads_write_whole_records_in_one_order(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TranscriptWriter(path, keep, clock=Ticks()) as note:

        def work(name: int) -> None:
            for count in range(50):
                note("message", text=f"{name}:{count} " + "x" * 5000)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = read_transcript(path)
    assert found.torn == 0
    assert [record.seq for record in found.records] == list(range(1, 301))
    assert [record.at for record in found.records] == sorted(record.at for record in found.records)


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_torn_line_is_passed_over_and_what_follows_is_whole(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "t.jsonl"
    with writer(path) as note:
        attempt(note, end=False)
    os.truncate(path, path.stat().st_size - cut)
    torn = read_transcript(path)
    assert len(torn.records) == (11 if cut == 1 else 10)  # without its line end alone it is whole
    with writer(path) as note:
        note("prompt", round=3, text="go on")
    found = read_transcript(path)
    assert found.torn == (0 if cut == 1 else 1)
    assert [record.seq for record in found.records] == list(range(1, len(found.records) + 1))
    assert found.records[-1].data["text"] == "go on"


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"null", b'{"seq":1,"at":"x","kind":"a"}', b"\xff", b"[" * 100_000]
)
def test_a_line_that_is_no_record_is_counted(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "t.jsonl"
    with writer(path) as note:
        note("prompt", round=1)
    path.write_bytes(path.read_bytes() + line + b"\n")
    found = read_transcript(path)
    assert (len(found.records), found.torn) == (1, 1)


def test_a_file_belongs_to_its_owner(tmp_path: Path) -> None:
    with writer(tmp_path / "t.jsonl") as note:
        note("prompt", round=1)
    assert (tmp_path / "t.jsonl").stat().st_mode & 0o077 == 0


def test_figures_count_what_was_paid_and_not_what_came_from_the_record(tmp_path: Path) -> None:
    with writer(tmp_path / "t.jsonl") as note:
        attempt(note)
    found = summary(read_transcript(tmp_path / "t.jsonl").records)
    assert found.attempt == "users-v2/team/reports/1.1"
    assert (found.rounds, found.tool_calls, found.denials) == (1, 1, 1)
    assert (found.usage.calls, found.usage.input_tokens, found.usage.cost) == (2, 15, 0.5)
    assert (found.end, found.reason, found.seconds) == ("accepted", "good", 11.0)


def test_where_to_go_on_is_known_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with writer(path) as note:
        attempt(note, end=False)
        before = resumable(read_transcript(path).records)
        note("ended", end=AttemptEnd.ACCEPTED)
        after = resumable(read_transcript(path).records)
        note("started", attempt=KEY)
        again = resumable(read_transcript(path).records)
    assert (before.rounds, before.snapshot, before.snapshot_round, before.ended) == (1, "snap-1", 1, None)
    assert after.ended == "accepted"
    assert (again.rounds, again.snapshot, again.ended) == (0, None, None)


def test_names_do_not_lead_out(tmp_path: Path) -> None:
    assert folder_of(tmp_path, KEY) == tmp_path / "users-v2" / "team__reports" / "1.1"
    for migration, repository in (("..", "a"), ("a/b", "a"), ("a", ".."), ("a", ""), ("a", "b\0")):
        with pytest.raises(UsageError):
            folder_of(tmp_path, AttemptKey(migration=migration, repository=repository))


def test_attempts_stand_in_their_order(tmp_path: Path) -> None:
    for run in ("10.1", "2.1", "2.2", "work"):
        (tmp_path / "users-v2" / "team__reports" / run).mkdir(parents=True)
    (tmp_path / "users-v2" / "a").mkdir()
    found = attempts(tmp_path, "users-v2", "team/reports")
    assert [(one.key.attempt, one.key.run) for one in found] == [(2, 1), (2, 2), (10, 1)]
    assert attempts(tmp_path, "other") == ()


def test_old_attempts_go_and_open_ones_stay_a_week(tmp_path: Path) -> None:
    for run, ended in ((1, True), (2, False)):
        key = AttemptKey(migration="users-v2", repository="team/reports", run=run)
        with writer(folder_of(tmp_path, key) / "transcript.jsonl") as note:
            attempt(note, end=ended)
        (folder_of(tmp_path, key) / "work").mkdir()
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "kept").touch()
    (folder_of(tmp_path, KEY) / "work" / "link").symlink_to(outside)

    assert prune(tmp_path, timedelta(days=2), now=START + timedelta(days=1)) == ()
    assert prune(tmp_path, timedelta(days=2), now=START + timedelta(days=3)) == (folder_of(tmp_path, KEY),)
    assert len(attempts(tmp_path, "users-v2")) == 1
    assert len(prune(tmp_path, timedelta(days=2), now=START + timedelta(days=8))) == 1
    assert not (tmp_path / "users-v2" / "team__reports").exists()
    assert (outside / "kept").exists()


def test_what_an_agent_says_does_not_fill_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    for _ in range(2):
        with writer(path, most=20_000) as note:
            for number in range(200):
                note("message", text=f"{number} " + "x" * 500)
                note("denied", what="network", reason="no way out")
    with writer(path, most=20_000) as note:
        note("round", round=1)
        note("ended", end=AttemptEnd.REJECTED, reason="no", rounds=1, usage=Usage())
    assert path.stat().st_size < 23_000
    kinds = [record.kind for record in read_transcript(path).records]
    assert kinds.count("cut") == 1
    assert kinds[-2:] == ["round", "ended"]
