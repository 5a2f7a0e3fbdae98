"""An agent's command line: where it stands on this machine, and what a cage has to show of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from greylag.agent.base import Job
from greylag.agent.unavailable import AgentUnavailable
from greylag.workspace.cage import CageSpec

# What a cage shows of itself.
_SYSTEM = (Path("/usr"), Path("/bin"), Path("/lib"), Path("/lib64"), Path("/sbin"))
_PATH = "/usr/local/bin:/usr/bin:/bin"


class CommandSettings(BaseModel):
    """How an agent is started. `command` is searched for on PATH and in `folders`.

    `folders` are shown to the agent, read-only, beside the folder of the command itself (for npm: the whole
    `node_modules`); `env` is added to its environment: no secrets, the agent may read it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = Field(default=(), description="the agent's command line")
    folders: tuple[Path, ...] = Field(default=(), description="folders that the agent needs, shown read-only")
    env: Mapping[str, str] = Field(default_factory=dict, description="more of its environment; no secrets")


class Program:
    """An agent's command on this machine."""

    def __init__(self, settings: CommandSettings, default: Sequence[str], install: str) -> None:
        self._settings = settings
        self._command = tuple(settings.command) or tuple(default)
        self._install = install

    def argv(self) -> list[str]:
        """The command line with its program's real path. Raises AgentUnavailable."""
        return [str(self._find()), *self._command[1:]]

    def version(self) -> str:
        """What the program says of `--version`, its first line. Raises AgentUnavailable."""
        program, argv = str(self._find()), [*self.argv(), "--version"]
        try:
            told = subprocess.run(
                argv,
                env={"PATH": self._search_path(), "HOME": "/nonexistent", "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AgentUnavailable(f"{program} --version: {error}; {self._install}") from error
        lines = told.stdout.strip().splitlines()
        if told.returncode != 0 or not lines:
            said = (told.stderr or told.stdout).strip()[-500:]
            raise AgentUnavailable(f"{program} --version failed ({told.returncode}): {said}; {self._install}")
        return lines[0].strip()

    def spec(self, job: Job, env: Mapping[str, str]) -> CageSpec:
        """The cage for a job: its folder, the way to the proxy, and the agent's own files."""
        return CageSpec(
            folder=job.folder,
            socket=job.access.socket,
            readable=self.readable(),
            env={"PATH": self._search_path(), **env, **self._settings.env, **job.env},
            limits=job.limits,
            stopped=job.stopped,
        )

    def readable(self) -> tuple[Path, ...]:
        """What a cage has to show, each folder once: links are followed, as they do not exist inside."""
        program = self._find()
        shown = {
            _whole(path)
            for path in (program, program.resolve(), *map(Path.absolute, self._settings.folders))
            if not any(path.is_relative_to(root) for root in _SYSTEM)
        }
        return tuple(
            sorted(
                path for path in shown if not any(path != one and path.is_relative_to(one) for one in shown)
            )
        )

    def _search_path(self) -> str:
        # An npm folder brings its own Node (the package `node`), which must win over an older one.
        found = []
        for folder in (*self._settings.folders, self._find().parent):
            inside = (
                folder / "node_modules/.bin",
                folder / "node_modules/node/bin",
                folder / ".bin",
                folder / "bin",
                folder,
            )
            found += [str(path.absolute()) for path in inside if path.is_dir()]
        return ":".join([*dict.fromkeys(found), _PATH])

    def _find(self) -> Path:
        name = self._command[0]
        places = [
            str(folder / part)
            for folder in self._settings.folders
            for part in ("node_modules/.bin", ".bin", "bin", "")
        ]
        found = shutil.which(name, path=":".join([*places, os.environ.get("PATH", os.defpath)]))
        if found is None:
            raise AgentUnavailable(f"{name} is not installed: {self._install}")
        return Path(found).absolute()


def _whole(path: Path) -> Path:
    """A program of npm's needs all of the outermost `node_modules`; of Python's the whole environment."""
    parts = path.parts
    if "node_modules" in parts:
        return Path(*parts[: parts.index("node_modules") + 1])
    if path == Path(sys.executable) or (path.parent / "../pyvenv.cfg").exists():
        return path.parent.parent
    return path
