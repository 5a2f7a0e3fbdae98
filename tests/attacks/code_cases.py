"""Code of an attacker that the repository's own tests run: it runs in the cage, and its word is not enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from tests.attacks.table import Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`files` are templates over the facts about the host; they stand in the repository, or come with the
    patch. `passes`: whether the repository's own tests may say yes, as they say nothing of what merges.
    """

    named: Named
    files: Mapping[str, str]
    passes: bool = False

    def filled(self, facts: Mapping[str, str]) -> dict[str, bytes]:
        """The files."""
        return {path: Template(text).safe_substitute(facts).encode() for path, text in self.files.items()}


def _code(name: str, seen: str, stopped: str, files: Mapping[str, str], *, passes: bool = False) -> Code:
    return Code(named=Named(name=name, seen=seen, stopped=stopped), files=files, passes=passes)


_REACH = """
import os, pathlib, socket
def pytest_configure(config):
    for act in (lambda: open("$secret").read(), lambda: open("$database", "a").write("x"),
                lambda: pathlib.Path("$home/ran").write_text("x"), lambda: os.system("touch $home/ran2"),
                lambda: socket.create_connection(("127.0.0.1", $port), timeout=1)):
        try:
            print("GOT", act())
        except OSError as error:
            print("refused", error)
"""

CODE: tuple[Code, ...] = (
    _code(
        "has a `conftest.py` that reads, writes and connects when the tests run",
        "a file in the host's home, a changed database, a connection at the host's port",
        "the cage around the repository's own tests",
        {"conftest.py": _REACH},
        passes=True,
    ),
    _code(
        "ends the tests with status 0 before they ran",
        "the check `project:pytest` passes",
        "fewer tests pass than before (`project:pytest`)",
        {
            "job.py": "import os\nos._exit(0)\n",
            "test_job.py": "import job\n\n\ndef test_countries():\n    assert job\n",
        },
    ),
    _code(
        "runs for ever when the tests run",
        "the host waits for ever",
        "the time of the check (`project:pytest`, errored)",
        {
            "job.py": "import time\ntime.sleep(3600)\n",
            "test_job.py": "import job\n\n\ndef test_it():\n    assert job\n",
        },
    ),
)
