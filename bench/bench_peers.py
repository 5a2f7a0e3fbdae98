"""CPU milliseconds a repository for the same edit, beside all-repos, which clones, edits, commits and pushes.

200 packed repositories of twenty files (`--targets` for another number), of which one reads the old dataset.
all-repos (https://github.com/asottile/all-repos) changes that file with the sed program that a person would
write for it, and merges it to main; its first clone of the fleet is not counted. We index the fleet, rewrite
what reads the dataset, commit and merge it to main, through git's objects; beside it, the same with the fast
proof. All trees must be equal at the end. all-repos is used from the PATH, or from a virtual environment that
is made for the run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.bench_fleet import cpu_seconds
from bench.figure import Figure
from bench.fleet_maker import write_bare
from greylag.domain.outcome import Edited, FormChoice
from greylag.engine.fleet import FolderFleet
from greylag.engine.ports import ProofLevel
from greylag.engine.rewriting import rewrite_tree
from greylag.lineage import FleetIndex
from greylag.mapping import load_migration
from greylag.rewrite import candidate_names
from greylag.workspace import MergeResult, Repository

HERE = Path(__file__).parent
PINNED = "all-repos==1.33.0"
WHEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
READER = "SELECT c.customer_id, c.name\nFROM prod.shop.customers_v1 AS c\nWHERE c.country = 'SE'\n"
SED = r"s/customers_v1/customers_v2/; s/c\.name/c.full_name AS name/; s/c\.country/c.country_code/"
BAR = 1 / 10


def run() -> Iterable[Figure]:
    """Both edits, each over fleets of its own."""
    count = int(os.environ.get("BENCH_TARGETS", "200"))
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
        root = Path(folder)
        programs = all_repos(root)
        if programs is None:
            sys.stderr.write(f"peers: nothing is measured; install it with `pip install {PINNED}`\n")
            return
        for name in ("theirs", "ours", "proven"):
            make(root / name, count)
        yield from measure(root, programs, count)


def measure(root: Path, programs: Path, count: int) -> Iterator[Figure]:
    """The figures; what stands on main must be the same everywhere."""
    config = configured(root)
    subprocess.run([programs / "all-repos-clone", "-C", config], check=True, capture_output=True)
    sed = [programs / "all-repos-sed", "-C", config, SED, "q00.sql"]
    theirs = spent(lambda: subprocess.run(sed, check=True, capture_output=True, env=environment()), count)
    ours = spent(lambda: edit(root, "ours", "none"), count)
    proven = spent(lambda: edit(root, "proven", "fast"), count)
    trees = {
        name: [tree(path) for path in sorted((root / name).glob("*.git"))]
        for name in ("theirs", "ours", "proven")
    }
    if not trees["theirs"] == trees["ours"] == trees["proven"]:
        raise AssertionError("the trees differ")
    if not changed(root / "ours"):
        raise AssertionError("nothing was edited")
    note = f"{count} repositories, the same trees on main"
    for name, value, bar in (("found and edited", ours, BAR), ("found, edited and proven", proven, None)):
        yield Figure(
            name=f"{name}, a repository",
            value=value,
            unit="CPU ms",
            baseline="all-repos",
            baseline_value=theirs,
            target=bar,
            note=note,
        )


def edit(root: Path, name: str, proof: ProofLevel) -> None:
    """Find, rewrite, commit, and merge to main."""
    migration = load_migration(HERE / "shop.migration.yaml")
    fleet = FolderFleet(root / name, FleetIndex(root / f"{name}.db"), names=candidate_names)
    who = {"author": "A", "email": "a@example.org"}
    for repository in fleet.mentioning(migration):
        sources = fleet.sources(repository, migration)
        only = sources.wanted.__contains__
        reports = rewrite_tree(sources.files, migration, form=FormChoice.AUTO, proof=proof, only=only)
        edits = {one.path: one.outcome.text.encode() for one in reports if isinstance(one.outcome, Edited)}
        repo = fleet.open(repository)
        commit = repo.commit(sources.commit, edits, message="change\n", when=WHEN, **who)
        merged = repo.merge(sources.commit, commit, message="merge\n", when=WHEN, **who)
        assert isinstance(merged, MergeResult)
        repo.set_ref("refs/heads/main", merged.commit, expected=sources.commit)


def make(root: Path, count: int) -> None:
    """Repositories of twenty files."""
    for number in range(count):
        files = {
            f"q{i:02}.sql": f"SELECT {number}, {i} FROM prod.shop.other\n".encode() for i in range(1, 20)
        }
        files["q00.sql"] = f"-- {number}\n{READER}".encode()
        write_bare(root / f"r{number:05}.git", files)


def tree(path: Path) -> str:
    """What stands on main."""
    argv = ["git", "-C", str(path), "rev-parse", "main^{tree}"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def changed(root: Path) -> bool:
    """Was every repository edited?"""
    texts = [Repository.open(path) for path in sorted(root.glob("*.git"))]
    return all(b"c.full_name AS name" in repo.read(repo.head(), "q00.sql") for repo in texts)


def spent(work: Callable[[], object], count: int) -> float:
    """CPU milliseconds a repository."""
    before = cpu_seconds()
    work()
    return (cpu_seconds() - before) * 1000 / count


def configured(root: Path) -> Path:
    """A configuration of all-repos for the fleet below `theirs`."""
    repos = {path.stem: str(path) for path in sorted((root / "theirs").glob("*.git"))}
    (root / "repos.json").write_text(json.dumps(repos))
    config = {
        "output_dir": str(root / "clones"),
        "source": "all_repos.source.json_file",
        "source_settings": {"filename": str(root / "repos.json")},
        "push": "all_repos.push.merge_to_master",
        "push_settings": {"fast_forward": False},
    }
    path = root / "all-repos.json"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return path


def environment() -> dict[str, str]:
    """A name for the commits, and nothing of the user's configuration of git."""
    who = {
        f"GIT_{role}_{what}": "a@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def all_repos(root: Path) -> Path | None:
    """The folder of its programs; None where it cannot be had."""
    found = shutil.which("all-repos-sed")
    if found is not None:
        return Path(found).parent
    sys.stderr.write(f"peers: {PINNED} is not on the PATH; installing it for this run\n")
    folder = root / "venv"
    for argv in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "pip"), "install", "-q", PINNED],
    ):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(done.stderr[-500:] + "\n")
            return None
    return folder / "bin"
