"""Rules about the repository itself that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "greylag"

# Written in pieces, so that this file keeps the rule too.
WORKPLACE = re.compile("|".join(["/" + r"work/\w", "/" + r"tmp/brief", "/" + "root/"]))
REGISTRIES = re.compile("|".join([r"files\.python" + "hosted", r"pypi\." + "org", r"pypi\." + "python"]))


def tracked() -> list[Path]:
    """Files that belong to the repository: tracked, and still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def test_no_file_names_a_machine_or_a_registry() -> None:
    files = tracked()
    assert len(files) > 20
    offenders = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in files
        if (found := WORKPLACE.search(text_of(path)) or REGISTRIES.search(text_of(path)))
    ]
    assert offenders == []


def test_lock_files_pin_and_hash_everything_and_hold_no_address() -> None:
    locks = sorted((ROOT / "requirements").glob("*.lock"))
    assert [lock.name for lock in locks] == ["demo.lock", "dev.lock", "image.lock"]
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text
        assert "--index" not in text
        requirements = text.replace("\\\n", " ").splitlines()
        assert requirements
        unpinned = [line for line in requirements if "==" not in line or "--hash=sha256:" not in line]
        assert unpinned == [], lock.name


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {name_of(requirement) for requirement in project["dependencies"]}
    extras = project["optional-dependencies"]
    locks = {
        "demo.lock": ("demo", "agent"),
        "dev.lock": (*extras.keys() - {"spark", "snowflake"},),
        "image.lock": image_extras(),
    }
    for lock, names in locks.items():
        held = {
            name_of(line)
            for line in (ROOT / "requirements" / lock).read_text().splitlines()
            if line[:1].isalnum()
        }
        asked = wanted | {name_of(requirement) for name in names for requirement in extras[name]}
        assert asked - held == set(), f"{lock}: run `make lock`"


def image_extras() -> tuple[str, ...]:
    """The extras that the container image is made with."""
    line = re.search(r"^IMAGE := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line
    return tuple(line[1].split())


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if "templates" not in path.parts)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "a module starts with a docstring"
    if path.name == "__init__.py":
        assert "\n" not in docstring.splitlines()[0]
        assert len(docstring.splitlines()[0]) > 20, "a package's first line says what lives there"


def test_the_floors_name_every_package() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(contract for contract in contracts if contract["type"] == "layers")
    named = {name.strip() for layer in floors["layers"] for name in layer.split("|")}
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert floors["exhaustive"] is True
    assert named == packages
    assert floors["exhaustive_ignores"] == ["__main__"]


def test_the_package_is_typed_and_has_one_command() -> None:
    assert (SOURCE / "py.typed").exists()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"] == {
        "greylag": "greylag.cli.main:main"
    }
