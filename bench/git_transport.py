"""What git's ways to save cost and bring for mirrors: measured over HTTP, to be repeated with newer versions.

`python -m bench.git_transport [FILES]` makes a repository of so many files (2,000) behind `git http-backend`,
and prints a table, on which a decision record stands. Nothing of it is part of `make bench`.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from greylag.testing.hosting.wire import backend
from greylag.workspace import Repository

WHEN = datetime(2026, 3, 2, tzinfo=UTC)
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
PARTS = 10


def git(folder: Path, *args: str, data: bytes | None = None) -> str:
    """One call of git. Raises CalledProcessError."""
    done = subprocess.run(
        ["git", *args], cwd=folder, env=os.environ | QUIET, input=data, capture_output=True, check=True
    )
    return done.stdout.decode()


def commit(repo: Repository, base: str | None, changes: dict[str, bytes]) -> str:
    """A commit without a ref."""
    return repo.commit(base, changes, message="Work\n", author="A", email="a@example.org", when=WHEN)


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The repositories below `root` over HTTP; counts nothing, refuses nothing."""

    async def answer(request: Request) -> Response:
        name, _, rest = request.url.path[1:].partition("/")
        return await backend(request, root / name, rest, "bench")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def text(seed: int) -> bytes:
    """A program of two kilobytes that git cannot make much smaller."""
    words = random.Random(seed)
    return "".join(f"SELECT c{words.getrandbits(60):x} FROM t{n}\n" for n in range(60)).encode()


def make(root: Path, files: int) -> Path:
    """A repository of `files` programs and one large table, packed."""
    repo = Repository.init_bare(root / "mono.git")
    tree = {f"d{number % 40:02}/f{number:05}.sql": text(number) for number in range(files)}
    tree["data/large.csv"] = random.Random(0).randbytes(8_000_000)
    tip = commit(repo, None, tree)
    for number in range(20):
        tip = commit(repo, tip, {f"d{number:02}/f{number:05}.sql": text(number + files)})
    repo.set_ref("refs/heads/main", tip, expected=None)
    git(repo.path, "repack", "-q", "-a", "-d")
    return repo.path


