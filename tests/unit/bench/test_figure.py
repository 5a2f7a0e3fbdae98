"""How a benchmark's figure is judged."""

from __future__ import annotations

import pytest

from bench.figure import Figure, print_table


@pytest.mark.parametrize(
    ("value", "baseline", "target", "met"),
    [(2.0, 1.0, 3.0, True), (4.0, 1.0, 3.0, False), (9.0, None, 10.0, True), (2.0, 1.0, None, None)],
)
def test_a_target_bounds_the_ratio_or_the_value(
    value: float, baseline: float | None, target: float | None, met: bool | None
) -> None:
    assert Figure(name="x", value=value, unit="ms", baseline_value=baseline, target=target).met is met


def test_a_missed_target_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Figure(name="x", value=4.0, unit="ms", baseline="b", baseline_value=1.0, target=3.0)])
    assert "MISSED" in capsys.readouterr().out
