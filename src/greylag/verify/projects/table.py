"""Which tools judge which repository: a table. They run as the repository configures them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from greylag.verify.projects.values import ProjectSettings, ProjectVerifier

Files = Mapping[str, str]

_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")
_SLOW = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One row. `where` yields the folders to run in; `argv` may hold {python} and {folder}."""

    name: str
    argv: tuple[str, ...]
    judges: str
    install: str
    where: Callable[[Files], Iterator[str]]
    parser: str | None = None
    timeout: float | None = None


def _root(found: Callable[[Files], bool]) -> Callable[[Files], Iterator[str]]:
    def where(files: Files) -> Iterator[str]:
        if found(files):
            yield "."

    return where


def _beside(*names: str) -> Callable[[Files], Iterator[str]]:
    """The outermost folders that hold one of these files."""

    def where(files: Files) -> Iterator[str]:
        folders = sorted(
            {str(PurePosixPath(path).parent) for path in files if PurePosixPath(path).name in names}
        )
        for folder in folders:
            above = {str(each) for each in PurePosixPath(folder).parents} if folder != "." else set()
            if not above & set(folders):
                yield folder

    return where


def _configured(tool: str, *own: str) -> Callable[[Files], bool]:
    """A file of the tool's own at the root, or its section in a shared one."""
    section = re.compile(rf"(?m)^\[(?:tool[.:])?{tool}\b")

    def found(files: Files) -> bool:
        if any(name in files for name in own):
            return True
        return any(section.search(files.get(name, "")) for name in ("pyproject.toml", "setup.cfg", "tox.ini"))

    return found


def _has_pytest(files: Files) -> bool:
    tests = [path for path in files if _TEST_FILE.search(path)]
    if not tests:
        return False
    said = _configured(
        "pytest", "pytest.ini", ".pytest.ini", "pytest.toml", "conftest.py", "tests/conftest.py"
    )
    return said(files) or any(
        re.search(r"(?m)^\s*(?:async )?def test_|import pytest", files[path]) for path in tests
    )


def _formats_with_ruff(files: Files) -> bool:
    hook = re.search(r"(?m)^\s*-\s*id:\s*ruff-format\b", files.get(".pre-commit-config.yaml", ""))
    return (
        hook is not None
        or _configured(r"ruff\.format")(files)
        or any(re.search(r"(?m)^\[format\]", files.get(name, "")) for name in ("ruff.toml", ".ruff.toml"))
    )


