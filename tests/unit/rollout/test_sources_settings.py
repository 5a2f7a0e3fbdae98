"""Settings of sources: what cannot work is refused where it stands; several sources are one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from greylag.app.health_settings import AnySource, combined
from greylag.app.settings import load_settings
from greylag.domain.check import CheckStatus
from greylag.domain.errors import FileFaults, UsageError
from greylag.rollout.health import HealthSource, Reading, Subject
from greylag.rollout.sources.base import Unanswered, names_for, words

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AFTER = Subject(migration="m", repository="team/r", base="b", merged_commit="n", merged_at=NOW)
P, F, E, I = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.ERRORED, CheckStatus.INCONCLUSIVE  # noqa: E741


class Fixed:
    """A source from outside."""

    def __init__(self, status: str) -> None:
        self._status = CheckStatus(status)

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        return Reading(status=self._status, detail=self._status.value, at=now)


def one(status: CheckStatus, **more: Any) -> dict[str, Any]:
    """Settings of a source that always says the same."""
    return {"kind": "custom", "factory": f"{__name__}:Fixed", "options": {"status": status.value}, **more}


def made(*settings: dict[str, Any]) -> HealthSource:
    """One source of several."""
    return combined([TypeAdapter(AnySource).validate_python(each) for each in settings])


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([P, P], P),
        ([P, I], I),
        ([P, I, E], E),
        ([P, I, E, F], F),
        ([], I),
    ],
)
def test_the_worst_answer_counts(statuses: list[CheckStatus], expected: CheckStatus) -> None:
    for order in (statuses, statuses[::-1]):
        assert made(*(one(status) for status in order)).read(AFTER, NOW).status is expected


def test_a_repository_that_no_source_concerns_is_not_healthy() -> None:
    source = made(one(P, only=["other/*"]), one(F, only=["team/x"]))
    found = source.read(AFTER, NOW)
    assert found.status is I and "team/r" in found.detail


@pytest.mark.parametrize(
    "factory", ["no.such.module:x", f"{__name__}:nothing", f"{__name__}:one", "builtins:dict"]
)
def test_a_factory_that_gives_no_source_is_refused(factory: str) -> None:
    with pytest.raises(UsageError, match=r"health\.sources"):
        made({"kind": "custom", "factory": factory})


WEB = {"url": "https://example.org"}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"kind": "airflow", "web": {"url": "https://me:s3cret@example.org"}, "dags": "a"}, "holds no user"),
        ({"kind": "airflow", "web": {**WEB, "user": "me"}, "dags": "a"}, "come together"),
        ({"kind": "airflow", "web": {**WEB, "token": "s3cret"}, "dags": "a"}, "token"),
        ({"kind": "airflow", "web": {**WEB, "token": {}}, "dags": "a"}, "give one of `env`"),
        ({"kind": "airflow", "web": WEB}, "dags"),
        ({"kind": "dbt"}, "give one of `path` and `web`"),
        ({"kind": "dbt", "path": "x", "skew": "soon"}, "not a duration"),
        ({"kind": "prometheus", "web": WEB, "query": "up", "rules": {}}, "at least one of"),
        ({"kind": "prometheus", "web": WEB, "query": "up", "rules": {"spreads": 3}, "step": "1s"}, "5000"),
        (
            {"kind": "sql", "url": "postgresql://me:pw@h/d", "query": "x", "freshness": "1h"},
            "no password",
        ),
        ({"kind": "sql", "url": "x.db", "query": "x"}, "give one of `freshness` and `rules`"),
        ({"kind": "http", "web": WEB, "path": "a", "rules": {"spreads": 2}}, "takes a `path`"),
        ({"kind": "openlineage", "jobs": "x"}, "give one of `folder` and `web`"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(AnySource).validate_python(settings)
    assert word in str(caught.value.errors(include_input=False))


def test_a_wrong_entry_of_a_file_is_named_with_its_place(tmp_path: Path) -> None:
    text = 'health:\n  sources:\n    - kind: airflow\n      web: {url: "http://x", tokn: 3}\n      dags: a\n'
    file = tmp_path / "greylag.yaml"
    file.write_text(text)
    with pytest.raises(FileFaults) as caught:
        load_settings(file)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (4, 30)
    assert "did you mean `token`?" in fault.message


def test_names_by_repository() -> None:
    templates = {"team/*": ("{name}", "{repository}-daily"), "*": ("all",)}
    assert names_for(templates, "team/r") == ("r", "team/r-daily")
    assert names_for(templates, "other") == ("all",)
    assert names_for({"x": ("y",)}, "other") == ()


@pytest.mark.parametrize("name", ["r'; DROP TABLE x", "../../etc", 'r"}', "a b", "-x", ""])
def test_a_name_that_may_be_more_than_a_name_is_put_nowhere(name: str) -> None:
    with pytest.raises(Unanswered):
        words(name)
