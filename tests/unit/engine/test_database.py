"""A database of an earlier version opens and keeps what it holds; one of a later version is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from greylag.domain.errors import UsageError
from greylag.domain.question import QuestionKind
from greylag.engine import questions
from greylag.engine.database import connect, prepare
from greylag.engine.store import Store
from greylag.engine.tables import SCHEMA_VERSION

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
