"""Running a command of a repository's own, with an end to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GRACE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a command did.

    `status` is its exit status (negative: ended by that signal), None when it could not be started or ran
    out of time; `output` is the tail of standard output and standard error, interleaved.
    """

    status: int | None
    output: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ran to its end and said so with 0."""
        return self.status == 0


def run_command(
    argv: Sequence[str],
    *,
    cwd: Path,
    timeout: float,
    env: Mapping[str, str] | None = None,
    tail: int = 20_000,
) -> CommandResult:
    """Run `argv` (no shell) in `cwd` for at most `timeout` seconds; `env` None means our own environment.

    The command gets its own process group and no input. When it ends or runs out of time the whole group is
    ended, so that nothing it started lives on. `tail` is the number of bytes of output that are kept.
    """
    with tempfile.TemporaryFile() as sink:
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return CommandResult(status=None, output=f"{argv[0]}: cannot be started: {error.strerror}")
        timed_out = False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            _signal_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        size = sink.seek(0, os.SEEK_END)
        sink.seek(max(0, size - tail))
        output = sink.read().decode("utf-8", "replace")
    return CommandResult(status=None if timed_out else process.returncode, output=output, timed_out=timed_out)


def _signal_group(group: int, number: signal.Signals) -> None:
    # Gone already is what we want.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
