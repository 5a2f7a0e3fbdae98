"""A database of an earlier version opens and keeps what it holds; one of a later version is refused."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from greylag.domain.errors import UsageError
from greylag.domain.question import QuestionKind
from greylag.engine import questions, upgrades
from greylag.engine.database import connect, prepare
from greylag.engine.events import EventKind
from greylag.engine.store import Store
from greylag.engine.tables import SCHEMA_VERSION, metadata

BROKEN = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", {head!r}


def upgrade():
    op.create_table("more", sa.Column("one", sa.Text))
    op.add_column("leases", sa.Column("extra", sa.Text))
    op.get_bind().exec_driver_sql("INSERT INTO more VALUES ('half')")
    raise RuntimeError("the power went out")
"""
NOW = datetime(2026, 3, 2, tzinfo=UTC)
FIRST = """
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO schema_version VALUES (1);
CREATE TABLE questions (
    migration TEXT NOT NULL, "key" TEXT NOT NULL, text TEXT NOT NULL, answer TEXT, answered_by TEXT,
    asked_at VARCHAR(40) NOT NULL, answered_at VARCHAR(40), PRIMARY KEY (migration, "key"));
INSERT INTO questions VALUES
    ('m', 'a.b', 'Gone?', '1', 'kim', '2026-03-01T00:00:00+00:00', '2026-03-01T00:00:00+00:00')
"""


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'greylag.db'}"


def versions(engine: sa.Engine) -> list[int]:
    with engine.begin() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT version FROM schema_version")]


def test_an_earlier_one_is_upgraded(tmp_path: Path) -> None:
    engine = connect(url(tmp_path))
    with engine.begin() as connection:
        for statement in FIRST.split(";\n"):
            connection.exec_driver_sql(statement)
    prepare(engine)
    prepare(engine)
    assert versions(engine) == [SCHEMA_VERSION]
    with Store(engine).write() as session:
        row = questions.every(session, "m")["a.b"]
        assert (row.kind, row.answer, row.options, row.asked_by) == (QuestionKind.COLUMN, "1", (), ())
        assert questions.remember(session, "m", "a.b", "Gone?", NOW, kind="column") == "1"
        # A process of the version before, which still runs, knows nothing of the new columns.
        session.connection.exec_driver_sql(
            'INSERT INTO questions (migration, "key", text, asked_at)'
            " VALUES ('m', 'a.c', 't', '2026-03-01T00:00:00+00:00')"
        )
        assert questions.every(session, "m")["a.c"].options == ()


def test_a_later_one_is_refused_and_left_alone(tmp_path: Path) -> None:
    engine = connect(url(tmp_path))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE schema_version (version INTEGER)")
        connection.exec_driver_sql(f"INSERT INTO schema_version VALUES ({SCHEMA_VERSION + 1})")
    with pytest.raises(UsageError, match="written by a later version"):
        prepare(engine)
    assert sa.inspect(engine).get_table_names() == ["schema_version"]


def second_version(folder: Path) -> sa.Engine:
    """A database as version 2 left it: no record of Alembic's, and what later versions brought is missing."""
    engine = connect(url(folder))
    with engine.begin() as connection:
        for statement in FIRST.split(";\n"):
            connection.exec_driver_sql(statement)
        upgrades.upgrade(connection, 1, to="0002")
        connection.exec_driver_sql("DROP TABLE schema_upgrades")
        connection.exec_driver_sql("UPDATE schema_version SET version = 2")
    return engine


def test_the_second_version_is_upgraded(tmp_path: Path) -> None:
    engine = second_version(tmp_path)
    assert "coordinators" not in sa.inspect(engine).get_table_names()
    prepare(engine)
    assert versions(engine) == [SCHEMA_VERSION]
    with Store(engine).read() as session:
        assert questions.every(session, "m")["a.b"].answer == "1"


