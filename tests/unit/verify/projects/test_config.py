"""`.greylag.yaml`, and which verifiers a repository asks for."""

from __future__ import annotations

import pytest

from greylag.domain.errors import FileFaults
from greylag.verify.projects import ProjectSettings, read_config, verifiers_for

FULL = """\
# how this repository is verified
verifiers:
  skip: [mypy]
  timeout: 5m
  commands:
    - name: contract
      run: make contract-tests
      folder: etl
      timeout: 90s
      output: pytest
      judges: that the contract tests pass
    - name: shell
      run: ["sh", "-c", "a && b"]
"""


def test_all_of_it() -> None:
    config = read_config({".greylag.yaml": FULL})
    assert config.skip == {"mypy"}
    contract, shell = config.commands
    assert contract.argv == ("make", "contract-tests")
    assert (contract.folder, contract.timeout, contract.parser) == ("etl", 90.0, "pytest")
    assert shell.argv == ("sh", "-c", "a && b")
    assert shell.timeout == 300.0


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "verifiers:\n"])
def test_an_empty_one_says_nothing(text: str) -> None:
    assert read_config({".greylag.yaml": text}).commands == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "verifier: {}\n",
            "1:1: `verifier` is not known here; did you mean `verifiers`? (known: verifiers, campaigns)",
        ),
        ("verifiers: [a]\n", "1:12: expected `skip`, `commands` or `timeout` below `verifiers`"),
        ("verifiers:\n  skip: [mipy]\n", "2:10: `mipy` is no tool that is known; did you mean `mypy`?"),
        ("verifiers:\n  skip: mypy\n", "2:9: expected names of tools, like `[mypy]`"),
        ("verifiers:\n  timeout: soon\n", "2:12: `soon` is no span of time; expected one like `90s`"),
        ("verifiers:\n  timeout: 9h\n", "2:12: expected between 1s and 2h"),
        ("verifiers:\n  commands: {}\n", "2:13: expected a list of commands"),
        ("verifiers:\n  commands: [1]\n", "2:14: expected a command with `name` and `run`"),
        ("verifiers:\n  commands:\n    - run: a\n", "3:7: expected a `name` of a-z"),
        ("verifiers:\n  commands:\n    - {name: a}\n", "3:7: expected a command, like `make test`"),
        ("verifiers:\n  commands:\n    - {name: a, run: ''}\n", "3:22: expected a command"),
        ("verifiers:\n  commands:\n    - {name: a, run: a && b}\n", "3:22: no shell runs it"),
        ('verifiers:\n  commands:\n    - {name: a, run: "a \'b"}\n', "3:22: the command cannot be read"),
        ("verifiers:\n  commands:\n    - {name: pytest, run: a}\n", "3:14: `pytest` is the name of a tool"),
        ("verifiers:\n  commands:\n    - {name: a, run: a, output: pytst}\n", "did you mean `pytest`?"),
        ("verifiers:\n  commands:\n    - {name: a, run: a, folder: ../b}\n", "inside of the repository"),
        ("verifiers:\n  commands:\n    - {name: a, run: a}\n    - {name: a, run: b}\n", "4:14: the name `a`"),
        ("verifiers:\n  commands:\n    - {name: a, run: a, tiemout: 1s}\n", "did you mean `timeout`?"),
        ("verifiers: [\n", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(text: str, fault: str) -> None:
    with pytest.raises(FileFaults) as caught:
        read_config({".greylag.yaml": text})
    assert any(fault in str(each) for each in caught.value.faults), caught.value


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, []),
        ({"a.py": "x = 1"}, []),
        ({"tests/test_a.py": "def test_a(): pass"}, ["pytest"]),
        ({"test_helpers.py": "# no tests"}, []),
        ({"tests/test_a.py": "", "conftest.py": ""}, ["pytest"]),
        ({"ruff.toml": ""}, ["ruff"]),
        ({"ruff.toml": "[format]\n"}, ["ruff", "ruff-format"]),
        ({"pyproject.toml": "[tool.ruff.lint]\n[tool.black]\n[tool.mypy]\n"}, ["ruff", "black", "mypy"]),
        ({"setup.cfg": "[mypy]\n"}, ["mypy"]),
        ({"pyproject.toml": "[tool.sqlfluff.core]\n"}, ["sqlfluff"]),
        ({"dbt_project.yml": "", "sub/dbt_project.yml": ""}, ["dbt"]),
        ({"a/dbt_project.yml": "", "b/dbt_project.yml": ""}, ["dbt in a", "dbt in b"]),
        ({"build.sbt": "", "pom.xml": "", "build.gradle.kts": ""}, ["sbt", "maven", "gradle"]),
        ({"m/pom.xml": "", "m/sub/pom.xml": ""}, ["maven in m"]),
        ({".pre-commit-config.yaml": "repos: []\n"}, ["pre-commit"]),
        ({".greylag.yaml": FULL, "mypy.ini": ""}, ["contract", "shell"]),
    ],
)
def test_verifiers_switch_on_by_what_a_repository_holds(files: dict[str, str], expected: list[str]) -> None:
    assert [verifier.name for verifier in verifiers_for(files)] == expected


def test_the_host_may_leave_some_out() -> None:
    files = {".greylag.yaml": FULL, "ruff.toml": ""}
    settings = ProjectSettings(skip=frozenset({"ruff", "shell"}))
    assert [verifier.name for verifier in verifiers_for(files, settings)] == ["contract"]


def test_mypy_is_told_what_to_read_where_its_configuration_does_not() -> None:
    (bare,) = verifiers_for({"mypy.ini": "[mypy]\n"})
    (told,) = verifiers_for({"mypy.ini": "[mypy]\nfiles = src\n"})
    assert bare.argv[-1] == "."
    assert told.argv[-1] != "."
