"""Settings: the file, the environment above it, and what is wrong with either."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from greylag.app import build, load_settings
from greylag.app.agent_settings import AgentSettings
from greylag.app.settings import Settings
from greylag.domain.errors import FileFaults, UsageError


def write(folder: Path, text: str) -> Path:
    """A settings file."""
    path = folder / "greylag.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_without_a_file(tmp_path: Path) -> None:
    settings = load_settings(start=tmp_path)
    assert settings.file is None
    assert settings.database == "sqlite:///.greylag/greylag.db"
    assert (settings.tries, settings.proof, settings.health.none) == (2, "fast", False)


def test_the_nearest_file_upwards_and_its_relative_paths(tmp_path: Path) -> None:
    write(tmp_path, "fleet: mirrors\nhealth:\n  status_dir: runs\n  patience: PT2H\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    settings = load_settings(start=inner)
    assert settings.fleet == tmp_path / "mirrors"
    assert settings.health.status_dir == tmp_path / "runs"
    assert settings.health.patience == timedelta(hours=2)
    assert settings.database == f"sqlite:///{tmp_path}/.greylag/greylag.db"


def test_the_environment_stands_above_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "fleet: mirrors\nworkers: 2\nauthor:\n  name: A\n  email: a@example.org\n")
    monkeypatch.setenv("GREYLAG_FLEET", "/srv/fleet")
    monkeypatch.setenv("GREYLAG_AUTHOR__NAME", "B")
    settings = load_settings(path)
    assert settings.fleet == Path("/srv/fleet")
    assert settings.workers == 2
    assert (settings.author.name, settings.author.email) == ("B", "a@example.org")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("fleet: x\nwokers: 3\n", ":2:1:", "did you mean `workers`?"),
        ("health:\n  comand: ls\n", ":2:3:", "did you mean `command`?"),
        ("workers: many\n", ":1:1:", "valid integer"),
        ("workers: 0\n", ":1:1:", "greater than or equal to 1"),
        ("- a\n", ":1:1:", "names and values"),
        ("agent:\n  runner: own\n", ":1:1:", "the runner 'own' needs a `model`"),
        ("agent:\n  runner: acp\n  model: m\n", ":1:1:", "the runner 'acp' needs a `command`"),
        ("agent: {runner: codex, model: m}\n", ":1:1:", "speaks openai-responses only"),
        ("agent: {runner: own, model: m, command: [x]}\n", ":1:1:", "takes no `command`"),
        ("agent:\n  budget: {target: -1}\n", ":2:12:", "`agent.budget.target`: input should be greater"),
        ("agent:\n  limits:\n    wall: soon\n", ":3:5:", "expected a number and a unit, like 90s, 15m"),
        ("agent:\n  transcripts: {redact: ['(']}\n", ":2:17:", "'(' is no regular expression: missing )"),
        ("agent:\n  upstream: {api: openai}\n", ":2:14:", "'openai-chat'"),
        ("fleet: [\n", ":2:1:", "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_places(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FileFaults) as caught:
        load_settings(path)
    (fault,) = caught.value.faults
    assert str(fault).startswith(f"{path}{place}")
    assert words in fault.message


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h", timedelta(hours=1)),
        ("90d", timedelta(days=90)),
        ("PT15M", timedelta(minutes=15)),
        ("600", timedelta(minutes=10)),
    ],
)
def test_durations_are_written_as_in_migration_files(tmp_path: Path, written: str, span: timedelta) -> None:
    path = write(tmp_path, f"agent:\n  limits:\n    wall: {written}\n")
    assert load_settings(path).agent.limits.wall == span


def test_a_wrong_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREYLAG_WORKERS", "many")
    with pytest.raises(UsageError, match=r"GREYLAG_WORKERS: .*integer"):
        load_settings(start=tmp_path)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="greylag init"):
        load_settings(tmp_path / "none.yaml")


def test_two_health_sources_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "health:\n  command: ls\n  none: true\n")
    with pytest.raises(UsageError, match="command and none"):
        build(load_settings(start=tmp_path))


@pytest.mark.parametrize("url", ["nonsense", "sqlite://"])
def test_a_database_that_cannot_be_used(url: str) -> None:
    with pytest.raises(UsageError, match="database"):
        build(Settings(database=url))


@pytest.mark.parametrize("place", ["/proc/none/greylag.db", "{file}/greylag.db"])
def test_a_place_that_cannot_be_written_to_says_what_to_do(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written to: .*GREYLAG_DATABASE"):
        build(Settings(database=f"sqlite:///{place.format(file=tmp_path / 'file')}"))


def test_a_part_of_which_every_line_is_a_comment_is_not_there(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "agent:\n  # runner: own\n")).agent == AgentSettings()


def test_a_missing_fleet_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "fleet: nowhere\n")
    with pytest.raises(UsageError, match="GREYLAG_FLEET"):
        build(load_settings(start=tmp_path))


def test_an_unknown_campaign_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path, "fleet: .\n")
    with pytest.raises(UsageError, match="no such file, and no campaign"):
        build(load_settings(start=tmp_path)).campaign("users-v2")


def test_the_template_is_valid_and_says_the_defaults() -> None:
    path = Path(__file__).parents[3] / "src" / "greylag" / "app" / "greylag.yaml"
    settings = load_settings(path)
    plain = Settings()
    for name in ("workers", "proof", "tries", "author", "health"):
        assert getattr(settings, name) == getattr(plain, name), name


def test_the_template_explains_every_setting_of_agents_and_says_its_default(tmp_path: Path) -> None:
    template = (Path(__file__).parents[3] / "src" / "greylag" / "app" / "greylag.yaml").read_text()
    head, _, agent = template.partition("\nagent:\n")
    agent, _, _ = agent.partition("\n\n")
    keys = "|".join(AgentSettings.model_fields)
    said = re.sub(rf"(?m)^  # (?=({keys}): )", "  ", agent)
    given = load_settings(
        write(tmp_path, f"{head}\nagent:\n{said.replace('runner: own', 'runner: acp')}\n")
    ).agent
    assert given.model_fields_set == set(AgentSettings.model_fields)
    plain = AgentSettings()
    for name in (
        "max_tokens",
        "rounds",
        "turns",
        "parallel",
        "sandbox",
        "limits",
        "verifiers",
        "transcripts",
        "budget",
    ):
        assert getattr(given, name) == getattr(plain, name), name
    assert given.upstream.model_copy(update={"key_env": None}) == plain.upstream
