"""The files of `deploy/` and the Dockerfile: what their own linters say, and whether they fit the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from greylag.app import load_settings
from greylag.cli.main import app

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm" / "greylag"
MIGRATION = """\
name: users-v2
dialect: bigquery
# {{ not a template }}
"""


def program(name: str) -> str:
    """A linter of the development dependencies; skips the test where it has no wheel (CI fails)."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"{name} is not installed: pip install {name}-bin…"
        )
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a linter; what it says is the message of a failure."""
    return subprocess.run([program(command[0]), *command[1:]], capture_output=True, text=True, check=False)


def said(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def template(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("helm", "template", "geese", str(CHART), *arguments)


def documents(text: str) -> Iterator[dict[str, Any]]:
    return (one for one in YAML(typ="safe").load_all(text) if one)


def test_dockerfile() -> None:
    done = run("hadolint", str(ROOT / "Dockerfile"))
    assert done.returncode == 0, said(done)


def test_hadolint_finds_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN cd /tmp && sudo true\n")
    assert run("hadolint", str(bad)).returncode != 0


def test_dockerfile_copies_what_there_is() -> None:
    """What the Dockerfile copies exists, and .dockerignore lets it through."""
    shown = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for name in line.split()[1:-1]:
                assert (ROOT / name).exists(), name
                assert name in shown, f"{name} is not in .dockerignore"


def test_compose() -> None:
    done = run(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(ROOT / "deploy" / "compose.yaml")
    )
    assert done.returncode == 0, said(done)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--set", "serve.ingress.enabled=true", "--set", "serve.ingress.host=geese.example"),
        ("--set", "serve.enabled=false", "--set", "sandbox=true", "--set", "mirrors.existingClaim=mine"),
    ],
    ids=["plain", "ingress", "sandbox"],
)
def test_chart(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Helm's linter, and every document against Kubernetes' own schemas."""
    lint = run("helm", "lint", "--strict", str(CHART), *arguments)
    assert lint.returncode == 0, said(lint)
    migration = tmp_path / "users-v2.migration.yaml"
    migration.write_text(MIGRATION)
    made = template("--set-file", f"migrations.users-v2={migration}", *arguments)
    assert made.returncode == 0, said(made)
    file = tmp_path / "out.yaml"
    file.write_text(made.stdout)
    for version in ("1.25", "1.33"):
        done = run("kubernetes-validate", "--strict", "-k", version, str(file))
        assert done.returncode == 0, said(done)
    config = next(one for one in documents(made.stdout) if one["kind"] == "ConfigMap")
    assert config["data"]["users-v2.migration.yaml"].rstrip("\n") == MIGRATION.rstrip("\n")


def test_the_charts_settings_are_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = template()
    config = next(one for one in documents(made.stdout) if one["kind"] == "ConfigMap")
    workers = [one for one in documents(made.stdout) if one["kind"] == "Deployment"]
    for one in workers[0]["spec"]["template"]["spec"]["containers"][0]["env"]:
        monkeypatch.setenv(one["name"], one["value"])
    file = tmp_path / "greylag.yaml"
    file.write_text(config["data"]["greylag.yaml"])
    settings = load_settings(file)
    load_settings(ROOT / "deploy" / "greylag.yaml")
    assert settings.database == "postgresql+psycopg://greylag@postgres/greylag"
    assert settings.fleet == Path("/var/lib/greylag/mirrors")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("database=sqlite:///a.db", "database"),
        ("worker.replica=3", "replica"),
        ("config.fleet=here", "config"),
        ("serve.ingress.enabled=true", "host"),
        ("migrations.Users_V2=x", "migrations"),
    ],
)
def test_wrong_values_are_refused(values: str, told: str) -> None:
    done = template("--set", values)
    assert done.returncode != 0
    assert told in done.stderr


def test_long_names_of_migrations_stay_apart(tmp_path: Path) -> None:
    """Kubernetes takes 52 characters for a CronJob."""
    long = "users-" * 9
    names = (f"{long}a", f"{long}b", "users-v2")
    given = [f"--set-file=migrations.{name}={write(tmp_path / name)}" for name in names]
    done = template(*given)
    assert done.returncode == 0, said(done)
    made = [one["metadata"]["name"] for one in documents(done.stdout) if one["kind"] == "CronJob"]
    assert len(set(made)) == 3
    assert all(len(name) <= 52 for name in made)
    assert "geese-users-v2" in made


def write(path: Path) -> Path:
    path.write_text(MIGRATION)
    return path


def commands() -> Iterator[list[str]]:
    """What the containers are started with, each as the arguments of `greylag`."""
    compose = YAML(typ="safe").load(ROOT / "deploy" / "compose.yaml")
    for name in ("worker", "serve"):
        yield compose["services"][name]["command"]
    yield compose["services"]["run"]["entrypoint"][1:]
    made = template("--set", "migrations.users-v2=x")
    for one in documents(made.stdout):
        if one["kind"] == "Deployment":
            yield one["spec"]["template"]["spec"]["containers"][0]["args"]
        if one["kind"] == "CronJob":
            shell = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"][2]
            found = re.match(r'greylag (\w+) (--\w+) "\$0" \|\|', shell)
            assert found
            yield [found[1], found[2]]


def test_the_commands_exist() -> None:
    known = get_command(app)
    assert hasattr(known, "commands")
    for name, *options in commands():
        command = known.commands[name]
        named = {word for parameter in command.params for word in parameter.opts}
        assert {word for word in options if word.startswith("--")} <= named, name


def test_values_and_their_schema_agree() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = YAML(typ="safe").load(CHART / "values.yaml")
    assert set(values) == set(schema["properties"]) - {"global"}


def test_one_version() -> None:
    from greylag import __version__

    chart = YAML(typ="safe").load(CHART / "Chart.yaml")
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
