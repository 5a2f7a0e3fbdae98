"""Who depends on whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.errors import UsageError
from greylag.lineage.edges import dependencies, read_lineage
from greylag.lineage.flows import Flow, flow_of

CORE = flow_of({"core.sql": "create table prod.mart.users as\nselect 1 from prod.core.users_v1"})
SHOP = flow_of({"a.sql": "\nselect 1 from mart.users join prod.core.users_v1 using (id)"})
DBT = flow_of({"dbt_project.yml": "name: dwh", "models/mart/users.sql": "select 1"})


def told(**flows: Flow) -> list[str]:
    """The dependencies in words."""
    return [f"{one.repository} -> {one}" for one in dependencies(flows, ignored=[("core", "users_v1")])]


def test_a_reader_depends_on_who_builds() -> None:
    words = ["shop -> core, which builds prod.mart.users that it reads (a.sql:2)"]
    assert told(core=CORE, shop=SHOP) == told(shop=SHOP, core=CORE) == words
    assert told(dwh=DBT, shop=SHOP) == ["shop -> dwh, which builds mart.users that it reads (a.sql:2)"]


def test_a_migrations_own_datasets_and_ones_own_connect_nobody() -> None:
    builder = flow_of({"b.sql": "create table core.users_v1 as select 1 from b.c"})
    assert told(builder=builder, shop=SHOP) == []
    assert told(both=flow_of({"x.sql": "create table a.b as select 1 from a.b"})) == []


def test_a_name_that_everybody_builds_orders_nobody() -> None:
    many = {f"r{n}": CORE for n in range(9)}
    assert told(**many, shop=SHOP) == []
    assert len(told(r1=CORE, r2=CORE, shop=SHOP)) == 2


def test_declared_lineage_passes_through_who_is_no_target(tmp_path: Path) -> None:
    file = tmp_path / "lineage.jsonl"
    file.write_text(
        '{"consumer": "between", "produces": ["mart.late"], "reads": ["mart.users"]}\n\n'
        '{"consumer": "shop", "reads": ["prod.mart.late"]}\n'
    )
    flows = {"core": CORE, "shop": Flow()}
    (found,) = dependencies(flows, read_lineage(file))
    assert (found.repository, found.upstream, found.dataset) == ("shop", "core", "prod.mart.users")
    assert found.read == "lineage.jsonl:3, by way of between"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "lineage.jsonl:1: expected a JSON object"),
        ('{"reads": []}', 'expected {"consumer"'),
        ('{"consumer": "a", "inputs": []}', "unknown key 'inputs'"),
        ('{"consumer": "a", "reads": ["users"]}', "reads: expected names like prod.mart.users, got 'users'"),
        ('{"consumer": "a", "produces": "a.b.c", "reads": [3]}', "got 3"),
    ],
)
def test_a_wrong_line_is_refused(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "lineage.jsonl"
    file.write_text(line)
    with pytest.raises(UsageError, match=r"lineage\.jsonl") as refused:
        read_lineage(file)
    assert message in str(refused.value)


def test_no_file() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_lineage(Path("/nowhere/lineage.jsonl"))
