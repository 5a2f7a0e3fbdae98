"""Cages: what a command sees, how it is talked to, what is said when no cage works."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.attacks.world import sandbox

from greylag.workspace.cage import (
    AGENT_CONFIG,
    PORT,
    SOCKET,
    WORK,
    Cage,
    CageError,
    CageLimits,
    CageSpec,
    NoSandbox,
    choose_cage,
    is_agent_config,
    unsafe_cage,
)
from greylag.workspace.cage.bubblewrap import Bubblewrap
from greylag.workspace.cage.launch import Interpreter


@pytest.fixture
def cage() -> Cage:
    return sandbox()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    (made / "a.sql").write_text("SELECT 1\n")
    return made


def test_a_command_sees_the_folder_and_its_changes_stay(cage: Cage, folder: Path) -> None:
    result = cage.run(["sh", "-c", "pwd; cat a.sql; echo 2 > b.sql"], CageSpec(folder=folder), timeout=20)
    assert result.ok, result.output
    assert result.output == f"{WORK}\nSELECT 1\n"
    assert (folder / "b.sql").read_text() == "2\n"


def test_a_folder_that_is_not_writable_stays_as_it_is(cage: Cage, folder: Path) -> None:
    spec = CageSpec(folder=folder, writable=False)
    result = cage.run(["sh", "-c", "echo 2 > a.sql || mkdir x || rm a.sql"], spec, timeout=20)
    assert not result.ok
    assert (folder / "a.sql").read_text() == "SELECT 1\n"
    assert [path.name for path in folder.iterdir()] == ["a.sql"]


def test_status_and_both_streams_come_back(cage: Cage, folder: Path) -> None:
    result = cage.run(["sh", "-c", "echo out; echo err >&2; exit 7"], CageSpec(folder=folder), timeout=20)
    assert (result.status, result.timed_out) == (7, False)
    assert sorted(result.output.split()) == ["err", "out"]


def test_only_the_tail_of_much_output_is_kept(cage: Cage, folder: Path) -> None:
    result = cage.run(["sh", "-c", "seq 1 200000; echo end"], CageSpec(folder=folder), timeout=20, tail=100)
    assert result.output.endswith("end\n")
    assert len(result.output) == 100


def test_a_command_that_is_not_there_says_so(cage: Cage, folder: Path) -> None:
    result = cage.run(["no-such-program"], CageSpec(folder=folder), timeout=20)
    assert result.status == 126
    assert "no-such-program: cannot be started: No such file or directory" in result.output


def test_the_environment_is_what_is_given(cage: Cage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "secret")
    spec = CageSpec(folder=folder, env={"GIVEN": "two words", "LANG": "C"})
    result = cage.run(["env"], spec, timeout=20)
    names = {line.split("=")[0] for line in result.output.splitlines()}
    assert names == {"PATH", "HOME", "TMPDIR", "LANG", "GIVEN", "PWD"}
    assert "GIVEN=two words" in result.output
    assert "LANG=C\n" in result.output


@pytest.mark.parametrize("beside", ["tmp", "elsewhere"])
def test_readable_paths_stand_at_their_own_paths(cage: Cage, folder: Path, beside: str) -> None:
    where = tempfile.mkdtemp(dir="/tmp" if beside == "tmp" else "/var/tmp")
    try:
        tools = Path(where, "tools")
        tools.mkdir()
        (tools / "x").write_text("shown")
        Path(where, "other").write_text("not shown")
        command = f"cat {tools}/x; cat {where}/other; echo > {tools}/y"
        spec = CageSpec(folder=folder, readable=(tools,))
        result = cage.run(["sh", "-c", command], spec, timeout=20)
        assert result.output.startswith("shown")
        assert "not shown" not in result.output
        assert "Read-only file system" in result.output
    finally:
        shutil.rmtree(where)


@pytest.mark.parametrize("path", ["/", "/etc", "/root", "/home", "/run", "/proc", "relative"])
def test_what_would_undo_the_cage_is_not_shown(cage: Cage, folder: Path, path: str) -> None:
    with pytest.raises(CageError, match="may not be shown"):
        cage.run(["true"], CageSpec(folder=folder, readable=(Path(path),)), timeout=20)


def test_what_is_not_there_cannot_be_shown(cage: Cage, folder: Path) -> None:
    with pytest.raises(CageError, match="does not exist"):
        cage.run(["true"], CageSpec(folder=folder, readable=(Path("/no/such/path"),)), timeout=20)
    with pytest.raises(CageError, match="no unix socket"):
        cage.run(["true"], CageSpec(folder=folder, socket=folder / "a.sql"), timeout=20)
    with pytest.raises(CageError, match="is no folder"):
        cage.run(["true"], CageSpec(folder=folder / "a.sql"), timeout=20)


def test_git_of_a_worktree_is_read_only_too(cage: Cage, folder: Path) -> None:
    (folder / ".git").write_text("gitdir: /elsewhere\n")
    (folder / "sub" / ".git" / "hooks").mkdir(parents=True)
    tries = "echo x > .git; rm .git; mv .git y; echo x > sub/.git/hooks/pre-commit; rm -rf sub/.git"
    cage.run(["sh", "-c", tries], CageSpec(folder=folder), timeout=20)
    assert (folder / ".git").read_text() == "gitdir: /elsewhere\n"
    assert (folder / "sub" / ".git" / "hooks").is_dir()
    assert not (folder / "sub" / ".git" / "hooks" / "pre-commit").exists()


def test_git_that_is_a_link_is_refused(cage: Cage, folder: Path) -> None:
    (folder / ".git").symlink_to("/elsewhere")
    with pytest.raises(CageError, match="symbolic link"):
        cage.run(["true"], CageSpec(folder=folder), timeout=20)


def test_agents_configuration_is_known_at_any_depth_and_in_any_case() -> None:
    assert {".claude", ".codex", ".opencode", ".cursor", ".gemini", ".mcp.json", "opencode.json"} <= set(
        AGENT_CONFIG
    )
    assert is_agent_config("a/b/.Claude/settings.json")
    assert is_agent_config("CLAUDE.md")
    assert not is_agent_config("docs/claude.py")


@contextmanager
def serving(path: Path) -> Iterator[list[bytes]]:
    """An HTTP server in a few lines on a unix socket; yields the requests that it saw."""
    seen: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    near, _ = server.accept()
                except OSError:
                    return
                with near:
                    seen.append(near.recv(65536))
                    body = b"x" * (300_000 if seen[-1].startswith(b"GET") else 1)
                    near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield seen
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


ASK = f"""
import socket, urllib.request
print(len(urllib.request.urlopen('http://127.0.0.1:{PORT}/v1/messages').read()))
near = socket.socket(socket.AF_UNIX); near.connect('{SOCKET}'); near.sendall(b'direct'); print(near.recv(15))
"""


def test_the_socket_is_the_way_out_also_for_programs_that_know_none(
    cage: Cage, tmp_path: Path, folder: Path
) -> None:
    with serving(tmp_path / "s") as seen:
        spec = CageSpec(folder=folder, socket=tmp_path / "s")
        result = cage.run(["python3", "-c", ASK], spec, timeout=30)
    assert result.output == "300000\nb'HTTP/1.1 200 OK'\n"
    assert seen[0].startswith(b"GET /v1/messages HTTP/1.1\r\n")
    assert seen[1] == b"direct"


def test_without_a_socket_nothing_listens(cage: Cage, folder: Path) -> None:
    result = cage.run(["python3", "-c", ASK], CageSpec(folder=folder), timeout=30)
    assert "Connection refused" in result.output


def test_a_long_lived_command_is_talked_to(cage: Cage, folder: Path) -> None:
    source = """
