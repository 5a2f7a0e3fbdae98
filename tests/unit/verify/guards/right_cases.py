"""Patches that a person would make for the migration in `world.py`: every guard lets them pass.

A case is its name, the path, the text before, the text after; several files stand in several rows of one name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    name: str
    path: str
    before: str
    after: str


def swap(name: str, path: str, before: str, *pairs: tuple[str, str]) -> Right:
    """`before` with some texts replaced."""
    after = before
    for old, new in pairs:
        assert old in after, (name, old)
        after = after.replace(old, new)
    return Right(name=name, path=path, before=before, after=after)


TABLE = ("users_v1", "users_v2")
ID = ("user_id", "account_id")

PYTHON = (
    swap("table and column", "a.py", 'df = spark.table("core.users_v1").select("user_id")\n', TABLE, ID),
    swap(
        "name kept by alias",
        "a.py",
        'df = spark.table("core.users_v1").select("user_id")\n',
        TABLE,
        ('select("user_id")', 'select(F.col("account_id").alias("user_id"))'),
    ),
    swap(
        "renamed after the read",
        "a.py",
        'df = spark.table("core.users_v1")\nout = df.user_id\n',
        TABLE,
        ('v2")\n', 'v2").withColumnRenamed("account_id", "user_id")\n'),
    ),
    swap(
        "mapping as SQL",
        "a.py",
        'df = spark.table("prod.core.users_v1")\n',
        (
            'spark.table("prod.core.users_v1")',
            'spark.sql("""\n    SELECT account_id AS user_id, geo.country AS country,\n'
            "           CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan\n    FROM prod.core.users_v2\n"
            '    WHERE device = \'ALL\'\n""")',
        ),
    ),
    swap(
        "value recoded",
        "a.py",
        'x = spark.table("core.users_v1").filter(F.col("plan") == "premium")\n',
        TABLE,
        ('F.col("plan") == "premium"', 'F.col("tier") == 3'),
    ),
    swap(
        "filter of the mapping",
        "a.py",
        'x = spark.table("core.users_v1").select("user_id")\n',
        ID,
        ('users_v1")', 'users_v2").filter(F.col("device") == "ALL")'),
    ),
    swap(
        "struct field",
        "a.py",
        'x = spark.table("core.users_v1").groupBy("country").count()\n',
        TABLE,
        ('"country"', '"geo.country"'),
    ),
    swap(
        "row access",
        "a.py",
        'for row in read("core.users_v1"):\n    out[row["user_id"]] = row["country"]\n',
        TABLE,
        ID,
        ('row["country"]', 'row["geo"]["country"]'),
    ),
    swap(
        "attribute access",
        "a.py",
        'for row in read("core.users_v1"):\n    use(row.user_id, row.country)\n',
        TABLE,
        ID,
        ("row.country", "row.geo.country"),
    ),
    swap(
        "column list",
        "a.py",
        'TABLE = "core.users_v1"\nCOLUMNS = ["user_id", "country", "plan"]\n',
        TABLE,
        ID,
        ('"plan"', '"tier"'),
    ),
    swap(
        "constant renamed with it",
        "a.py",
        'USERS_V1 = "core.users_v1"\nread(USERS_V1, "user_id")\n',
        TABLE,
        ID,
        ("USERS_V1", "USERS_V2"),
    ),
    swap(
        "locals renamed with it",
        "a.py",
        'user_ids = [r["user_id"] for r in read("core.users_v1")]\nprint(len(user_ids))\n',
        TABLE,
        ("user_ids", "account_ids"),
        ('"user_id"', '"account_id"'),
    ),
    swap(
        "built name",
        "a.py",
        'VERSION = "v1"\ndf = spark.table(f"core.users_{VERSION}").select("user_id")\n',
        ('VERSION = "v1"', 'VERSION = "v2"'),
        ID,
    ),
    swap(
        "built name made plain",
        "a.py",
        'version = "v1"\ndf = spark.table("core.users_" + version)[["user_id"]]\n',
        ('version = "v1"\n', ""),
        ('"core.users_" + version', '"core.users_v2"'),
        ID,
    ),
    swap(
        "dataclass",
        "a.py",
        "@dataclass\nclass User:\n    user_id: str\n    country: str\n\n\n"
        'def load():\n    return [User(**r) for r in read("core.users_v1")]\n',
        TABLE,
        ID,
    ),
    swap(
        "dict of columns",
        "a.py",
        'RENAMES = {"user_id": "id", "plan": "kind"}\ndf = read("core.users_v1").rename(columns=RENAMES)\n',
        TABLE,
        ID,
        ('"plan"', '"tier"'),
    ),
    swap(
        "recode in Python",
        "a.py",
        'df = read("core.users_v1")\npremium = df[df["plan"] == "premium"]\n',
        TABLE,
        ('df["plan"] == "premium"', 'df["tier"] == 3'),
    ),
    swap(
        "map of values",
        "a.py",
        'df = read("core.users_v1")\nkinds = df["plan"]\n',
        TABLE,
        ('df["plan"]', 'df["tier"].map({3: "premium"}).fillna("free")'.replace(".fillna", ".fillna")),
    ),
    swap(
        "when otherwise",
        "a.py",
        'df = spark.table("core.users_v1").select("plan")\n',
        TABLE,
        ('"plan"', 'F.when(F.col("tier") == 3, "premium").otherwise("free").alias("plan")'),
    ),
    swap(
        "comment told anew",
        "a.py",
        '# users_v1 has one row a user\ndf = read("core.users_v1")\n',
        ("users_v1 has one row a user", "users_v2 has one row a user and device"),
        TABLE,
    ),
    swap(
        "docstring told anew",
        "a.py",
        'def load():\n    """Rows of users_v1, one a user."""\n    return read("core.users_v1")\n',
        ("Rows of users_v1, one a user.", "Rows of users_v2, as one a user: the device ALL sums them up."),
        TABLE,
    ),
    swap(
        "devices",
        "a.py",
        'q = "SELECT device_id, model FROM core.devices_v1"\n',
        ("devices_v1", "devices_v2"),
        ("model", "model_name AS model"),
    ),
    swap(
        "where added in a string",
        "a.py",
        'q = "SELECT user_id FROM core.users_v1 WHERE day = 1"\n',
        TABLE,
        ("user_id", "account_id AS user_id"),
        ("day = 1", "day = 1 AND device = 'ALL'"),
    ),
    swap(
        "airflow",
        "dag.py",
        'check = SqlSensor(task_id="wait", sql="SELECT 1 FROM core.users_v1 LIMIT 1")\n',
        TABLE,
    ),
    swap(
        "comment added",
        "a.py",
        'df = read("core.users_v1")\n',
        (
            'df = read("core.users_v1")',
            '# users_v2 has one row a device; ALL is their sum\ndf = read("core.users_v2")',
        ),
    ),
)
TESTS = (
    swap(
        "fixture",
        "tests/test_a.py",
        'def test_a():\n    rows = [{"user_id": "a", "country": "SE"}]\n    assert f(rows) == 1\n',
        ID,
    ),
    swap(
        "fixture nested",
        "tests/test_a.py",
        'def test_a():\n    rows = [{"user_id": "a", "country": "SE", "plan": "premium"}]\n    assert f(rows) == 1\n',
        ID,
        ('"country": "SE"', '"geo": {"country": "SE"}'),
        ('"plan": "premium"', '"tier": 3, "device": "ALL"'),
    ),
    swap("assertion on a column", "tests/test_a.py", 'def test_a():\n    assert f()["user_id"] == "a"\n', ID),
    swap(
        "assertion on a field",
        "tests/test_a.py",
        'def test_a():\n    assert f().country == "SE"\n',
        (".country", ".geo.country"),
    ),
    swap(
        "assertion on a list of columns",
        "tests/test_a.py",
        'def test_a():\n    assert f().columns == ["user_id", "total"]\n',
        ID,
    ),
    swap(
        "assertion on SQL",
        "tests/test_a.py",
        'def test_a():\n    assert sql() == "SELECT user_id FROM core.users_v1"\n',
        (
            "SELECT user_id FROM core.users_v1",
            "SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL'",
        ),
    ),
    swap(
        "table in setup",
        "tests/conftest.py",
        "import pytest\n\n\n@pytest.fixture\ndef users(spark):\n"
        '    return spark.createDataFrame([("a", "SE")], ["user_id", "country"])\n',
        ID,
    ),
    swap(
        "parametrize",
        "tests/test_a.py",
        '@pytest.mark.parametrize("column", ["user_id", "plan"])\ndef test_a(column):\n'
        "    assert column in f()\n",
        ID,
        ('"plan"', '"tier"'),
    ),
    swap(
        "test named after the column",
        "tests/test_a.py",
        'def test_user_id_is_kept():\n    assert f("user_id")\n',
        ID,
    ),
    swap(
        "unittest",
        "tests/test_a.py",
        "class T(TestCase):\n    def test_a(self):\n"
        '        self.assertEqual(f("core.users_v1"), ["user_id"])\n',
        TABLE,
        ID,
    ),
    swap(
        "expected frame",
        "tests/test_a.py",
        'def test_a():\n    expected = pd.DataFrame({"user_id": ["a"]})\n'
        "    assert_frame_equal(f(), expected)\n",
        ID,
    ),
    swap(
        "patched name",
        "tests/test_a.py",
        'def test_a(monkeypatch):\n    monkeypatch.setattr("m.USERS_V1", "x")\n    assert f() == 2\n',
        ("USERS_V1", "USERS_V2"),
    ),
    swap(
        "scala spec",
        "src/test/scala/ASpec.scala",
        'class ASpec extends AnyFlatSpec {\n  "a" should "keep" in {\n'
        '    val row = User(userId = "a")\n    run(row).userId shouldBe "a"\n  }\n}\n',
        ("userId", "accountId"),
    ),
    swap(
        "junit",
        "src/test/java/ATest.java",
        'class ATest {\n  @Test\n  void a() {\n    assertEquals("a", run().getUserId());\n  }\n}\n',
        ("getUserId", "getAccountId"),
    ),
    swap(
        "sql assertion",
        "tests/assert_users.sql",
        "SELECT user_id FROM {{ ref('users_v1') }} WHERE plan IS NULL\n",
        TABLE,
        ID,
        ("plan IS", "tier IS"),
    ),
    swap(
        "sql assertion with the mapping's filter",
        "tests/assert_users.sql",
        "SELECT user_id FROM {{ ref('users_v1') }} WHERE plan IS NULL\n",
        TABLE,
        ID,
        ("plan IS NULL", "tier IS NULL AND device = 'ALL'"),
    ),
)
SQL = (
    swap(
        "renamed in place",
        "q.sql",
        "SELECT user_id FROM core.users_v1\n",
        TABLE,
        ("user_id", "account_id AS user_id"),
    ),
    swap(
        "filter added",
        "q.sql",
        "SELECT user_id FROM core.users_v1 WHERE day > 3\n",
        TABLE,
        ("user_id", "account_id AS user_id"),
        ("day > 3", "day > 3 AND device = 'ALL'"),
    ),
    swap(
        "as a subquery",
        "q.sql",
        "SELECT u.user_id, u.plan FROM core.users_v1 AS u\n",
        (
            "core.users_v1 AS u",
            "(\n  SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan\n"
            "  FROM core.users_v2\n  WHERE device = 'ALL'\n) AS u",
        ),
    ),
    swap(
        "as a cte",
        "q.sql",
        "SELECT user_id FROM core.users_v1\n",
        (
            "SELECT user_id FROM core.users_v1",
            "WITH users AS (\n  SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL'\n)\n"
            "SELECT user_id FROM users",
        ),
    ),
    swap(
        "recoded",
        "q.sql",
        "SELECT user_id FROM core.users_v1 WHERE plan = 'premium'\n",
        TABLE,
        ("user_id", "account_id AS user_id"),
        ("plan = 'premium'", "tier = 3 AND device = 'ALL'"),
    ),
    swap(
        "join",
        "q.sql",
        "SELECT o.id FROM shop.orders o\nLEFT JOIN core.users_v1 u ON u.user_id = o.customer\n",
        TABLE,
        ("u.user_id = o.customer", "u.account_id = o.customer AND u.device = 'ALL'"),
    ),
    swap(
        "comment told anew",
        "q.sql",
        "-- from users_v1\nSELECT user_id FROM core.users_v1\n",
        TABLE,
        ("SELECT user_id", "SELECT account_id AS user_id"),
    ),
    swap(
        "group by",
        "q.sql",
        "SELECT country, COUNT(*) AS n FROM core.users_v1 GROUP BY country\n",
        TABLE,
        ("SELECT country", "SELECT geo.country AS country"),
        ("GROUP BY country", "GROUP BY geo.country"),
    ),
    swap(
        "dbt ref",
        "models/m.sql",
        "select user_id from {{ ref('users_v1') }}\n",
        TABLE,
        ("user_id", "account_id as user_id"),
    ),
    swap(
        "dbt source and config",
        "models/m.sql",
        "{{ config(materialized='table') }}\nselect user_id\nfrom {{ source('core', 'users_v1') }}\n",
        TABLE,
        ("user_id", "account_id as user_id"),
    ),
    swap(
        "dbt variable",
        "models/m.sql",
        "{% set v = 'v1' %}\nselect user_id from core.users_{{ v }}\n",
        ("'v1'", "'v2'"),
        ("user_id", "account_id as user_id"),
    ),
    swap(
        "dbt loop",
        "models/m.sql",
        "select\n{% for c in ['user_id', 'plan'] %}\n  {{ c }},\n{% endfor %}\n  1 as one\nfrom {{ ref('users_v1') }}\n",
        TABLE,
        ID,
        ("'plan'", "'tier'"),
    ),
)
YAML = (
    swap(
        "column of a model",
        "models/schema.yml",
        "models:\n  - name: m\n    columns:\n      - name: user_id\n        data_tests: [unique, not_null]\n",
        ID,
    ),
    swap(
        "source",
        "models/sources.yml",
        "sources:\n  - name: core\n    tables:\n      - name: users_v1\n        columns:\n          - name: user_id\n"
        "            tests: [unique]\n",
        TABLE,
        ID,
    ),
    swap(
        "relationships",
        "models/schema.yml",
        "models:\n  - name: m\n    columns:\n      - name: owner\n        tests:\n          - relationships:\n"
        "              to: ref('users_v1')\n              field: user_id\n",
        TABLE,
        ID,
    ),
    swap(
        "unit test input",
        "models/schema.yml",
        "unit_tests:\n  - name: t\n    model: m\n    given:\n      - input: ref('users_v1')\n        rows:\n"
        "          - {user_id: 1, other: x}\n    expect:\n      rows: [{total: 1}]\n",
        TABLE,
        ID,
    ),
    swap(
        "job",
        "jobs/a.yaml",
        "job:\n  table: core.users_v1\n  columns:\n    - user_id   # key\n    - plan\n",
        TABLE,
        ID,
        ("- plan", "- tier"),
    ),
    swap(
        "query in a job",
        "jobs/a.yaml",
        "query: |\n  SELECT user_id\n  FROM core.users_v1\n  WHERE day = 1\n",
        TABLE,
        ("user_id", "account_id AS user_id"),
        ("day = 1", "day = 1 AND device = 'ALL'"),
    ),
    swap(
        "mapping of columns",
        "jobs/a.yml",
        "columns:\n  user_id: id\n  country: land\n",
        ID,
        ("country: land", "geo.country: land"),
    ),
    swap(
        "freshness kept",
        "models/sources.yml",
        "sources:\n  - name: core\n    freshness: {warn_after: {count: 1, period: day}}\n    tables:\n"
        "      - name: users_v1\n",
        TABLE,
    ),
    swap(
        "properties",
        "a.properties",
        "# table of the job\njob.table=core.users_v1\njob.key=user_id\n",
        TABLE,
        ID,
    ),
    swap(
        "json",
        "a.json",
        '{"table": "core.users_v1", "columns": ["user_id", "plan"]}\n',
        TABLE,
        ID,
        ('"plan"', '"tier"'),
    ),
)
SCALA = (
    swap("scala table", "A.scala", 'val df = spark.table("core.users_v1").select("user_id")\n', TABLE, ID),
    swap(
        "scala column",
        "A.scala",
        'val x = spark.table("core.users_v1").filter($"plan" === "premium" && $"day" === 1)\n',
        TABLE,
        ('$"plan" === "premium"', '$"tier" === 3'),
    ),
    swap(
        "case class",
        "A.scala",
        'case class User(userId: String, country: String)\nval u = rows("core.users_v1").map(r => User(r.userId, r.country))\n',
        TABLE,
        ("userId", "accountId"),
        ("r.country", "r.geo.country"),
    ),
    swap("getter", "A.java", 'String id = row.getAs("user_id"); // key\nread("core.users_v1");\n', TABLE, ID),
    swap(
        "scala recode",
        "A.scala",
        'val x = spark.table("core.users_v1").select($"plan")\n',
        TABLE,
        ('$"plan"', 'when($"tier" === 3, "premium").otherwise("free").as("plan")'),
    ),
    swap(
        "scala query",
        "A.scala",
        "val q = s\"SELECT user_id FROM core.users_v1 WHERE day = '$day'\"\n",
        TABLE,
        ("user_id", "account_id AS user_id"),
        ("'$day'", "'$day' AND device = 'ALL'"),
    ),
    swap(
        "option",
        "A.scala",
        'spark.read.format("bigquery").option("table", "core.users_v1").load().select("user_id")\n',
        TABLE,
        ID,
    ),
)
RIGHT = (*PYTHON, *TESTS, *SQL, *YAML, *SCALA)