TOOLS: tuple[Tool, ...] = (
    Tool(
        name="ruff",
        argv=("{python}", "-m", "ruff", "check", "--no-cache", "--no-fix", "--output-format=concise", "."),
        judges="that ruff finds nothing new",
        install="install `ruff` for the sandbox's Python",
        where=_root(_configured("ruff", "ruff.toml", ".ruff.toml")),
        parser="ruff",
    ),
    Tool(
        name="ruff-format",
        argv=("{python}", "-m", "ruff", "format", "--no-cache", "--check", "."),
        judges="that files are laid out as ruff does it",
        install="install `ruff` for the sandbox's Python",
        where=_root(_formats_with_ruff),
        parser="ruff-format",
    ),
    Tool(
        name="black",
        argv=("{python}", "-m", "black", "--check", "--no-color", "."),
        judges="that files are laid out as black does it",
        install="install `black` for the sandbox's Python",
        where=_root(_configured("black")),
        parser="black",
    ),
    Tool(
        name="mypy",
        argv=("{python}", "-m", "mypy", "--no-color-output", "--no-error-summary", "--cache-dir=/dev/null"),
        judges="that mypy finds nothing new",
        install="install `mypy` for the sandbox's Python",
        where=_root(_configured("mypy", "mypy.ini", ".mypy.ini")),
        parser="mypy",
    ),
    Tool(
        name="pytest",
        argv=("{python}", "-m", "pytest", "-q", "-rfE", "--tb=short", "--color=no", "-p", "no:cacheprovider"),
        judges="that no test fails that did not fail before",
        install="install `pytest` and what the tests import for the sandbox's Python",
        where=_root(_has_pytest),
        parser="pytest",
        timeout=_SLOW,
    ),
    Tool(
        name="dbt",
        argv=(
            "dbt",
            "--no-use-colors",
            "--no-send-anonymous-usage-stats",
            "parse",
            "--no-partial-parse",
            "--project-dir",
            ".",
            "--target-path",
            "/tmp/dbt-target",
            "--log-path",
            "/tmp/dbt-logs",
        ),
        judges="that dbt still parses the project",
        install="install `dbt-core` and the project's adapter for the sandbox",
        where=_beside("dbt_project.yml"),
        parser="dbt",
    ),
    Tool(
        name="sqlfluff",
        argv=("{python}", "-m", "sqlfluff", "lint", "--nocolor", "--disable-progress-bar", "."),
        judges="that sqlfluff finds nothing new",
        install="install `sqlfluff` for the sandbox's Python",
        where=_root(_configured("sqlfluff", ".sqlfluff")),
        parser="sqlfluff",
    ),
    Tool(
        name="sbt",
        argv=(
            "sbt",
            "-batch",
            "-Dsbt.color=false",
            "-Dsbt.supershell=false",
            "set every offline := true",
            "Test/compile",
        ),
        judges="that the Scala code and its tests compile",
        install="install `sbt`, with the project's dependencies in its cache",
        where=_beside("build.sbt"),
        parser="sbt",
        timeout=_SLOW,
    ),
    Tool(
        name="maven",
        argv=("mvn", "-o", "-B", "-q", "-Dstyle.color=never", "test-compile"),
        judges="that the Java code and its tests compile",
        install="install `maven`, with the project's dependencies in its cache",
        where=_beside("pom.xml"),
        parser="maven",
        timeout=_SLOW,
    ),
    Tool(
        name="gradle",
        argv=("gradle", "--offline", "--no-daemon", "-q", "--console=plain", "testClasses"),
        judges="that the code and its tests compile",
        install="install `gradle`, with the project's dependencies in its cache",
        where=_beside("build.gradle", "build.gradle.kts"),
        parser="gradle",
        timeout=_SLOW,
    ),
    Tool(
        name="pre-commit",
        argv=("pre-commit", "run", "--all-files", "--color=never", "--show-diff-on-failure"),
        judges="that the repository's pre-commit hooks pass",
        install="install `pre-commit`, with the hooks in its cache",
        where=_root(lambda files: ".pre-commit-config.yaml" in files),
        parser="pre-commit",
    ),
)
"""Every tool that is known, the quickest first."""


def known_tools() -> frozenset[str]:
    """The names of the table."""
    return frozenset(tool.name for tool in TOOLS)


def tools_for(files: Files, settings: ProjectSettings) -> Iterator[ProjectVerifier]:
    """The tools that a repository's files ask for."""
    for tool in TOOLS:
        if tool.name in settings.skip:
            continue
        for folder in tool.where(files):
            name = tool.name if folder == "." else f"{tool.name} in {folder}"
            yield ProjectVerifier(
                name=name,
                argv=(*_argv(tool, settings), *_places(tool.name, files)),
                judges=tool.judges,
                parser=tool.parser or "status",
                folder=folder,
                timeout=tool.timeout or settings.timeout,
                install=tool.install,
            )


def _argv(tool: Tool, settings: ProjectSettings) -> Iterator[str]:
    for part in tool.argv:
        if part == "{python}":
            yield from settings.python
        else:
            yield part


def _places(name: str, files: Files) -> tuple[str, ...]:
    """mypy wants to be told what to read, unless its configuration does."""
    if name != "mypy":
        return ()
    texts = (
        files.get(each, "") for each in ("pyproject.toml", "mypy.ini", ".mypy.ini", "setup.cfg", "tox.ini")
    )
    said = any(re.search(r"(?m)^\s*(?:files|packages|modules)\s*=", text) for text in texts)
    return () if said else (".",)