import sys
for line in sys.stdin:
    print(line.strip().upper(), flush=True)
    print('heard', line.strip(), file=sys.stderr, flush=True)
print('bye', flush=True)
"""
    running = cage.start(["python3", "-c", source], CageSpec(folder=folder))
    for word in (b"one", b"two"):
        running.stdin.write(word + b"\n")
        running.stdin.flush()
        assert running.stdout.readline() == word.upper() + b"\n"
    assert running.poll() is None
    assert running.end(grace=10) == 0
    assert running.stdout.read() == b"bye\n"
    assert running.errors == "heard one\nheard two\n"
    assert running.ended == ""


def test_a_session_over_a_limit_is_ended_and_says_which(cage: Cage, folder: Path) -> None:
    spec = CageSpec(folder=folder, limits=CageLimits(wall=0.3))
    running = cage.start(["sleep", "60"], spec)
    assert running.stdout.read() == b""
    running.end()
    assert running.ended == "it ran for more than 0.3 seconds"
    assert running.ended in running.errors


def test_the_profile_tells_everything_but_values(cage: Cage, folder: Path) -> None:
    spec = CageSpec(folder=folder, env={"TOKEN": "hush"}, socket=None)
    profile = cage.profile(spec)
    assert profile["network"] == "none"
    assert profile["environment"] == ["TOKEN"]
    assert "hush" not in str(profile)
    assert cage.inside(spec) == WORK


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_an_unprivileged_user_can_have_a_cage(cage: Cage) -> None:
    python = Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip("needs a Python that everybody may run")
    where = Path(tempfile.mkdtemp())
    os.chown(where, 65534, 65534)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            program = "id -u; echo 1 > x; cat /proc/sys/kernel/hostname; ulimit -u; touch .git/x"
            other = Bubblewrap(str(shutil.which("bwrap")), Interpreter(program=python.resolve(), prefix=None))
            (where / ".git").mkdir()
            result = other.run(["bash", "-c", program], CageSpec(folder=where), timeout=20)
            os.write(write, f"{result.status}\n{result.output}".encode())
        except BaseException as error:  # noqa: BLE001
            os.write(write, repr(error).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    shutil.rmtree(where)
    assert said.startswith("1\n1000\ngreylag\n256\n"), said
    assert "Read-only file system" in said


def test_no_sandbox_says_what_was_tried_and_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    choose_cage.cache_clear()
    try:
        with pytest.raises(NoSandbox) as caught:
            choose_cage()
        for word in (
            "bubblewrap: it is not installed",
            "docker: it is not installed",
            "podman",
            "apt install",
        ):
            assert word in str(caught.value)
        with pytest.raises(NoSandbox, match="docker, which is asked for, does not work"):
            choose_cage("docker")
    finally:
        choose_cage.cache_clear()


RESTRICTED = """#!/bin/sh
case "$1" in --version) echo bubblewrap {version}; exit 0;; esac
echo "bwrap: setting up uid map: Permission denied" >&2
exit 1
"""


@pytest.mark.parametrize(
    ("version", "said"),
    [("0.9.0", "kernel.apparmor_restrict_unprivileged_userns"), ("0.6.1", "0.8 or newer is needed")],
)
def test_a_machine_that_restricts_namespaces_is_told_how_to_allow_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, said: str
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(RESTRICTED.format(version=version))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    choose_cage.cache_clear()
    try:
        with pytest.raises(NoSandbox) as caught:
            choose_cage("bubblewrap")
        assert said in str(caught.value)
    finally:
        choose_cage.cache_clear()


def test_without_a_sandbox_the_interface_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "secret")
    none = unsafe_cage()
    spec = CageSpec(folder=folder, env={"GIVEN": "1"})
    assert (none.name, none.inside(spec)) == ("none", str(folder.resolve()))
    result = none.run(["sh", "-c", "pwd; env; exit 3"], spec, timeout=20)
    assert result.status == 3
    assert result.output.startswith(f"{folder.resolve()}\n")
    assert "GIVEN=1" in result.output
    assert "OURS" not in result.output
    assert none.profile(spec)["network"] == "all of it"
    late = none.run(["sleep", "30"], spec, timeout=0.2)
    assert late.timed_out
