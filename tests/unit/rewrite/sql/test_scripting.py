"""Where the statements of a script stand, and what is said of what is not understood."""

from __future__ import annotations

import pytest

from greylag.rewrite.sql.bodies import bodies
from greylag.rewrite.sql.scripting import Kind, pieces
from greylag.rewrite.sql.tokens import Tokens, tokenize


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        ("bigquery", "IF a > 1 THEN SELECT 1; ELSE SELECT 2; END IF;", ["?a > 1", "SELECT 1", "SELECT 2"]),
        ("bigquery", "WHILE x DO SELECT 1; END WHILE;", ["?x", "SELECT 1"]),
        ("bigquery", "LOOP SELECT 1; LEAVE; END LOOP; SELECT 2", ["SELECT 1", "LEAVE", "SELECT 2"]),
        (
            "bigquery",
            "IF CASE WHEN a THEN b END THEN SELECT 1; END IF",
            ["?CASE WHEN a THEN b END", "SELECT 1"],
        ),
        ("bigquery", "BEGIN TRANSACTION; SELECT 1; COMMIT", ["BEGIN TRANSACTION", "SELECT 1", "COMMIT"]),
        (
            "bigquery",
            "BEGIN SELECT 1; EXCEPTION WHEN ERROR THEN SELECT 2; END",
            ["SELECT 1", "?ERROR", "SELECT 2"],
        ),
        ("tsql", "SELECT 1 SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("tsql", "SELECT 1 UNION ALL SELECT 2", ["SELECT 1 UNION ALL SELECT 2"]),
        ("tsql", "INSERT INTO t SELECT 1 DELETE FROM t", ["INSERT INTO t SELECT 1", "DELETE FROM t"]),
        ("tsql", "IF @a > 1 BEGIN SELECT 1 END ELSE SELECT 2", ["?@a > 1", "SELECT 1", "SELECT 2"]),
        (
            "tsql",
            "SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t",
            ["SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t"],
        ),
        ("tsql", "DROP TABLE IF EXISTS t; SELECT 1", ["DROP TABLE IF EXISTS t", "SELECT 1"]),
        (
            "tsql",
            "MERGE t USING s ON 1 = 1 WHEN MATCHED THEN UPDATE SET a = 1;",
            ["MERGE t USING s ON 1 = 1 WHEN MATCHED THEN UPDATE SET a = 1"],
        ),
        ("tsql", "SELECT 1\nGO\nSELECT 2\nGO 3", ["SELECT 1", "SELECT 2"]),
        (
            "tsql",
            "WITH a AS (SELECT 1 AS x) UPDATE t SET y = 2",
            ["WITH a AS (SELECT 1 AS x) UPDATE t SET y = 2"],
        ),
        ("mysql", "CREATE PROCEDURE p() BEGIN SELECT 1; END", ["!CREATE PROCEDURE p()", "SELECT 1"]),
        (
            "postgres",
            "DECLARE a int; BEGIN FOR r IN SELECT 1 LOOP SELECT 2; END LOOP; END",
            ["!a int", "SELECT 1", "SELECT 2"],
        ),
    ],
)
def test_pieces(dialect: str, text: str, expected: list[str]) -> None:
    tokens = tokenize(text, dialect)
    marks = {Kind.STATEMENT: "", Kind.CONDITION: "?", Kind.OTHER: "!"}
    found = [
        marks[piece.kind] + text[tokens[piece.start].start : tokens[piece.end - 1].end + 1]
        for piece in pieces(tokens, dialect)
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        ("bigquery", "EXECUTE IMMEDIATE 'SELECT 1'", "SELECT 1"),
        ("bigquery", "EXECUTE IMMEDIATE 'SELECT \\'a\\''", "SELECT 'a'"),
        ("bigquery", "EXECUTE IMMEDIATE 'SELECT ' || x", None),
        ("bigquery", "EXECUTE IMMEDIATE FORMAT('SELECT %s', x)", None),
        ("bigquery", "EXECUTE IMMEDIATE 'SELECT \\x41'", None),
        ("spark", "EXECUTE IMMEDIATE 'SELECT ''a'''", None),
        ("postgres", "DO $x$ BEGIN PERFORM 1; END $x$", " BEGIN PERFORM 1; END "),
        ("postgres", "CREATE FUNCTION f() RETURNS int LANGUAGE python AS $$ x $$", None),
        ("postgres", "CREATE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql", " SELECT 1 "),
        ("postgres", "SELECT 'x' AS y", None),
        ("tsql", "EXEC('SELECT ''a''')", "SELECT 'a'"),
        ("tsql", "EXEC sp_executesql N'SELECT 1' + @x", None),
        ("redshift", "UNLOAD ('SELECT 1') TO 's3://x'", "SELECT 1"),
    ],
)
def test_literals_that_are_run_as_a_whole(dialect: str, text: str, expected: str | None) -> None:
    found = [body.text for body in bodies(Tokens(text, dialect), dialect)]
    assert found == ([] if expected is None else [expected])


def test_a_literal_is_written_as_it_is_quoted() -> None:
    def written(dialect: str, text: str, sql: str) -> str:
        (body,) = bodies(Tokens(text, dialect), dialect)
        return body.encode(sql)

    assert written("bigquery", "EXECUTE IMMEDIATE 'x'", "a = 'b'\nc") == "a = \\'b\\'\\nc"
    assert written("spark", "EXECUTE IMMEDIATE 'x'", "a = 'b'") == "a = \\'b\\'"
    assert written("tsql", "EXEC('x')", "a = 'b'") == "a = ''b''"
    with pytest.raises(ValueError, match="end the string"):
        written("postgres", "DO $$ x $$", "a $$ b")