def timed(what: str, work: Callable[[], object], folder: Path | None = None) -> None:
    """Do it once, and print what it took, and how large the folder is then."""
    began = time.perf_counter()
    told = work()
    took = time.perf_counter() - began
    size = "" if folder is None else f"{_size(folder) / 1e6:8.2f} MB"
    print(f"{what:62} {took * 1000:8.0f} ms {size} {told if isinstance(told, str) else ''}", flush=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def index(path: Path) -> str:
    """Read every file once, as the first search does."""
    repo = Repository.open(path)
    return f"{sum(len(repo.blob(oid)) for oid in repo.files(repo.head()).values()) / 1e6:.1f} MB read"


def clones(folder: Path, url: str) -> None:
    """Whole, shallow, and partial; and then what a search needs."""

    def clone(name: str, *how: str) -> Callable[[], object]:
        return lambda: git(folder, "clone", "-q", "--bare", "--single-branch", *how, f"{url}/mono.git", name)

    for name, how in (
        ("whole", ()),
        ("shallow", ("--depth=1",)),
        ("partial", ("--depth=1", "--filter=blob:none")),
        ("limited", ("--depth=1", "--filter=blob:limit=4m")),
    ):
        timed(f"fetch, {name} ({' '.join(how)})", clone(name, *how), folder / name)
    timed("  first search of the shallow one", lambda: index(folder / "shallow"))

    def rest() -> object:
        listed = git(folder / "partial", "rev-list", "--objects", "--missing=print", "HEAD")
        missing = [line[1:] for line in listed.splitlines() if line.startswith("?")]
        lazy = (
            "fetch",
            "-q",
            "origin",
            "--no-tags",
            "--no-write-fetch-head",
            "--filter=blob:none",
            "--stdin",
        )
        git(
            folder / "partial",
            "-c",
            "fetch.negotiationAlgorithm=noop",
            *lazy,
            data="\n".join(missing).encode(),
        )
        return f"{len(missing)} objects asked for"

    timed("  what a search needs beyond the partial one, in one request", rest, folder / "partial")
    repo = Repository.open(folder / "limited")
    tip = repo.head()
    one, other = (commit(repo, tip, {f"data/{name}.csv": b"x\n"}) for name in "ab")
    try:
        repo.merge(one, other, message="M\n", author="A", email="a@example.org", when=WHEN)
        print("  a merge beside a file that is not here: works")
    except pygit2.GitError as error:
        print(f"  a merge beside a file that is not here: {error}")


def commits(folder: Path, files: int) -> None:
    """A change of every file: loose objects, and a pack."""
    repo = Repository.open(folder / "shallow")
    tip = repo.head()
    paths = [path for path in repo.files(tip) if path.endswith(".sql")]
    made: list[str] = []
    for number in (5, len(paths)):
        changes = {path: b"-- changed\n" + text(place) for place, path in enumerate(paths[:number])}
        timed(f"a commit of {number} files, loose", lambda c=changes: made.append(commit(repo, tip, c)))  # type: ignore[misc]

    def fast() -> object:
        lines = [b"commit refs/heads/fast\ncommitter A <a@x> 0 +0000\ndata 0\nfrom " + tip.encode() + b"\n"]
        for place, path in enumerate(paths):
            data = b"-- changed too\n" + text(place)
            lines.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
        git(folder / "shallow", "fast-import", "--quiet", data=b"".join(lines))
        return f"{files} files"

    timed("the same by git fast-import, one pack", fast)
    for commit_id, what in zip(made, ("5 files", "all files"), strict=True):
        timed(f"a push of {what}", lambda c=commit_id, w=what: _push(folder, [(f"push-{w[:1]}", c)]))  # type: ignore[misc]


def _push(folder: Path, branches: list[tuple[str, str]], *how: str) -> None:
    given = [f"{commit_id}:refs/heads/{name}" for name, commit_id in branches]
    git(folder / "shallow", "push", "-q", *how, "origin", *given)


def parts(folder: Path) -> None:
    """One push a branch, and all of them in one."""
    repo = Repository.open(folder / "shallow")
    tip = repo.head()
    paths = [path for path in repo.files(tip) if path.endswith(".sql")]
    made = [commit(repo, tip, {path: b"-- part\n"}) for path in paths[:PARTS]]
    one = [(f"one-{place}", commit_id) for place, commit_id in enumerate(made)]
    timed(f"{PARTS} branches, a push each", lambda: [_push(folder, [branch]) for branch in one])
    both = [(f"all-{place}", commit_id) for place, commit_id in enumerate(made)]
    timed(f"{PARTS} branches, one atomic push", lambda: _push(folder, both, "--atomic"))


def shared(folder: Path) -> None:
    """Many mirrors on one store of objects, against each on its own: what a look-up costs."""
    for packs in (1, 100, 1000):
        store = folder / f"store-{packs}"
        repo = Repository.init_bare(store)
        last = ""
        for number in range(packs):
            last = commit(repo, None, {f"f{number}": text(number)[:200]})
            if packs > 1:
                git(store, "pack-objects", "-q", "objects/pack/pack", data=f"{last}\n".encode())
        repo.set_ref("refs/heads/main", last, expected=None)
        git(store, "prune-packed", "-q")
        began = time.perf_counter()
        for _ in range(100):
            fresh = Repository.open(store)
            fresh.files(fresh.head())
        took = (time.perf_counter() - began) / 100 * 1e6
        print(f"{f'open and list a repository among {packs} packs':62} {took:8.0f} us", flush=True)


def main() -> None:
    """Print the table."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "server"
        root.mkdir()
        make(root, files)
        with served(root) as url:
            clones(folder, url)
            commits(folder, files)
            parts(folder)
        shared(folder)


if __name__ == "__main__":
    main()
