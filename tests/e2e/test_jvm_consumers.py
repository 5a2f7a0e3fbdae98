"""Scala and Java consumers compile before and after, and Spark jobs return the same rows.

Opt in with GREYLAG_JVM=1: a JDK of at least 17, Maven and Maven Central are needed, and about 400 MB are
fetched once. Scio's annotations ask BigQuery while they compile, so a stand-in of the same shape is compiled
against here, which takes schemas from a file; Spark and Beam are the real ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from greylag.domain.outcome import Edited
from greylag.mapping import load_migration
from greylag.rewrite.jvm import rewrite_jvm

HERE = Path(__file__).parent / "jvm"
MIGRATION = load_migration(HERE / "migration.yaml")
MAPPING = MIGRATION.mappings[0].sql
WORLD = (
    "CREATE DATABASE core",
    "CREATE TABLE core.users_v2 (account_id STRING, geo STRUCT<country: STRING>, tier BIGINT, score BIGINT,"
    " device STRING) USING parquet",
    "INSERT INTO core.users_v2 SELECT * FROM VALUES ('u1', named_struct('country', 'SE'), 3L, 2L, 'ALL'),"
    " ('u1', named_struct('country', 'SE'), 3L, 2L, 'ios'),"
    " ('u2', named_struct('country', 'NO'), 1L, 5L, 'ALL'),"
    " ('u3', named_struct('country', 'SE'), NULL, NULL, 'ALL'), ('u4', NULL, 3L, 1L, 'ALL')",
)
OLD = f"CREATE VIEW core.users_v1 AS {MAPPING}"
OPENS = ("java.nio", "java.lang", "java.lang.invoke", "java.util", "java.net", "java.io", "sun.nio.ch")

if not os.environ.get("GREYLAG_JVM"):
    pytest.skip("set GREYLAG_JVM=1 (JDK 17, Maven, 400 MB of jars)", allow_module_level=True)
MISSING = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
if MISSING:
    pytest.skip(f"install a JDK 17 and Maven: {', '.join(MISSING)} missing", allow_module_level=True)


def run(*command: str, where: Path) -> str:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def classpath(profile: str, folder: Path) -> str:
    """The jars of a profile of the POM; skips where Maven Central does not answer."""
    target = folder / f"{profile}.txt"
    command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), f"-P{profile}", "dependency:build-classpath"]
    done = subprocess.run(
        [*command, f"-Dmdep.outputFile={target}"], capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode != 0 or not target.exists():
        pytest.skip(f"Maven Central does not give the jars of {profile}: {done.stdout[-300:]}")
    return target.read_text().strip()


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> str:
    return classpath("spark", tmp_path_factory.mktemp("spark"))


def versions(name: str, folder: Path) -> tuple[Path, Path]:
    """A consumer before and after, each in a folder of its own."""
    before = (HERE / "consumers" / name).read_text()
    outcome = rewrite_jvm(name, before, MIGRATION, siblings={name: before})
    assert isinstance(outcome, Edited), outcome
    made = []
    for which, text in (("before", before), ("after", outcome.text)):
        (folder / which).mkdir()
        (folder / which / name).write_text(text)
        made.append(folder / which / name)
    return made[0], made[1]


def scalac(source: Path, jars: str, *options: str, also: str = "", jvm: tuple[str, ...] = ()) -> None:
    own = f"{jars}:{also}" if also else jars
    run(
        *("java", *jvm, "-cp", jars, "scala.tools.nsc.Main", "-nowarn", *options),
        *("-classpath", own, "-d", str(source.parent), str(source)),
        where=source.parent,
    )


def javac(source: Path, jars: str) -> None:
    run("javac", "-nowarn", "-cp", jars, "-d", str(source.parent), str(source), where=source.parent)


def results(source: Path, jars: str, *statements: str) -> list[str]:
    """What a Spark job prints, in a world of its own."""
    opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENS]
    command = ["java", "-Xmx1g", *opens, "-cp", f"{source.parent}:{jars}", source.stem, *statements]
    return [line for line in run(*command, where=source.parent).splitlines() if line.startswith("RESULT ")]


@pytest.mark.parametrize("name", ["SparkJob.scala", "SparkJavaJob.java"])
@pytest.mark.timeout(900)
def test_a_spark_job_returns_the_same_rows(name: str, spark: str, tmp_path: Path) -> None:
    before, after = versions(name, tmp_path)
    for source in (before, after):
        scalac(source, spark) if source.suffix == ".scala" else javac(source, spark)
    old = results(before, spark, *WORLD, OLD)
    assert len(old) > 10
    assert results(after, spark, *WORLD) == old


@pytest.mark.timeout(900)
def test_a_beam_pipeline_compiles(tmp_path: Path) -> None:
    jars = classpath("beam", tmp_path)
    for source in versions("BeamJob.java", tmp_path):
        javac(source, jars)


@pytest.mark.timeout(900)
def test_a_scio_pipeline_compiles_and_not_one_further_line_changes(tmp_path: Path) -> None:
    jars = classpath("scala", tmp_path)
    standin = tmp_path / "standin"
    shutil.copytree(HERE / "standin", standin)
    scalac(standin / "Scio.scala", jars, "-Ymacro-annotations")
    before, after = versions("ScioJob.scala", tmp_path)
    for source in (before, after):
        schemas = tmp_path / f"{source.parent.name}.txt"
        schemas.write_text("".join(f"{line}\n" for line in schema_lines(source.read_text())))
        scalac(source, jars, "-Ymacro-annotations", also=str(standin), jvm=(f"-Dschemas={schemas}",))
    fields = "".join(path.name for path in sorted(before.parent.glob("*.class")))
    assert fields == "".join(path.name for path in sorted(after.parent.glob("*.class")))
    signature = [
        run("javap", "-cp", str(each.parent), "ScioJob$User", where=tmp_path) for each in (before, after)
    ]
    assert signature[0] == signature[1]


def schema_lines(text: str) -> list[str]:
    """The schemas that BigQuery would answer with, by the hash of the annotation's text."""
    columns = {"user_id": "String", "country": "String", "plan": "String", "score": "Long"}
    lines = []
    for kind in ("User", "Swede"):
        literal = annotation_text(text, kind)
        names = list(columns) if kind == "User" else ["user_id", "plan"]
        lines += [f"{java_hash(literal)} {name} {columns[name]}" for name in names]
    return lines


def annotation_text(text: str, kind: str) -> str:
    """The text of the annotation on a class, margins stripped."""
    head = text.split(f"class {kind}\n", maxsplit=1)[0].rsplit("@BigQueryType.", 1)[1]
    if '"""' not in head:
        return head.split('"')[1]
    lines = head.split('"""')[1].split("\n")
    kept = [line.split("|", 1)[1] if line.lstrip().startswith("|") else line for line in lines]
    return "\n".join(kept)


def java_hash(text: str) -> int:
    """`String.hashCode`."""
    value = 0
    for char in text:
        value = (31 * value + ord(char)) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value
