"""The repository's own tests run an attacker's code: in the cage, and without deciding anything alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.code_cases import CODE, Code
from tests.attacks.hosting import CANARY, FILES, Host, hosting
from tests.attacks.world import sandbox

from greylag.domain.check import CheckStatus
from greylag.engine.judges import Base, HostJudges
from greylag.verify.projects import ProjectSettings
from greylag.workspace.cage import CageLimits

BEFORE = {**FILES, "test_job.py": b"import job\n\n\ndef test_countries():\n    assert job.TABLES\n"}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with hosting(tmp_path_factory.mktemp("code"), sandbox(), {"main": "http://127.0.0.1:9"}) as made:
        yield made


@pytest.mark.parametrize("code", CODE, ids=lambda code: code.named.name)
def test_it_stays_in_the_cage(host: Host, tmp_path: Path, code: Code) -> None:
    before = host.tree()
    environment = Path(sys.executable).parent.parent
    judges = HostJudges(
        cage=host.cage,
        limits=CageLimits(wall=15 if "for ever" in code.named.name else 60),
        projects=ProjectSettings(python=(sys.executable,), timeout=6.0),
        readable=(environment,),
        proxy=None,
        upstream="judge",
        folder=tmp_path,
    )
    base = Base(commit="c0", files=BEFORE, executable=frozenset())
    checks = judges.others(base, {})(code.filled(host.facts))
    tests = [check for check in checks if check.verifier == "project:pytest"]
    assert tests, checks
    passed = all(check.status is CheckStatus.PASSED for check in tests)
    assert not passed or code.passes, tests
    assert host.tree() == before
    assert host.listener.came == 0
    assert CANARY not in str(checks)
    assert "GOT" not in str(checks)