def shape(engine: sa.Engine) -> dict[str, dict[str, tuple[str, bool, bool]]]:
    """Tables and columns: type, may it be empty, is it part of the key."""
    inspector = sa.inspect(engine)
    return {
        name: {
            one["name"]: (str(one["type"]), bool(one["nullable"]), bool(one["primary_key"]))
            for one in inspector.get_columns(name)
        }
        | {
            f"index {one['name']}": (str(one["column_names"]), False, False)
            for one in inspector.get_indexes(name)
        }
        for name in inspector.get_table_names()
    }


def test_upgraded_and_new_are_the_same(tmp_path: Path) -> None:
    """Whoever adds to the tables writes a revision that adds it as well."""
    (tmp_path / "new").mkdir()
    new = connect(url(tmp_path / "new"))
    prepare(new)
    old = second_version(tmp_path)
    prepare(old)
    assert shape(old) == shape(new)
    assert {table.name for table in metadata.sorted_tables} == set(shape(new))
    for engine in (old, new):
        with engine.begin() as connection:
            recorded = connection.exec_driver_sql("SELECT version_num FROM schema_upgrades").all()
        assert recorded == [(upgrades.revision_of(SCHEMA_VERSION),)]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_what_an_earlier_version_writes_is_taken(tmp_path: Path, version: int) -> None:
    """Old and new workers run side by side: a column that came later may be empty, or the server fills it."""
    engine = connect(url(tmp_path))
    with engine.begin() as connection:
        for statement in FIRST.split(";\n"):
            connection.exec_driver_sql(statement)
        if version > 1:
            upgrades.upgrade(connection, 1, to=upgrades.revision_of(version))
            connection.exec_driver_sql(f"UPDATE schema_version SET version = {version}")
    before = {table: set(columns) for table, columns in shape(engine).items()}
    prepare(engine)
    inspector = sa.inspect(engine)
    for table, known in before.items():
        later = [one for one in inspector.get_columns(table) if one["name"] not in known]
        assert [one["name"] for one in later if not one["nullable"] and one["default"] is None] == []
        assert known <= set(shape(engine)[table]), "nothing is taken away"


def test_events_of_a_later_version_are_read(tmp_path: Path) -> None:
    """Its workers write kinds that are not known here yet."""
    engine = connect(url(tmp_path))
    prepare(engine)
    with Store(engine).write() as session:
        session.event("m", EventKind.FOUND, "r: found", at=NOW)
        session.connection.exec_driver_sql("UPDATE events SET kind = 'sung'")
        (row,) = session.rows(sa.select(metadata.tables["events"]))
    assert EventKind(row["kind"]) is EventKind.OTHER


def test_an_upgrade_that_fails_half_way_leaves_everything_as_it_was(tmp_path: Path) -> None:
    engine = connect(url(tmp_path))
    prepare(engine)
    with Store(engine).write() as session:
        session.take_lease("m", "r", NOW)
    before = shape(engine)
    folder = tmp_path / "upgrades"
    shutil.copytree(upgrades.FOLDER, folder)
    head = upgrades.revision_of(SCHEMA_VERSION)
    (folder / "versions" / "9999_broken.py").write_text(BROKEN.format(head=head))
    writing = engine.execution_options(writes=True)
    with pytest.raises(RuntimeError, match="power"), writing.begin() as connection:
        upgrades.upgrade(connection, SCHEMA_VERSION, folder=folder)
    assert shape(engine) == before
    prepare(engine)
    with Store(engine).read() as session:
        assert session.leases() == {"r": "m"}


def test_a_copy_is_a_backup(tmp_path: Path) -> None:
    """As docs/operations.md has it: `.backup` of our file alone, while it is written to."""
    engine = connect(url(tmp_path))
    prepare(engine)
    store = Store(engine)
    with store.write() as session:
        session.take_lease("m", "r", NOW)
    with sqlite3.connect(tmp_path / "greylag.db") as source, sqlite3.connect(tmp_path / "copy.db") as copy:
        source.backup(copy)
    with store.write() as session:
        session.drop_lease("m", "r")
    restored = connect(f"sqlite:///{tmp_path / 'copy.db'}")
    prepare(restored)
    with Store(restored).read() as session:
        assert session.leases() == {"r": "m"}
