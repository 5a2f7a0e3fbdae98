"""House rules: found where a repository keeps them, short, and only of how code looks."""

from __future__ import annotations

from greylag.agent.brief import house_rules

PAPER = """# Contributing

Thanks for coming.

## SQL style

Keywords in upper case.

- Commas at the end.

## Releases

Tag it, then wait.
Tests live beside the code.
"""


def texts(files: dict[str, str], paths: tuple[str, ...] = ()) -> dict[str, str]:
    return {rule.path: rule.text for rule in house_rules(files, paths).rules}


def test_papers_give_their_lines_on_style() -> None:
    assert texts({"CONTRIBUTING.md": PAPER}) == {
        "CONTRIBUTING.md": "## SQL style\nKeywords in upper case.\n- Commas at the end.\n"
        "## Releases\nTests live beside the code."
    }


def test_settings_of_linters_and_nothing_else_of_them() -> None:
    pyproject = """
[project]
name = "x"
[tool.ruff]
line-length = 100
[tool.ruff.lint]
select = ["E"]
[tool.uv]
index-url = "somewhere"
"""
    files = {
        "pyproject.toml": pyproject,
        "setup.cfg": "[metadata]\nname = x\n[flake8]\nmax-line-length = 88\n",
        ".editorconfig": "# top\nroot = true\n\n[*.sql]\nindent_size = 2\n",
        ".sqlfluff": "[sqlfluff]\ndialect = bigquery\n",
        "README.md": "format: none",
    }
    assert texts(files) == {
        ".editorconfig": "root = true\n[*.sql]\nindent_size = 2",
        ".sqlfluff": "[sqlfluff]\ndialect = bigquery",
        "pyproject.toml": "tool.ruff.line-length = 100\ntool.ruff.lint.select = ['E']",
        "setup.cfg": "[flake8]\nmax-line-length = 88",
    }


def test_a_broken_file_says_nothing() -> None:
    assert texts({"pyproject.toml": "[tool.ruff\nline-length = ", ".editorconfig": "\n# only\n"}) == {}


def test_the_nearest_come_first_and_strangers_not_at_all() -> None:
    files = {
        "CONTRIBUTING.md": "style: root",
        "teams/a/AGENTS.md": "style: a",
        "teams/b/AGENTS.md": "style: b",
        "docs/STYLE.md": "style: docs",
        "vendor/lib/CONTRIBUTING.md": "style: vendor",
    }
    found = list(texts(files, ("teams/a/jobs/x.py",)))
    assert found == ["teams/a/AGENTS.md", "CONTRIBUTING.md", "docs/STYLE.md"]


def test_they_are_short_and_say_so() -> None:
    files = {f"{folder}CONTRIBUTING.md": "style " + "x" * 90 + "\n" for folder in ("", "docs/", ".github/")}
    files["AGENTS.md"] = "a line on naming\n" * 5_000
    rules = house_rules(files).rules
    assert sum(len(rule.text) for rule in rules) <= 1_800
    assert [rule.cut for rule in rules if rule.path == "AGENTS.md"] == [True]
    assert rules == house_rules(dict(reversed(files.items()))).rules
