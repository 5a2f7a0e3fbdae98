"""A socket's address is short: where the temporary folder's is not, it stands in /tmp."""

from __future__ import annotations

from pathlib import Path

from greylag.agent.proxy.listening import short_place


def test_a_temporary_folder_that_is_deep_is_not_taken() -> None:
    assert short_place("/var/tmp") == Path("/var/tmp")
    assert short_place("/var/folders/" + "x" * 80) == Path("/tmp")
