"""Repositories that are odd, made by git itself: each is handled, or skipped with a reason.

One fleet holds them all, so that whatever one of them does to a campaign is done to its neighbours.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.campaigns import MIGRATION, START, ScriptedHealth, query, rule_rewriter, write_migration

from greylag.app import Settings, build
from greylag.domain.target import TargetState
from greylag.engine.campaign import Campaign
from greylag.engine.clock import LeapClock
from greylag.engine.ledger import LedgerRow
from greylag.engine.report import ledger_rows
from greylag.engine.retire import retire
from greylag.engine.work import InlineWork

SQL = query(1).encode()
DONE, SKIPPED, HANDED_OVER = TargetState.DONE, TargetState.SKIPPED, TargetState.HANDED_OVER
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12345\n" % (b"a" * 64)
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
WHO = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *args: str, data: bytes | None = None) -> str:
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "-c", "core.autocrlf=false", *args],
        cwd=folder,
        input=data,
        capture_output=True,
        check=True,
        env=os.environ | QUIET | WHO,
    )
    return done.stdout.decode("utf-8", "surrogateescape").strip()


Tree = dict[str | bytes, "bytes | tuple[str, bytes]"]
"""Path to content, or to mode and content (for a submodule, its commit)."""


def commit(repo: Path, tree: Tree, *, branch: str = "main") -> str:
    """A commit of exactly these entries, whatever a working tree could hold of them."""
    lines = []
    for path, entry in tree.items():
        mode, content = entry if isinstance(entry, tuple) else ("100644", entry)
        blob = mode != "160000"
        oid = git(repo, "hash-object", "-w", "--stdin", data=content) if blob else content.decode()
        name = path if isinstance(path, bytes) else path.encode()
        lines.append(f"{mode} {oid}\t".encode() + name + b"\0")
    index = os.environ | {"GIT_INDEX_FILE": str(repo / "made.index")} | QUIET | WHO
    run = ["git", "update-index", "-z", "--index-info"]
    subprocess.run(run, cwd=repo, env=index, input=b"".join(lines), check=True)
    made = subprocess.run(["git", "write-tree"], cwd=repo, env=index, capture_output=True, check=True).stdout
    done = git(repo, "commit-tree", "-m", "First", made.decode().strip())
    git(repo, "update-ref", f"refs/heads/{branch}", done)
    return done


@dataclass(frozen=True, kw_only=True)
class Case:
    """An odd repository, what becomes of it, and what its files are then."""

    name: str
    tree: Tree = field(default_factory=dict)
    make: Callable[[Path, Case], None] | None = None
    state: TargetState | None = DONE
    says: str = ""
    after: dict[str | bytes, bytes] = field(default_factory=dict)
    """Paths with their bytes at the end. What is not named here is as it was."""


def new(text: bytes = SQL) -> bytes:
    return text.replace(b"users_v1", b"users_v2").replace(b"user_id", b"account_id AS user_id")


def _plain(path: Path, case: Case) -> None:
    git(path.parent, "init", "-q", "--bare", "-b", "main", path.name)
    commit(path, case.tree)


def _origin(path: Path, case: Case) -> Path:
    """A repository outside of the fleet, with two commits."""
    origin = path.parent.parent / "origins" / path.name
    origin.parent.mkdir(exist_ok=True)
    git(origin.parent, "init", "-q", "--bare", "-b", "main", origin.name)
    git(origin, "config", "uploadpack.allowFilter", "true")
    commit(origin, {"old.txt": b"was here\n"})
    commit(origin, case.tree)
    return origin


def _shallow(path: Path, case: Case) -> None:
    git(path.parent, "clone", "-q", "--bare", "--depth=1", f"file://{_origin(path, case)}", path.name)


def _partial(path: Path, case: Case) -> None:
    source = f"file://{_origin(path, case)}"
    git(path.parent, "clone", "-q", "--bare", "--filter=blob:none", source, path.name)


def _borrowing(path: Path, case: Case) -> None:
    git(path.parent, "clone", "-q", "--bare", "--shared", str(_origin(path, case)), path.name)


def _sha256(path: Path, case: Case) -> None:
    git(path.parent, "init", "-q", "--bare", "-b", "main", "--object-format=sha256", path.name)
    commit(path, case.tree)


def _empty(path: Path, case: Case) -> None:
    git(path.parent, "init", "-q", "--bare", "-b", "main", path.name)


def _headless(path: Path, case: Case) -> None:
    _empty(path, case)
    commit(path, case.tree, branch="develop")


def _detached(path: Path, case: Case) -> None:
    _plain(path, case)
    (path / "HEAD").write_text(git(path, "rev-parse", "main") + "\n")


def _broken_pack(path: Path, case: Case) -> None:
    _plain(path, case)
    git(path, "repack", "-q", "-a", "-d")
    (pack,) = (path / "objects" / "pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[20 : len(data) - 20] = b"\0" * (len(data) - 40)
    pack.chmod(0o600)
    pack.write_bytes(bytes(data))


def _broken_blob(path: Path, case: Case) -> None:
    _plain(path, case)
    oid = git(path, "rev-parse", "main:lost.sql")
    (path / "objects" / oid[:2] / oid[2:]).unlink()


def _broken_tree(path: Path, case: Case) -> None:
    _plain(path, case)
    oid = git(path, "rev-parse", "main:a")
    (path / "objects" / oid[:2] / oid[2:]).unlink()


BOM = b"\xef\xbb\xbf"
CRLF = SQL.replace(b"\n", b"\r\n")
MIXED = SQL.replace(b"\n", b"\r\n", 1)
LATIN = b"-- caf\xe9\n" + SQL
UTF16 = SQL.decode().encode("utf-16")
BIG = b"-- " + b"x" * (4 * 1024 * 1024) + b"\n" + SQL

CASES = [
    Case(name="plain", tree={"q.sql": SQL}, after={"q.sql": new()}),
    Case(
        name="submodule",
        tree={"q.sql": SQL, "lib": ("160000", b"1" * 40), ".gitmodules": b'[submodule "lib"]\n'},
        after={"q.sql": new()},
    ),
    Case(name="lfs", tree={"q.sql": SQL, "big.sql": POINTER}, says="Git LFS", after={"q.sql": new()}),
    Case(name="lfs-only", tree={"big.sql": POINTER, "data.parquet": POINTER}, state=SKIPPED, says="Git LFS"),
    Case(
        name="links",
        tree={
            "q.sql": SQL,
            "a/link.sql": ("120000", b"../q.sql"),
            "out.sql": ("120000", b"../../elsewhere.sql"),
            "fake.sql": ("120000", b"prod.core.users_v1"),
        },
        says="a/link.sql",
        after={"q.sql": new()},
    ),
    Case(name="crlf", tree={"q.sql": CRLF, "m.sql": MIXED}, after={"q.sql": new(CRLF), "m.sql": new(MIXED)}),
    Case(
        name="attributes",
        tree={
            ".gitattributes": b"* text=auto eol=crlf\n*.sql working-tree-encoding=UTF-16\n"
            b"g.sql linguist-generated export-ignore\n",
            "q.sql": SQL,
            "g.sql": SQL,
        },
        after={"q.sql": new(), "g.sql": new()},
    ),
    Case(
        name="filter",
        tree={
            ".gitattributes": b"secret/*.sql filter=vault\n",
            "secret/q.sql": SQL,
            "q.sql": SQL,
            "deep/.gitattributes": b"*.sql filter=other\nplain.sql -filter\n",
            "deep/q.sql": SQL,
            "deep/plain.sql": SQL,
        },
        says="filter",
        after={"q.sql": new(), "deep/plain.sql": new()},
    ),
    Case(name="latin-1", tree={"q.sql": LATIN, "r.sql": SQL}, says="not UTF-8", after={"r.sql": new()}),
    Case(name="utf-16", tree={"q.sql": UTF16}, state=SKIPPED, says="UTF-16"),
    Case(name="bom", tree={"q.sql": BOM + SQL}, after={"q.sql": BOM + new()}),
    Case(name="modes", tree={"q.sql": ("100755", SQL)}, after={"q.sql": new()}),
    Case(name="case", tree={"q.sql": SQL, "Q.sql": SQL}, after={"q.sql": new(), "Q.sql": new()}),
    Case(
        name="names",
        tree={b"caf\xe9.sql": SQL, "ok.sql": SQL, "new\nline.sql": SQL, "sp ace.sql": SQL},
        says="not UTF-8",
        after={"ok.sql": new(), "new\nline.sql": new(), "sp ace.sql": new()},
    ),
    Case(name="huge", tree={"q.sql": BIG, "r.sql": SQL}, says="too-large|not parsed", after={"r.sql": new()}),
    Case(name="shallow", tree={"q.sql": SQL}, make=_shallow, after={"q.sql": new()}),
    Case(name="partial", tree={"q.sql": SQL}, make=_partial, state=SKIPPED, says="cannot be read"),
    Case(name="borrowing", tree={"q.sql": SQL}, make=_borrowing, after={"q.sql": new()}),
    Case(name="sha256", tree={"q.sql": SQL}, make=_sha256, state=None, says="SHA-256"),
    Case(name="empty", make=_empty, state=None),
    Case(name="headless", tree={"q.sql": SQL}, make=_headless, state=None, says="develop"),
    Case(name="detached", tree={"q.sql": SQL}, make=_detached, state=HANDED_OVER, says="no branch"),
    Case(
        name="broken-pack",
        # No other repository has this commit: what another one said at it would be known.
        tree={"q.sql": SQL + b"-- packed\n"},
        make=_broken_pack,
        state=HANDED_OVER,
        says="there is no commit",
    ),
    Case(
        name="broken-blob",
        tree={"q.sql": SQL, "lost.sql": SQL + b"-- lost\n"},
        make=_broken_blob,
        state=HANDED_OVER,
        says="cannot be read",
    ),
    Case(
        name="broken-tree",
        tree={"q.sql": SQL, "a/q.sql": SQL},
        make=_broken_tree,
        state=SKIPPED,
        says="cannot be read",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the campaign ended."""

    root: Path
    campaign: Campaign
    states: dict[str, TargetState]
    told: dict[str, str]
    rows: list[LedgerRow]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    folder = tmp_path_factory.mktemp("odd")
    root = folder / "fleet"
    root.mkdir()
    for case in CASES:
        (case.make or _plain)(root / f"{case.name}.git", case)
    database = f"sqlite:///{folder / '.greylag' / 'greylag.db'}"
    app = build(
        Settings.model_validate({"fleet": root, "database": database}),
        rewriter=rule_rewriter,
        clock=LeapClock(START),
        health=ScriptedHealth(),
        work=InlineWork,
    )
    campaign = app.campaign(write_migration(folder, MIGRATION))
    assert campaign.run().over
    targets = {target.repository: target for target in campaign.world().targets}
    rows = ledger_rows(campaign)
    told = dict(campaign.fleet.unreadable)
    for row in rows:
        told[row.repository] = f"{told.get(row.repository, '')}; {row.path}: {row.reason}"
    with campaign.store.read() as session:
        for name in targets:
            row = session.target_row(campaign.name, name)
            told[name] = f"{told.get(name, '')}; {row and row['body']}"
    states = {name: target.state for name, target in targets.items()}
    yield Ended(root=root, campaign=campaign, states=states, told=told, rows=rows)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_repository_is_handled_or_skipped_with_a_reason(ended: Ended, case: Case) -> None:
    assert ended.states.get(case.name) is case.state, ended.told.get(case.name)
    told = ended.told.get(case.name, "")
    assert not case.says or any(word in told for word in case.says.split("|")), told
    if case.make in (_broken_pack, _broken_tree, _broken_blob, _empty, _headless, _partial):
        return
    path = ended.root / f"{case.name}.git"
    for name, entry in case.tree.items():
        mode, content = entry if isinstance(entry, tuple) else ("100644", entry)
        line = subprocess.run(
            ["git", "ls-tree", "-z", "main", "--", name], cwd=path, capture_output=True, check=True
        ).stdout
        now, _, oid = line.split(b"\t")[0].split()
        assert now.decode() == mode
        if mode == "160000":
            assert oid == content
            continue
        found = subprocess.run(["git", "cat-file", "blob", oid], cwd=path, capture_output=True, check=True)
        assert found.stdout == case.after.get(name, content), name


def test_what_cannot_be_read_is_a_reader_until_shown_otherwise(ended: Ended) -> None:
    found = retire(ended.campaign)
    doubtful = {reader.repository for reader in found.readers}
    assert {"sha256", "headless", "detached", "broken-pack", "broken-tree", "partial", "lfs"} <= doubtful
    assert not {"plain", "crlf", "bom", "shallow", "borrowing", "case", "empty"} & doubtful
