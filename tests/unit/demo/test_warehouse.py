"""The demo's data: the old datasets are the mapping over the new ones."""

from __future__ import annotations

from tests.unit.demo.world import World

from greylag.demo.warehouse import Warehouse, columns_of


def _count(warehouse: Warehouse, sql: str) -> int:
    with warehouse.session(with_old=True) as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def test_the_old_dataset_has_the_declared_columns(world: World) -> None:
    for mapping in world.migration.mappings:
        table = ".".join(mapping.dataset.parts[1:])
        assert list(columns_of(world.warehouse, table)) == list(mapping.columns)


def test_the_old_users_are_one_row_an_account_and_the_new_ones_more(world: World) -> None:
    old = _count(world.warehouse, "SELECT COUNT(*) FROM prod.core.users_v1")
    assert old == _count(world.warehouse, "SELECT COUNT(DISTINCT account_id) FROM prod.core.users_v2") == 400
    assert _count(world.warehouse, "SELECT COUNT(*) FROM prod.core.users_v2") > old
    assert _count(world.warehouse, "SELECT COUNT(*) FROM prod.core.users_v2 WHERE tier IS NULL") > 0
    assert _count(world.warehouse, "SELECT COUNT(*) FROM prod.core.users_v1 WHERE country IS NULL") > 0


def test_without_the_old_datasets_only_the_new_ones_are_seen(world: World) -> None:
    with world.warehouse.session(with_old=False) as connection:
        names = {
            row[0]
            for row in connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'prod'"
            ).fetchall()
        }
    assert "users_v2" in names
    assert not names & {"users_v1", "devices_v1"}
