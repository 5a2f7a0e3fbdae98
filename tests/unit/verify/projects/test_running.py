"""Project verifiers over small repositories, with the real tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from greylag.domain.agent import Changes
from greylag.domain.check import Check, CheckStatus
from greylag.verify.projects import (
    FolderBaselines,
    MemoryBaselines,
    Project,
    ProjectSettings,
    Report,
    check_project,
)
from greylag.workspace import CommandResult, run_command
from greylag.workspace.cage import CageSpec, NoSandbox, choose_cage

SETTINGS = ProjectSettings(python=(sys.executable,), timeout=60)
CODE = "def load(rows):\n    return [row['user_id'] for row in rows]\n"
TEST = (
    "from report import load\n\n\ndef test_load():\n    assert load([{'user_id': 1}]) == [1]\n\n\n"
    "def test_broken_before():\n    assert load([]) == [1]\n"
)
BASE = {"report.py": CODE.encode(), "tests/test_report.py": TEST.encode(), "conftest.py": b""}
RIGHT: Changes = {
    "report.py": CODE.replace("user_id", "account_id").encode(),
    "tests/test_report.py": b"# one more line\n" + TEST.replace("user_id", "account_id").encode(),
}
WRONG: Changes = {"report.py": CODE.replace("user_id", "account_id").encode()}


@dataclass
class Runner:
    """Runs commands here, and remembers them."""

    calls: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], folder: Path, timeout: float) -> CommandResult:
        self.calls.append(tuple(argv))
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        # Plugins of ours are none of the small repositories'.
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        return run_command(argv, cwd=folder, timeout=timeout, env=env)


def project(files: dict[str, bytes], run: Runner | None = None, **more: object) -> Project:
    return Project(files=files, key="base-1", run=run or Runner(), **more)  # type: ignore[arg-type]


def only(checks: tuple[Check, ...]) -> Check:
    assert len(checks) == 1, [check.verifier for check in checks]
    return checks[0]


def test_pytest_passes_and_does_not_blame_what_failed_before() -> None:
    check = only(check_project(project(BASE), RIGHT, SETTINGS))
    assert check.verifier == "project:pytest"
    assert check.status is CheckStatus.PASSED, check
    assert check.summary == "1 test passed; 1 failure as before the change"
    (old,) = check.details["pre_existing"]  # type: ignore[misc]
    assert "test_broken_before" in old


def test_pytest_fails_with_what_is_new_and_says_the_same_each_time() -> None:
    checks = [only(check_project(project(BASE), WRONG, SETTINGS)) for _ in range(2)]
    assert checks[0] == checks[1]
    assert checks[0].status is CheckStatus.FAILED
    assert checks[0].summary.startswith(
        "1 failure that was not there before: FAILED tests/test_report.py::test_load"
    )
    output = str(checks[0].details["output"])
    assert "KeyError: 'account_id'" in output
    assert len(output) < 2200


def test_the_baseline_runs_once_a_commit(tmp_path: Path) -> None:
    run = Runner()
    known = FolderBaselines(tmp_path / "known")
    check_project(project(BASE, run, baselines=known), RIGHT, SETTINGS)
    assert len(run.calls) == 2
    check_project(project(BASE, run, baselines=FolderBaselines(tmp_path / "known")), RIGHT, SETTINGS)
    assert len(run.calls) == 3


def test_a_test_that_is_skipped_at_run_time_is_missed() -> None:
    before = {**BASE, "conftest.py": b""}
    skip = b"import pytest\n\ndef pytest_collection_modifyitems(items):\n    items[:] = items[1:]\n"
    check = only(check_project(project(before), {**RIGHT, "conftest.py": skip}, SETTINGS))
    assert check.status is CheckStatus.FAILED
    assert check.summary == "1 test fewer than before passes: skipped, or no longer found"


def test_a_suite_that_finds_no_tests_any_more_has_failed() -> None:
    check = only(check_project(project(BASE), {"tests/test_report.py": b"# gone\n"}, SETTINGS))
    assert check.status is CheckStatus.FAILED
    assert check.summary == "it ran before the change, and not after it: it found no tests"


def test_code_that_ends_the_run_with_success_has_not_passed() -> None:
    ends = b"import os\nos._exit(0)\n"
    check = only(check_project(project(BASE), {"report.py": ends}, SETTINGS))
    assert check.status is CheckStatus.FAILED
    assert check.summary == (
        "it ran before the change, and not after it: it ended well without saying what it ran"
    )


def test_a_flaky_test_is_inconclusive(tmp_path: Path) -> None:
    counter = tmp_path / "n"
    flaky = (
        f"import pathlib\n\n\ndef test_now_and_then():\n    p = pathlib.Path({str(counter)!r})\n"
        "    n = int(p.read_text()) if p.exists() else 0\n    p.write_text(str(n + 1))\n    assert n != 1\n"
    )
    files = {**BASE, "tests/test_flaky.py": flaky.encode()}
    check = only(check_project(project(files), RIGHT, SETTINGS))
    assert check.status is CheckStatus.INCONCLUSIVE, check
    assert "test_now_and_then" in check.summary


def test_one_that_failed_in_a_second_run_before_is_not_blamed(tmp_path: Path) -> None:
    """It fails in every run but the first: the base's second run tells that it is not the change's."""
    mark = tmp_path / "mark"
    flaky = (
        f"import pathlib\n\n\ndef test_first_only():\n    p = pathlib.Path({str(mark)!r})\n"
        "    seen = p.exists()\n    p.write_text('x')\n    assert not seen\n"
    )
    known = MemoryBaselines()
    files = {**BASE, "tests/test_flaky.py": flaky.encode()}
    check = only(check_project(project(files, baselines=known), RIGHT, SETTINGS))
    assert check.status is CheckStatus.INCONCLUSIVE
    assert [len(reports) for reports in known._known.values()] == [2]


def test_a_missing_tool_is_an_error_that_says_what_to_install() -> None:
    files = {**BASE, "pyproject.toml": b"[tool.black]\n"}
    checks = check_project(project(files), RIGHT, SETTINGS)
    black = next(check for check in checks if check.verifier == "project:black")
    assert black.status is CheckStatus.ERRORED
    assert black.summary == (
        "`black` is missing here; install `black` for the sandbox's Python (before the change)"
    )


def test_a_command_that_cannot_be_started_is_an_error() -> None:
    files = {".greylag.yaml": b"verifiers:\n  commands:\n    - {name: own, run: no-such-program-here}\n"}
    check = only(check_project(project(files), {}, SETTINGS))
    assert check.status is CheckStatus.ERRORED
    assert "no-such-program-here" in check.summary


def test_what_runs_out_of_time_is_an_error() -> None:
    files = {".greylag.yaml": b"verifiers:\n  commands:\n    - {name: slow, run: sleep 30, timeout: 1s}\n"}
    check = only(check_project(project(files), {}, SETTINGS))
    assert check.status is CheckStatus.ERRORED
    assert check.summary == "it ran out of time (before the change)"


def test_what_needs_the_network_is_inconclusive() -> None:
    run = "[sh, -c, 'echo Could not resolve host: example.com; exit 1']"
    files = {".greylag.yaml": f"verifiers:\n  commands:\n    - {{name: net, run: {run}}}\n".encode()}
    check = only(check_project(project(files), {}, SETTINGS))
    assert check.status is CheckStatus.INCONCLUSIVE
    assert "needs the network" in check.summary


def own(script: str) -> dict[str, bytes]:
    text = f"verifiers:\n  commands:\n    - name: own\n      folder: etl\n      run: [sh, -c, {script!r}]\n"
    return {".greylag.yaml": text.encode(), "etl/a.txt": b"users_v1\n"}


@pytest.mark.parametrize(
    ("script", "after", "expected"),
    [
        ("grep -q users a.txt", b"users_v2\n", CheckStatus.PASSED),
        ("grep -q users a.txt", b"nothing\n", CheckStatus.FAILED),
        ("exit 3", b"users_v2\n", CheckStatus.INCONCLUSIVE),
        ("test ! -e made && touch made", b"users_v2\n", CheckStatus.PASSED),
    ],
    ids=["passes", "fails", "failed before", "each run is in a fresh copy"],
)
def test_commands_of_the_repository(script: str, after: bytes, expected: CheckStatus) -> None:
    check = only(check_project(project(own(script)), {"etl/a.txt": after}, SETTINGS))
    assert check.status is expected, check


def test_the_change_cannot_choose_its_judges() -> None:
    files = own("grep -q users a.txt")
    change: Changes = {"etl/a.txt": b"nothing\n", ".greylag.yaml": b"verifiers: {commands: []}\n"}
    assert only(check_project(project(files), change, SETTINGS)).status is CheckStatus.FAILED


def test_ruff_and_mypy_compare_by_code_and_file_though_lines_move() -> None:
    files = {
        "pyproject.toml": b"[tool.ruff]\n[tool.mypy]\nstrict = true\n",
        "a.py": b"import os\n\n\ndef f(x: int) -> int:\n    return 'a'\n",
    }
    moved: Changes = {"a.py": b"# users_v2\n\n" + files["a.py"]}
    worse: Changes = {"a.py": files["a.py"] + b"\n\ndef g() -> int:\n    return h()\n"}
    run = Runner()
    known = MemoryBaselines()
    good = check_project(project(files, run, baselines=known), moved, SETTINGS)
    assert {check.verifier: check.status for check in good} == {
        "project:ruff": CheckStatus.PASSED,
        "project:mypy": CheckStatus.PASSED,
    }, good
    assert all(check.summary == "nothing new; 1 failure as before the change" for check in good)
    bad = check_project(project(files, run, baselines=known), worse, SETTINGS)
    assert {check.status for check in bad} == {CheckStatus.FAILED}
    assert "F821" in bad[0].summary
    assert "name-defined" in bad[1].summary


def test_dbt_parses_the_project() -> None:
    files = {
        "shop/dbt_project.yml": b"name: shop\nversion: 1.0.0\nprofile: shop\n",
        "shop/profiles.yml": b"shop:\n  target: t\n  outputs:\n    t: {type: duckdb, path: ':memory:'}\n",
        "shop/models/users_v2.sql": b"select 1 as a\n",
        "shop/models/m.sql": b"select * from {{ ref('users_v2') }}\n",
    }
    wrong: Changes = {"shop/models/m.sql": b"select * from {{ ref('users_v3') }}\n"}
    known = MemoryBaselines()
    check = only(check_project(project(files, baselines=known), wrong, SETTINGS))
    assert check.verifier == "project:dbt in shop"
    assert check.status is CheckStatus.FAILED, check
    assert "users_v3" in check.summary
    broken = {**files, "shop/models/m.sql": b"select * from {{ ref('nothing') }}\n"}
    check = only(check_project(project(broken), {"shop/models/users_v2.sql": b"select 2 as a\n"}, SETTINGS))
    assert check.status is CheckStatus.INCONCLUSIVE
    assert check.summary == "it fails as it did before the change, so it may hide what is new"


def test_a_wrong_configuration_is_an_error_with_its_place() -> None:
    files = {".greylag.yaml": b"verifiers:\n  skp: [mypy]\n"}
    check = only(check_project(project(files), {}, SETTINGS))
    assert check.status is CheckStatus.ERRORED
    assert check.summary.startswith(".greylag.yaml:2:3: `skp` is not known here; did you mean `skip`?")


def test_a_baseline_that_cannot_be_read_counts_as_unknown(tmp_path: Path) -> None:
    known = FolderBaselines(tmp_path)
    known.put("k", (Report(ok=False, failures={"a": "line"}, passed=3),))
    assert known.get("k") == (Report(ok=False, failures={"a": "line"}, passed=3),)
    for path in tmp_path.iterdir():
        path.write_text("[{")
    assert known.get("k") == ()


def test_in_the_real_cage(tmp_path: Path) -> None:
    try:
        cage = choose_cage()
    except NoSandbox as reason:
        pytest.skip(str(reason).splitlines()[0])
    readable = tuple({Path(sys.prefix), Path(sys.base_prefix)} - {Path("/usr")})

    def run(argv: Sequence[str], folder: Path, timeout: float) -> CommandResult:
        return cage.run(argv, CageSpec(folder=folder, readable=readable), timeout=timeout)

    given = Project(files=BASE, key="base", run=run, scratch=tmp_path)
    assert only(check_project(given, RIGHT, SETTINGS)).status is CheckStatus.PASSED
    assert only(check_project(given, WRONG, SETTINGS)).status is CheckStatus.FAILED
    network = "import urllib.request\nurllib.request.urlopen('http://example.com')\n"
    text = f"verifiers:\n  commands:\n    - name: net\n      run: [{sys.executable}, net.py]\n"
    online = Project(
        files={".greylag.yaml": text.encode(), "net.py": network.encode()},
        key="net",
        run=run,
        scratch=tmp_path,
    )
    assert only(check_project(online, {}, SETTINGS)).status is CheckStatus.INCONCLUSIVE
