"""The part `rollout` of the settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from greylag.app.rollout_settings import local_rules
from greylag.app.settings import load_settings
from greylag.domain.errors import FileFaults
from greylag.domain.migration import Criticality


def test_days_and_times_are_read_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "greylag.yaml"
    file.write_text("""\
rollout:
  freezes:
    - {from: 2026-12-18, until: 2026-12-18T17:00:00+01:00, because: x}
  holidays: [SE]
  optout: {"legacy-*": gone in spring}
  traffic: {file: runs.ndjson}
  criticality: {low: ["*"], high: [pay-*]}
""")
    found = load_settings(file).rollout
    assert found.traffic is not None
    assert found.traffic.file == tmp_path / "runs.ndjson"
    local = local_rules(found)
    (freeze,) = local.calendar.freezes
    assert freeze.start == datetime(2026, 12, 18, tzinfo=UTC)
    assert freeze.end == datetime(2026, 12, 18, 16, tzinfo=UTC)
    assert local.optouts == (("legacy-*", "gone in spring"),)
    assert local.criticality == (("pay-*", Criticality.HIGH), ("*", Criticality.LOW))


@pytest.mark.parametrize(
    "text", ["holidays: [XX]", "freezes: [{from: soon, until: 2026-01-01, because: x}]", "max_opn: 3"]
)
def test_what_is_wrong_is_a_fault_of_the_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "greylag.yaml"
    file.write_text(f"rollout:\n  {text}\n")
    with pytest.raises(FileFaults):
        load_settings(file)
