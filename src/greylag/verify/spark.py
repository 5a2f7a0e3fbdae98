"""Two versions of a PySpark module, run in a real local Spark on generated tables, and compared.

This runs code of the consumer, and is therefore never done unless it is asked for. The code runs in a process
of its own: an empty environment, a temporary folder, no network where the kernel can take it away, bounds on
time and memory; under bubblewrap, where that is installed, with a file system that is read only and empty of
homes. The old version reads the mapping as a view over the new tables, the new version the new tables.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from greylag.domain.check import Proof, Verdict
from greylag.mapping.compiled import CompiledMigration
from greylag.mapping.in_dialect import CannotTranspile, in_dialect
from greylag.verify.spark_code import Entry, Judged, NotIsolated, plan, units_of
from greylag.verify.spark_literals import pools
from greylag.verify.spark_seen import Compared, compare
from greylag.verify.spark_tables import NoTable, dataset_name, old_view, rounds
from greylag.verify.spark_wrong import wrong_mappings
from greylag.workspace.command import run_command

_WORKER = Path(__file__).with_name("spark_worker")
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from greylag.verify.spark_worker.main import main; main()"
)
_SECONDS = 300.0
_ROUNDS = 5
INSTALL = (
    "install it with `pip install 'greylag[spark]'` and a Java of at least 17, "
    "or name an interpreter that has it (GREYLAG_SPARK_PYTHON)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Leave to run consumers' code, and how: `python` is an interpreter that has PySpark (None: this one)."""

    python: str | None = None
    seconds: float = _SECONDS

    @property
    def interpreter(self) -> str:
        """The interpreter to use."""
        return self.python or sys.executable


def speaks_pyspark(text: str) -> bool:
    """Whether a Python program has to do with PySpark at all."""
    return "pyspark" in text or re.search(r"\bspark\s*\.\s*(?:sql|table|read)\b", text) is not None


def prove_spark(
    path: str, old: str, new: str, migration: CompiledMigration, running: Running, *, seed: int = 0
) -> Proof:
    """Run both versions and compare what they return, write and look at. At best `tested`.

    Inconclusive, with the reason, where something cannot be run alone, was not reached, or would not show a
    mistake in the mapping.
    """
    try:
        return _prove(path, old, new, migration, running, seed)
    except (NotIsolated, NoTable, CannotTranspile, _Unavailable) as reason:
        return _inconclusive(f"{path}: not run in Spark: {reason}")


class _Unavailable(Exception):
    """Spark could not be used; the text says why and what to do."""


def _inconclusive(*reasons: str, rows: int = 0) -> Proof:
    return Proof(
        verdict=Verdict.INCONCLUSIVE, method="execution" if rows else "none", rows=rows, reasons=reasons
    )


def _prove(path: str, old: str, new: str, migration: CompiledMigration, running: Running, seed: int) -> Proof:
    judged = plan(units_of(old), units_of(new))
    why = missing(running.interpreter)
    if why is not None:
        raise _Unavailable(why)
    spoken = in_dialect(migration, "spark")
    job, wrong = _job(old, new, judged, spoken, seed)
    answer = _run(job, running)
    done = answer["rounds"]
    if not done:
        return _inconclusive(f"{path}: Spark could not do it: {answer.get('fault', 'nothing came back')}")
    compared = [compare(one, each["tables"]) for one, each in zip(done, job["rounds"], strict=False)]
    rows = sum(one.rows for one in compared)
    worst = next((one for one in compared if one.refuted), None)
    if worst is not None:
        return Proof(
            verdict=Verdict.REFUTED,
            method="execution",
            rows=rows,
            counterexample=worst.example,
            reasons=(f"{path}: in Spark: {worst.reason}",),
        )
    reasons = [f"{path}: in Spark: {one.reason}" for one in compared if one.reason]
    if not reasons:
        reasons += _doubts(path, job, answer, judged, wrong, compared)
    evidence = _evidence(path, answer, wrong, rows, seed)
    verdict = Verdict.INCONCLUSIVE if reasons else Verdict.TESTED
    return Proof(verdict=verdict, method="execution", rows=rows, reasons=(*dict.fromkeys(reasons), evidence))


def _evidence(path: str, answer: Mapping[str, Any], wrong: list[_Variant], rows: int, seed: int) -> str:
    told = len(answer["rounds"][-1]["told"])
    tried = sum(len(one.entries) for one in wrong)
    away = "no network" if answer["network"] == "none" else "the network was refused by Python alone"
    return (
        f"{path}: run in Spark: {rows} rows in {len(answer['rounds'])} rounds, {told} of {tried} wrong "
        f"mappings told apart, seed {seed}; {away}"
    )


