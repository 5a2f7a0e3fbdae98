"""How the output of each tool becomes failures with ids that do not move when lines do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from greylag.verify.projects.values import Report
from greylag.workspace import CommandResult

_NETWORK = re.compile(
    r"(?i)name resolution|could not resolve host|network is unreachable|UnknownHostException|"
    r"failed to establish a new connection|could not transfer artifact|unresolved dependenc|"
    r"error downloading|"
    r"could not (?:GET|HEAD) |ENOTFOUND|name or service not known|nodename nor servname|in offline mode|"
    r"offline mode|connection refused|no cached version|dns error|proxyconnect|dbt deps|"
    r"failed to (?:fetch|download|clone)|unable to access 'https?:"
)
_MISSING = re.compile(
    r"No module named '?(?P<module>[\w.]+)'?\s*$|(?P<command>[\w./-]+): (?:command )?not found|"
    r"(?P<start>[\w./-]+): cannot be started|execvp (?P<exec>[\w./-]+):|can't open file '(?P<file>[^']+)'",
    re.MULTILINE,
)
_PROFILE = re.compile(
    r"Could not find profile|No profiles\.yml|profiles\.yml file is invalid|Could not find adapter"
)
_PYTEST = re.compile(r"^(FAILED|ERROR) (\S.*?)(?: - (.*))?$")
_PYTEST_COUNT = re.compile(r"(\d+) (failed|passed|skipped|error|errors|xfailed|xpassed|deselected)\b")
_PYTEST_END = re.compile(r"^=*\s*(?:(?:\d+ \w+|no tests ran)(?:, )?)+ in (?:[\d.]+|…)\s*s.*$")
_PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "mypy": re.compile(r"^(?P<path>[^\s:][^:]*):\d+(?::\d+)?: error: (?P<what>.*)$"),
        "ruff": re.compile(r"^(?P<path>[^\s:][^:]*):\d+:\d+: (?P<what>\S+ .*)$"),
        "black": re.compile(r"^would reformat (?P<path>.+?)(?P<what>)$"),
        "ruff-format": re.compile(r"^Would reformat: (?P<path>.+?)(?P<what>)$"),
        "sbt": re.compile(r"^\[error\] (?P<path>/?[^\s:]+\.(?:scala|java)):\d+(?::\d+)?: (?P<what>.*)$"),
        "maven": re.compile(
            r"^\[ERROR\] (?P<path>/?\S+?\.(?:java|scala|kt)):\[?\d+[,:]?\d*\]?:? (?P<what>.*)$"
        ),
        "gradle": re.compile(
            r"^(?:e: )?(?P<path>/?\S+?\.(?:java|scala|kt)):\d+(?::\d+)?:? (?:error: )?(?P<what>.*)$"
        ),
        "pre-commit": re.compile(r"^(?P<path>.+?)\.{3,}(?:\(.*\))?(?P<what>Failed)$"),
        "lines": re.compile(r"^(?P<path>[\w./-]+):\d+(?::\d+)?:? (?P<what>.*\S.*)$"),
    }
)
_SQLFLUFF_FILE = re.compile(r"^== \[(.+)\] (?:FAIL|PASS)$")
_SQLFLUFF_LINE = re.compile(r"^L:\s*\d+ \| P:\s*\d+ \|\s*(\S+) \| (.*)$")
_DBT = re.compile(r"(?:Compilation|Parsing|Runtime|Database|Dependency|Validation) Error(?: in .*)?$")
_NO_TESTS = 5


def _status(result: CommandResult) -> Iterator[tuple[str, str]]:
    """A tool that names no places: it fails as a whole."""
    if not result.ok:
        last = next((line for line in reversed(result.output.splitlines()) if line.strip()), "")
        yield f"exit status {result.status}", last.strip()[:200]


def _pattern(name: str) -> Callable[[CommandResult], Iterator[tuple[str, str]]]:
    def found(result: CommandResult) -> Iterator[tuple[str, str]]:
        for line in result.output.splitlines():
            if match := _PATTERNS[name].match(line.strip()):
                yield f"{match['path']}: {match['what']}".removesuffix(": "), line.strip()

    return found


def _pytest(result: CommandResult) -> Iterator[tuple[str, str]]:
    for line in result.output.splitlines():
        if match := _PYTEST.match(line):
            yield match[2], line


def _sqlfluff(result: CommandResult) -> Iterator[tuple[str, str]]:
    path = ""
    for line in result.output.splitlines():
        if match := _SQLFLUFF_FILE.match(line.strip()):
            path = match[1]
        elif match := _SQLFLUFF_LINE.match(line.strip()):
            yield f"{path}: {match[1]} {match[2].strip()}", f"{path}: {line.strip()}"


def _dbt(result: CommandResult) -> Iterator[tuple[str, str]]:
    lines = result.output.splitlines()
    for index, line in enumerate(lines):
        if match := _DBT.search(line):
            why = lines[index + 1].strip() if index + 1 < len(lines) else ""
            yield f"{match.group()}: {re.sub(r'line [0-9]+', 'line', why)}", f"{match.group()}: {why}"


_FINDERS: Mapping[str, Callable[[CommandResult], Iterator[tuple[str, str]]]] = MappingProxyType(
    {"status": _status, "pytest": _pytest, "sqlfluff": _sqlfluff, "dbt": _dbt}
    | {name: _pattern(name) for name in _PATTERNS}
)
PARSERS = frozenset(_FINDERS)
"""How output can be read, by name; `status` reads none of it, `lines` reads `path:line: message`."""


def read(parser: str, result: CommandResult, *, install: str = "") -> Report:
    """What a run says. `result.output` is plain already (see `trim.plain`)."""
    if result.timed_out:
        return Report(ok=False, broken="it ran out of time", errored=True)
    counted: Counter[str] = Counter()
    failures: dict[str, str] = {}
    for key, line in _FINDERS[parser](result):
        counted[key] += 1
        # The same message twice in one file is two failures: lines do not tell them apart.
        failures[key if counted[key] == 1 else f"{key} ({counted[key]})"] = line
    if (broken := _broken(parser, result, failures, install)) is not None:
        return broken
    if result.ok:
        passed = _passed(parser, result.output)
        if parser == "pytest" and passed is None:
            # Code under test can end the process with 0 before a test has run.
            return Report(ok=False, broken="it ended well without saying what it ran")
        # What it says on the way to success is no failure.
        return Report(ok=True, passed=passed)
    if not failures:
        failures = dict(_status(result))
    return Report(ok=False, failures=failures, passed=_passed(parser, result.output))


def _broken(parser: str, result: CommandResult, failures: Mapping[str, str], install: str) -> Report | None:
    """Why a run says nothing about the code, if so. Where it names places, it has run."""
    if result.ok or (failures and parser != "status"):
        return None
    if missing := _MISSING.search(result.output):
        name = next(group for group in missing.groups() if group)
        hint = f"; {install}" if install else ""
        if result.status in (None, 126, 127) or _is_tool(name, parser):
            return Report(ok=False, broken=f"`{name}` is missing here{hint}", errored=True)
    if result.status is None:
        return Report(
            ok=False, broken=f"it could not be started{'; ' + install if install else ''}", errored=True
        )
    if result.status in (126, 127):
        return Report(
            ok=False, broken=f"a program is missing here{'; ' + install if install else ''}", errored=True
        )
    if _NETWORK.search(result.output):
        return Report(ok=False, broken="it needs the network, which the sandbox does not have")
    if parser == "dbt" and _PROFILE.search(result.output):
        return Report(ok=False, broken="there is no dbt profile for this project here")
    if parser == "pytest" and result.status == _NO_TESTS:
        return Report(ok=False, broken="it found no tests", passed=0)
    return None


def _is_tool(name: str, parser: str) -> bool:
    return name.split(".", maxsplit=1)[0].replace("_", "-") in (
        parser,
        "ruff",
        "mypy",
        "pytest",
        "black",
        "dbt",
        "sqlfluff",
        "pre-commit",
    )


def _passed(parser: str, output: str) -> int | None:
    if parser != "pytest":
        return None
    for line in reversed(output.splitlines()):
        if _PYTEST_END.match(line.strip()):
            counts = {name: int(number) for number, name in _PYTEST_COUNT.findall(line)}
            return counts.get("passed", 0) + counts.get("xfailed", 0)
    return None
