"""The second choice, a container engine: its command line, and its life against a stand-in for the engine.

There is no engine in the tests: that a real one keeps what its options promise is not tried here.
"""

from __future__ import annotations

import csv
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from greylag.workspace.cage import HOME, SOCKET, WORK, CageError, CageLimits, CageSpec, NoSandbox, choose_cage
from greylag.workspace.cage.container import IMAGE, Container, container_args
from greylag.workspace.cage.masks import find_masks

# `docker` as far as a cage asks for it. Containers are processes; mounts are told, not made: the command runs
# in the folder itself, and paths of the container in the launcher's arguments are replaced by the host's.
STAND_IN = """#!{python}
import json, os, pathlib, signal, subprocess, sys
state = pathlib.Path({state!r})
arguments = sys.argv[1:]
with open(state / "log", "a") as log: log.write(json.dumps(arguments) + "\\n")
match arguments[0]:
    case "image":
        if arguments[2] != {image!r}:
            sys.exit("Error: No such image: " + arguments[2])
    case "ps":
        name = arguments[-1].removeprefix("name=")
        if (state / name).exists(): print(name)
    case "kill" | "rm":
        try: pid = int((state / arguments[-1]).read_text())
        except FileNotFoundError: sys.exit("Error: No such container")
        try: os.killpg(pid, signal.SIGKILL if arguments[0] == "rm" else signal.SIGTERM)
        except ProcessLookupError: pass
        if arguments[0] == "rm": (state / arguments[-1]).unlink(missing_ok=True)
    case "run":
        end = arguments.index({image!r})
        options, command = arguments[1:end], arguments[end + 1:]
        value = lambda name: options[options.index(name) + 1]
        mounts = [dict(part.split("=", 1) for part in option.split(",") if "=" in part)
                  for flag, option in zip(options, options[1:]) if flag == "--mount"]
        where = {{mount["target"]: mount["source"] for mount in mounts}}
        environment = dict(line.split("=", 1) for line in open(value("--env-file")).read().splitlines())
        command[0] = sys.executable
        command[3] = where[command[3]]
        process = subprocess.Popen(command, cwd=where[value("--workdir")], env=environment, process_group=0)
        (state / value("--name")).write_text(str(process.pid))
        status = process.wait()
        # All of a container ends with its first process.
        try: os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError: pass
        (state / value("--name")).unlink(missing_ok=True)
        sys.exit(status if status >= 0 else 128 - status)
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    state, programs = tmp_path / "state", tmp_path / "programs"
    state.mkdir()
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text(STAND_IN.format(python=sys.executable, state=str(state), image=IMAGE))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    choose_cage.cache_clear()
    return state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / ".git").mkdir(parents=True)
    (made / ".claude").mkdir()
    (made / "CLAUDE.md").write_text("x")
    (made / "a.sql").write_text("SELECT 1\n")
    return made


def asked(state: Path) -> list[list[str]]:
    """What the engine was asked, in order."""
    return [json.loads(line) for line in (state / "log").read_text().splitlines()]


def test_the_command_line_holds_every_fence(folder: Path, tmp_path: Path) -> None:
    limits = CageLimits(memory=2**30, processes=77, disk=2**28)
    readable = tmp_path / 'odd, "name'
    spec = CageSpec(folder=folder, readable=(readable,), limits=limits, env={"TOKEN": "hush"})
    args = container_args("docker", IMAGE, "label", tmp_path, spec, find_masks(folder))
    text = " ".join(args)
    for fence in (
        "run --rm --interactive --init --pull=never --name label",
        "--network none --read-only --cap-drop ALL --security-opt no-new-privileges",
        f"--pids-limit 77 --memory {2**30} --memory-swap {2**30}",
        f"--tmpfs {HOME}:rw,nosuid,nodev,mode=1777,size={2**27}",
        f"--workdir {WORK} --env-file {tmp_path / 'env'}",
    ):
        assert fence in text
    assert args[-1] == IMAGE
    assert "hush" not in text
    assert not {"--privileged", "--pid", "--ipc", "--device", "--volume", "-v"} & set(args)
    mounts = [next(csv.reader([value])) for flag, value in pairwise(args) if flag == "--mount"]
    seen = {fields[2]: (fields[1], "readonly" in fields) for fields in mounts}
    assert seen[f"target={WORK}"] == (f"source={folder}", False)
    assert seen[f"target={WORK}/.git"] == (f"source={folder}/.git", True)
    assert seen[f"target={WORK}/.claude"] == (f"source={tmp_path}/empty", True)
    assert seen[f"target={readable}"] == (f"source={readable}", True)
    writable = [target for target, (_, read_only) in seen.items() if not read_only]
    assert writable == [f"target={WORK}"]
    assert f"target={SOCKET}" not in seen


def test_a_folder_that_is_not_writable_is_mounted_so(folder: Path, tmp_path: Path) -> None:
    spec = CageSpec(folder=folder, writable=False)
    args = container_args("podman", IMAGE, "label", tmp_path, spec, find_masks(folder))
    assert f"type=bind,source={folder},target={WORK},readonly" in args


def test_it_is_chosen_where_it_works(state: Path, folder: Path) -> None:
    cage = choose_cage("docker")
    choose_cage.cache_clear()
    assert cage.name == "docker"
    assert cage.inside(CageSpec(folder=folder)) == WORK
    assert [arguments[0] for arguments in asked(state)][:2] == ["image", "run"]


def test_an_image_that_is_not_there_is_never_fetched(state: Path) -> None:
    with pytest.raises(NoSandbox, match="docker pull other:1"):
        choose_cage("docker", image="other:1")
    assert [arguments[0] for arguments in asked(state)] == ["image"]


def test_a_command_runs_and_nothing_is_left(state: Path, folder: Path) -> None:
    cage = Container.find("docker")
    spec = CageSpec(folder=folder, env={"TOKEN": "hush"})
    result = cage.run(["sh", "-c", "cat a.sql; echo $TOKEN; exit 4"], spec, timeout=20)
    assert (result.status, result.output) == (4, "SELECT 1\nhush\n")
    assert [path.name for path in state.iterdir()] == ["log"]
    run = next(arguments for arguments in asked(state) if arguments[0] == "run")
    assert "hush" not in json.dumps(run)
    assert not Path(run[run.index("--env-file") + 1]).exists()


def test_a_session_is_ended_as_a_whole(state: Path, folder: Path) -> None:
    cage = Container.find("docker")
    running = cage.start(["sh", "-c", "read x; echo got $x; exec sleep 60"], CageSpec(folder=folder))
    running.stdin.write(b"it\n")
    running.stdin.flush()
    assert running.stdout.readline() == b"got it\n"
    running.end(grace=0.1)
    assert running.poll() is not None
    assert [path.name for path in state.iterdir()] == ["log"]


def test_a_container_ends_by_itself_when_its_time_is_over(state: Path, folder: Path) -> None:
    """The launcher inside sees to it, for the host may have been killed."""
    cage = Container.find("docker")
    running = cage.start(["sleep", "60"], CageSpec(folder=folder, limits=CageLimits(wall=0.4)))
    assert running.stdout.read() == b""
    running.end()
    plan = json.loads(next(arguments for arguments in asked(state) if arguments[0] == "run")[-3])
    assert plan["wall"] == 0.4


def test_a_value_that_engines_cannot_pass_on_is_refused(state: Path, folder: Path) -> None:
    with pytest.raises(CageError, match="line break"):
        Container.find("docker").run(["true"], CageSpec(folder=folder, env={"X": "a\nb"}), timeout=5)