def _doubts(
    path: str,
    job: Mapping[str, Any],
    answer: Mapping[str, Any],
    judged: Judged,
    wrong: list[_Variant],
    compared: list[Compared],
) -> list[str]:
    done = answer["rounds"]
    doubts = []
    if "fault" in answer:
        doubts.append(f"{path}: Spark broke off: {answer['fault']}")
    elif len(done) < len(job["rounds"]):
        doubts.append(f"{path}: the time for Spark was over after {len(done)} of {len(job['rounds'])} rounds")
    for which, needed in (("old", judged.old_lines), ("new", judged.new_lines)):
        ran = {line for one in done for run in one[which] for line in run["lines"]}
        lines = [first for first, last in needed if not ran & set(range(first, last + 1))]
        if lines:
            listed = ", ".join(str(line) for line in sorted(set(lines))[:8])
            doubts.append(f"{path}: in Spark, lines of the {which} version were never reached: {listed}")
    if not any(one.rows for one in compared):
        doubts.append(f"{path}: in Spark, no generated data made the old version return or write a row")
    told = {(number, place) for number, place in done[-1]["told"]}
    doubts.extend(
        f"{path}: in Spark, the data would not show a wrong mapping "
        f"in {judged.old[place].name or 'the module'}: {one.what}"
        for number, one in enumerate(wrong)
        for place in one.entries
        if (number, place) not in told
    )
    return doubts


# -- the job ------------------------------------------------------------------------------------------------


def _job(
    old: str, new: str, judged: Judged, migration: CompiledMigration, seed: int
) -> tuple[dict[str, Any], list[_Variant]]:
    """What the worker is told, and what is wrong with each of the wrong mappings."""
    replaced = {mapping.dataset.parts[-2:] for mapping in migration.mappings}
    if any(one.dataset.parts[-2:] in replaced for one in migration.provides):
        raise NoTable("an old dataset and a new one have the same name in a local Spark")
    known = pools(migration, old, new)
    views = [old_view(mapping, mapping.sql) for mapping in migration.mappings]
    wrong = _wrong(old, judged.old, migration, views)
    made = rounds(migration, known, seed, _ROUNDS)
    job = {
        "names": _names(migration),
        "texts": {"old": old, "new": new},
        "rounds": [
            {
                "tables": each.tables,
                "shuffled": each.shuffled,
                "views": views,
                "rows": number > 0,
                "wrong": [{"views": one.views, "entries": one.entries} for one in wrong],
                "old": [_told(entry, known.common, number) for entry in judged.old],
                "new": [_told(entry, known.common, number) for entry in judged.new],
            }
            for number, each in enumerate(made)
        ],
    }
    return job, wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variant:
    """A wrong mapping as the worker makes it, and the entries (by place) that must tell it apart."""

    what: str
    views: list[str]
    entries: list[int]


def _wrong(
    old: str, entries: tuple[Entry, ...], migration: CompiledMigration, views: list[str]
) -> list[_Variant]:
    body = ast.parse(old).body
    texts = ["\n".join(ast.unparse(body[unit]) for unit in entry.units) for entry in entries]
    found: list[_Variant] = []
    for place, mapping in enumerate(migration.mappings):
        names = [name.name for name in mapping.names.tables]
        reading = [number for number, text in enumerate(texts) if any(_speaks(text, name) for name in names)]
        columns = [output.name for output in mapping.outputs]
        # Who names no column looks at all of them.
        used = {
            number: frozenset(name for name in columns if _speaks(texts[number], name)) or frozenset(columns)
            for number in reading
        }
        for one in wrong_mappings(mapping, frozenset[str]().union(*used.values())) if reading else ():
            other = [old_view(mapping, one.query) if at == place else view for at, view in enumerate(views)]
            told = [number for number in reading if not one.columns or one.columns & used[number]]
            found.append(_Variant(what=f"{mapping.dataset}: {one.what}", views=other, entries=told))
    return found


