"""The host and the folder that every attack finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.world import SECRET, World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("GREYLAG_ATTACK_SECRET", SECRET)
    with make_world(tmp_path) as made:
        yield made
