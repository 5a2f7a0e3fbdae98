"""What is wrong in a file is told with its place, what was expected, and the nearest valid name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.mapping.files import NEW, entry, faults

from greylag.domain.errors import FileFaults
from greylag.mapping import load_migration

GOOD = "SELECT a AS c1, s AS c2 FROM p.c.new"
ONE = "replaces: [{dataset: o, columns: {a: INT64}, to: n}]\n"
TOP = "name: m\ndialect: bigquery\n"

CASES = {
    "empty file": ("", "1:1: the file is empty"),
    "not a mapping": ("- a\n- b\n", "1:1: expected a mapping"),
    "not YAML": ("name: m\nreplaces: [1\n", "3:1: not valid YAML: while parsing a flow sequence"),
    "a tab": ("name: m\n\tdialect: x\n", "2:1: not valid YAML"),
    "two documents": (f"{TOP}{ONE}---\na: 1\n", "4:1: not valid YAML"),
    "a control character": ("name: m\x00\n", "1:8: not valid YAML"),
    "duplicate key": (f"name: m\n{TOP}{ONE}", "2:1: the key `name` stands here twice; keep one"),
    "duplicate column": (
        TOP + "replaces: [{dataset: o, columns: {a: INT64, a: STRING}, to: n}]\n",
        "3:45: the key `a` stands here twice",
    ),
    "missing key": ("name: m\n" + ONE, "1:1: `dialect` is missing: The SQL dialect"),
    "unknown key": (f"{TOP}{ONE}rolout: {{}}\n", "4:1: unknown key `rolout`; did you mean `rollout`?"),
    "unknown nested key": (
        TOP + "replaces:\n  - dataset: o\n    colums: {a: INT64}\n    to: n\n",
        "5:5: unknown key `colums`; did you mean `columns`?",
    ),
    "name": (f"name: Users v2\ndialect: bigquery\n{ONE}", "1:7: `Users v2` is not a valid name"),
    "dialect": (f"name: m\ndialect: bigqery\n{ONE}", "2:10: `bigqery` is not a dialect"),
    "dialect, nearest": (f"name: m\ndialect: bigqery\n{ONE}", "did you mean `bigquery`?"),
    "no datasets": (TOP + "replaces: []\n", "3:11: `replaces` is empty"),
    "dataset name": (
        TOP + "replaces: [{dataset: a..b, columns: {a: INT64}, to: n}]\n",
        "3:22: `a..b` is not",
    ),
    "a dot inside a part": (
        TOP + """replaces: [{dataset: 'core."a.b"', columns: {a: INT64}, to: n}]\n""",
        '3:22: `core."a.b"` has a dot inside of one part; such names are not supported',
    ),
    "a dot inside the first part": (
        TOP + """replaces: [{dataset: '"a.b"."c.d"', columns: {a: INT64}, to: n}]\n""",
        '3:22: `"a.b"."c.d"` has a dot inside of one part',
    ),
    "type as number": (
        TOP + "replaces: [{dataset: o, columns: {a: 5}, to: n}]\n",
        "3:38: `a`: expected text",
    ),
    "no type": (
        TOP + "replaces: [{dataset: o, columns: {a: 'INT64 STRING'}, to: n}]\n",
        "3:38: `INT64 STRING` is not a type of bigquery",
    ),
    "type with a slip": (
        TOP + "replaces: [{dataset: o, columns: {a: STRNG}, to: n}]\n",
        "3:38: `STRNG` is not a type of bigquery; did you mean `STRING`?",
    ),
    "comma in a flow mapping": (
        TOP + "replaces: [{dataset: o, columns: {a: NUMERIC(10,2)}, to: n}]\n",
        "3:35: the type `NUMERIC(10` of `a` has a bracket without its other half",
    ),
    "neither as nor to": (TOP + "replaces: [{dataset: o, columns: {a: INT64}}]\n", "3:12: neither `as` nor"),
    "both as and to": (
        TOP + "replaces: [{dataset: o, columns: {a: INT64}, to: n, as: SELECT a FROM n}]\n",
        "3:53: both `as` and `to` are given",
    ),
    "no columns": (TOP + "replaces: [{dataset: o, to: n}]\n", "3:12: `columns` is missing"),
    "rename without to": (
        TOP + "replaces: [{dataset: o, columns: {a: INT64}, as: SELECT a FROM n, rename: {a: b}}]\n",
        "3:67: `rename` belongs to the short form",
    ),
    "rename of no column": (
        TOP + "replaces: [{dataset: o, columns: {model: STRING}, to: n, rename: {modell: b}}]\n",
        "3:67: `modell` is not a column of o; did you mean `model`?",
    ),
    "rename to an expression": (
        TOP + "replaces: [{dataset: o, columns: {a: STRING}, to: n, rename: {a: LOWER(b)}}]\n",
        "3:66: `LOWER(b)` is not a column",
    ),
    "differs of no column": (
        entry(GOOD, more="    differs: {c3: x}\n"),
        "8:15: `c3` is not a column of p.c.old",
    ),
    "unmapped of no column": (entry(GOOD, more="    unmapped: {zz: x}\n"), "8:16: `zz` is not a column"),
    "where": (
        TOP + "replaces:\n  - dataset: o\n    columns: {a: INT64}\n    to: n\n    where: a = 1) OR (b = 2\n",
        "7:17: not valid bigquery SQL near `)`",
    ),
    "replaced twice": (
        TOP + "replaces:\n" + "  - {dataset: o, columns: {a: INT64}, to: n}\n" * 2,
        "5:15: o stands under `replaces` twice",
    ),
    "old and new": (
        f"{TOP}{ONE}provides: [{{dataset: o}}]\n",
        "3:22: o stands under `replaces` and under `provides`",
    ),
    "unique of no column": (
        f"{TOP}{ONE}provides: [{{dataset: n, columns: {{a: INT64}}, unique: [[b]]}}]\n",
        "4:56: `b` is not a column of n",
    ),
    "ref of no dataset": (f"{TOP}{ONE}ref: {{m: [x]}}\n", "4:7: `m` is no dataset of this migration"),
    "ref of two datasets": (f"{TOP}{ONE}ref:\n  o: [x]\n  n: [x]\n", "6:7: `x` already stands for o"),
    "dbt function": (
        f"{TOP}{ONE}ref: {{o: [{{dbt: \"src('a','b')\"}}]}}\n",
        "4:17: `src` names no dataset in dbt",
    ),
    "dbt arguments": (
        f"{TOP}{ONE}ref: {{o: [{{dbt: \"source('a')\"}}]}}\n",
        "4:17: `source('a')`: wrong arguments",
    ),
    "dbt code": (f"{TOP}{ONE}ref: {{o: [{{dbt: \"ref('a'\"}}]}}\n", "4:17: `ref('a'` is not a dbt name"),
    "waves shrink": (
        f"{TOP}{ONE}rollout: {{waves: [5, 3]}}\n",
        "4:22: waves must grow: `3` cannot follow `5`",
    ),
    "wave number after share": (f"{TOP}{ONE}rollout: {{waves: [10%, 3]}}\n", "4:24: waves must grow"),
    "wave over all": (f"{TOP}{ONE}rollout: {{waves: [200%]}}\n", "4:19: `200%` is not a size of a wave"),
    "wave of a list": (
        f"{TOP}{ONE}rollout: {{waves: [[1]]}}\n",
        "4:19: `waves`: expected a number of targets",
    ),
    "merge": (
        f"{TOP}{ONE}rollout: {{merge: provn}}\n",
        "4:18: `provn` is not a valid merge; did you mean `proven`",
    ),
    "window": (
        f"{TOP}{ONE}rollout: {{window: quite}}\n",
        "4:19: `quite` is not a valid window; did you mean `quiet`",
    ),
    "cron": (f"{TOP}{ONE}rollout: {{window: {{cron: 99 * * * *}}}}\n", "4:26: `99 * * * *` is not a cron"),
    "timezone": (
        f"{TOP}{ONE}rollout: {{window: {{cron: 1 * * * *, timezone: Europe/Stokholm}}}}\n",
        "4:47: `Europe/Stokholm` is not a time zone; did you mean `Europe/Stockholm`?",
    ),
    "bake": (f"{TOP}{ONE}rollout: {{bake: 1 hour}}\n", "4:17: `1 hour` is not a duration"),
    "max_reverts": (
        f"{TOP}{ONE}rollout: {{max_reverts: -1}}\n",
        "4:24: `max_reverts` is -1; expected 0 or more",
    ),
    "answer to nothing": (
        f"{TOP}{ONE}answers: {{o.b: skip}}\n",
        "4:11: `o.b` answers no question of this file",
    ),
}

SQL_CASES = {
    "syntax": (
        "SELECT a AS c1,\n  CASE WHEN a = 1 THEN s ELSE 'k' AS c2\nFROM p.c.new",
        "8:37: not valid bigquery SQL near `'k'`",
    ),
    "open string": ("SELECT a AS c1, 'x AS c2 FROM p.c.new", "7:23: not valid bigquery SQL: `'` opens"),
    "two statements": (
        "SELECT a AS c1, s AS c2 FROM p.c.new; SELECT 1",
        "7:45: expected one SELECT, found 2",
    ),
    "no SELECT": ("DELETE FROM x WHERE TRUE", "7:7: expected a SELECT, found DELETE"),
    "a template": ("SELECT {{ a }} AS c1 FROM p.c.new", "7:14: a mapping is plain SQL: templates"),
    "unknown output": (
        "SELECT a AS c1,\n  s AS cc2, s AS c2 FROM p.c.new",
        "8:9: `cc2` is not a column of p.c.old; did you mean `c2`?",
    ),
    "output twice": ("SELECT a AS c1, s AS c2, s AS c2 FROM p.c.new", "7:32: `c2` is given twice"),
    "output without name": ("SELECT a AS c1, s AS c2, 1 + 1 FROM p.c.new", "7:32: this column has no name"),
    "other case": ("SELECT a AS C1, s AS c2 FROM p.c.new", "7:14: `C1` is called `c1` under `columns`"),
    "column left out": ("SELECT a AS c1 FROM p.c.new", "5:26: the old column `c2` is neither given"),
    "reads itself": ("SELECT a AS c1, s AS c2\nFROM p.c.old", "8:12: the mapping of p.c.old reads itself"),
    "unknown column": (
        "SELECT aa AS c1, -- why\n  s AS c2 FROM p.c.new WHERE b = 1",
        "8:36: `b` is not a column of p.c.new",
    ),
    "unknown qualified column": (
        "SELECT n.aa AS c1, n.s AS c2 FROM p.c.new AS n",
        "7:16: `aa` is not a column of p.c.new; did you mean `a`?",
    ),
    "unknown field": ("SELECT g.y.w AS c1, g.x AS c2 FROM p.c.new", "7:18: `y` of p.c.new has no field `w`"),
    "unknown in a subquery": (
        "SELECT a AS c1, (SELECT MAX(o.zz) FROM p.c.new AS o WHERE o.a = new.a) AS c2 FROM p.c.new",
        "7:37: `zz` is not a column of p.c.new",
    ),
    "unknown in a WITH": (
        "WITH w AS (SELECT a FROM p.c.new)\nSELECT a AS c1, b AS c2 FROM w",
        "8:23: `b` is not a column of `w`",
    ),
    "star of two tables": ("SELECT * FROM p.c.new, p.c.other", "7:14: `*` over several tables"),
    "star of an unknown table": (
        "SELECT * FROM p.c.other",
        "7:14: `*` cannot be expanded: the columns of p.c.other",
    ),
    "struct": ("SELECT AS STRUCT a AS c1, s AS c2 FROM p.c.new", "7:7: SELECT AS STRUCT yields one value"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_fault(text: str, expected: str) -> None:
    found = faults(text)
    assert any(expected in fault for fault in found), found
    if expected[0].isdigit():
        assert any(fault.startswith(f"m.yaml:{expected}") for fault in found), found


@pytest.mark.parametrize(("sql", "expected"), SQL_CASES.values(), ids=SQL_CASES.keys())
def test_fault_in_the_mapping(sql: str, expected: str) -> None:
    found = faults(entry(sql, more=NEW))
    assert any(expected in fault for fault in found), found
    if expected[0].isdigit():
        assert any(fault.startswith(f"m.yaml:{expected}") for fault in found), found


def test_a_good_file_has_none() -> None:
    assert faults(entry(GOOD, more=NEW)) == []


def test_every_fault_is_told_at_once() -> None:
    text = (
        "name: M\ndialect: bigquery\nreplaces:\n  - dataset: o\n    columns: {a: INT64}\n    as: SELECT (\n"
        "    colour: red\nrollout: {bake: soon, merge: yes please}\n"
    )
    assert [fault.split(": ")[0] for fault in faults(text)] == [
        "m.yaml:1:7",
        "m.yaml:6:16",
        "m.yaml:7:5",
        "m.yaml:8:17",
        "m.yaml:8:30",
    ]


@pytest.mark.parametrize("style", ["|", "|-", ">", "| # why"])
def test_positions_in_block_scalars(style: str) -> None:
    sql = "SELECT a AS c1,\n\n        s AS c2\n      FROM p.c.new\n      WHERE a >>> 3"
    text = entry(GOOD, more=NEW).replace("as: |", f"as: {style}").replace(GOOD, sql)
    assert faults(text)[0].startswith("m.yaml:11:17: not valid bigquery SQL near `>`")


@pytest.mark.parametrize(
    ("value", "column"),
    [
        ("SELECT b AS c1 FROM n", 16),
        ("'SELECT ''x'' || b AS c1 FROM n'", 26),
        ('"SELECT b AS c1 FROM n"', 17),
    ],
)
def test_positions_in_other_scalars(value: str, column: int) -> None:
    text = (
        f"{TOP}replaces:\n  - dataset: o\n    columns: {{c1: INT64}}\n    as: {value}\n"
        "provides: [{dataset: n, columns: {a: INT64}}]\n"
    )
    assert faults(text) == [f"m.yaml:6:{column}: `b` is not a column of n (its columns: a)"]


def test_carriage_returns_and_a_byte_order_mark_do_not_move_positions(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    text = entry("SELECT a AS c1,\n  b AS c2\nFROM p.c.new", more=NEW).replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    with pytest.raises(FileFaults) as caught:
        load_migration(file)
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(8, 9)]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: None, "1:1: no such file"),
        (lambda path: path.mkdir(), "1:1: this is a folder; expected a file"),
        (lambda path: path.write_bytes(b"name: \xff\xfe"), "1:1: not UTF-8 text (byte 6"),
    ],
    ids=["missing", "folder", "encoding"],
)
def test_files_that_cannot_be_read(make: object, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    assert callable(make)
    make(path)
    with pytest.raises(FileFaults, match=r"x\.yaml") as caught:
        load_migration(path)
    assert f"{path}:{expected}" in str(caught.value)


def test_an_alias_of_itself_is_refused() -> None:
    assert any("alias of itself" in fault for fault in faults("name: &a [*a]\n"))