def _speaks(text: str, name: str) -> bool:
    return re.search(rf"(?i)(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _names(migration: CompiledMigration) -> dict[str, str]:
    """Every name of every dataset, to the one that it has in the local Spark."""
    found: dict[str, str] = {}
    for mapping in migration.mappings:
        found.update({str(name): dataset_name(mapping.dataset) for name in mapping.names.tables})
    for dataset, names in migration.new_names.items():
        found.update({str(name): dataset_name(dataset) for name in names.tables})
    for provided in migration.provides:
        found[str(provided.dataset)] = dataset_name(provided.dataset)
    return found


def _told(entry: Entry, common: list[str], number: int) -> dict[str, Any]:
    given = {name: _sample(kind, common, number) for name, kind in entry.arguments}
    return {"name": entry.name, "units": entry.units, "arguments": given}


def _sample(kind: str, common: list[str], number: int) -> object:
    match kind:
        case "spark":
            return {"spark": True}
        case "int":
            return (0, 1, 3, 2, 10)[number % 5]
        case "float":
            return (0.0, 1.5, 3.0)[number % 3]
        case "bool":
            return number % 2 == 0
        case "date":
            return {"date": "2024-01-15"}
        case _:
            return common[number % len(common)] if common else "a"


# -- the process --------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def missing(python: str) -> str | None:
    """What is missing to run PySpark with an interpreter; None when it can be done."""
    probe = "import pyspark, sys; sys.exit(0 if int(pyspark.__version__.split('.')[0]) >= 3 else 1)"
    try:
        done = subprocess.run(
            [python, "-I", "-c", probe],
            capture_output=True,
            timeout=60,
            check=False,
            env=_environment(Path("/")),
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{python} cannot be run: {error}"
    if done.returncode != 0:
        return f"PySpark is not there for {python}: {INSTALL}"
    if _java() is None:
        return f"Java is not there: {INSTALL}"
    return None


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return (home and shutil.which("java", path=str(Path(home) / "bin"))) or shutil.which("java")


def _environment(folder: Path) -> dict[str, str]:
    """All that the process knows of ours: where Java is."""
    java = _java()
    paths = [*([str(Path(java).parent)] if java else []), "/usr/local/bin", "/usr/bin", "/bin"]
    known = {
        "PATH": ":".join(dict.fromkeys(paths)),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "localhost",
        "PYTHONHASHSEED": "0",
    }
    home = os.environ.get("JAVA_HOME")
    return {**known, "JAVA_HOME": home} if home else known


def _run(job: Mapping[str, Any], running: Running) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="greylag-spark-", ignore_cleanup_errors=True) as made:
        folder = Path(made).resolve()
        _copy_worker(folder / "code")
        (folder / "job.json").write_text(json.dumps(job))
        result = folder / "result.json"
        files = [str(folder / "code"), str(folder / "job.json"), str(result)]
        command = [running.interpreter, "-I", "-c", _START, *files]
        environment = {**_environment(folder), "PYSPARK_PYTHON": running.interpreter}
        walls = _walls(folder, running.interpreter)
        if walls:
            environment["GREYLAG_CUT_OFF"] = "1"
        done = run_command([*walls, *command], cwd=folder, timeout=running.seconds, env=environment)
        if not result.exists():
            said = done.output.strip().splitlines()
            why = "the time was over" if done.timed_out else said[-1][:300] if said else "it said nothing"
            return {"rounds": [], "fault": why, "network": ""}
        answer: dict[str, Any] = json.loads(result.read_text())
        return answer


def _copy_worker(folder: Path) -> None:
    """The worker's modules by themselves: the interpreter that runs them need not have Greylag."""
    package = folder / "greylag" / "verify" / _WORKER.name
    package.mkdir(parents=True)
    for above in (package.parent, package.parent.parent):
        (above / "__init__.py").write_text("")
    for module in _WORKER.glob("*.py"):
        (package / module.name).write_bytes(module.read_bytes())


def _walls(folder: Path, python: str) -> list[str]:
    """bubblewrap, where it is there and works: nothing can be written, homes are empty, no network."""
    tool = shutil.which("bwrap")
    if tool is None:
        return []
    seen = [
        str(Path(python).absolute().parent.parent),
        sys.base_prefix,
        str(Path(python).resolve().parent.parent),
    ]
    command = [tool, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for hidden in ("/root", "/home", "/tmp", "/var/tmp", "/run", "/mnt", "/media"):
        if Path(hidden).is_dir():
            command += ["--tmpfs", hidden]
    for kept in dict.fromkeys(seen):
        if kept != "/":
            command += ["--ro-bind", kept, kept]
    # Not the control groups: a JVM that cannot find its own does not start.
    command += [f"--unshare-{space}" for space in ("user", "ipc", "pid", "net", "uts")]
    command += ["--bind", str(folder), str(folder), "--die-with-parent", "--new-session"]
    probe = subprocess.run([*command, python, "-I", "-c", "0"], capture_output=True, check=False, timeout=60)
    return command if probe.returncode == 0 else []


def joined(static: Proof, ran: Proof) -> Proof:
    """What reading and running say together: running may refute, and may test what was inconclusive."""
    reasons = (*static.reasons, *ran.reasons)
    stronger = static.verdict is Verdict.INCONCLUSIVE and ran.verdict is Verdict.TESTED
    if static.verdict is not Verdict.REFUTED and (ran.verdict is Verdict.REFUTED or stronger):
        return replace(ran, reasons=reasons)
    return replace(static, reasons=reasons)
