"""Which projects of a GitLab are the fleet: groups with subgroups, topics, searches, moved ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.forge.gitlab_world import BOT, NAME, gitlab_world, make_api

from greylag.forge import ForgeError
from greylag.forge.hosted import Keeper, Mirror, Selection, select


def test_a_fleet_is_selected_mirrored_and_follows(tmp_path: Path) -> None:
    with gitlab_world(tmp_path) as world:
        hub, api = world.other.hub, make_api(world.other)
        hub.add("shop/web/ui", {"a": b"select from old_users"}, topics=["data"], branch="trunk")
        hub.add("shop/old", {"a": b"a"}).archived = True
        hub.add("shop/empty")
        hub.add("shops/other", {"a": b"old_users"}, access={"ann": "write"})
        hub.add("else/where", {"a": b"old_users"}, access={BOT: "write"}, topics=["data"])
        hub.add("public/thing", {"a": b"old_users"}, access={BOT: "read"}, topics=["data"])
        hub.add(f"{BOT}/own", {"a": b"a"}, access={BOT: "admin"})
        hub.fork("shop/web/ui", "shop/forked")

        def names(**selection: object) -> list[str]:
            return list(select(api, Selection(**selection)))  # type: ignore[arg-type]

        assert names(org="shop") == [NAME, "shop/empty", "shop/web/ui"]
        assert names(org="shop/web") == ["shop/web/ui"]
        assert names(org=BOT) == [f"{BOT}/own"]
        assert names(org="shop", topic="data") == ["shop/web/ui"]
        assert names(topic="data") == ["else/where", "shop/web/ui"], "only where we may write"
        assert names(query="web") == ["shop/web/ui"]
        assert names(org="shop", exclude=("shop/e*", "*/etl")) == ["shop/web/ui"]
        assert names(org="shop", archived=True, forks=True) == [
            NAME,
            "shop/empty",
            "shop/forked",
            "shop/old",
            "shop/web/ui",
        ]
        assert names(code="old_users") == ["else/where", "public/thing", "shop/web/ui"]
        assert names(code="group:shop old_users") == ["shop/web/ui"]
        hub.advanced_search = False
        with pytest.raises(ForgeError, match="needs advanced search"):
            names(code="old_users")
        with pytest.raises(ForgeError, match="no such group or user"):
            names(org="none")
        with pytest.raises(ForgeError, match="shops/other"):
            names(repositories=("shops/other",))

        mirror = Mirror(tmp_path / "fleet", api)
        keeper = Keeper(api, mirror, Selection(org="shop"))
        fresh = keeper.refresh()
        assert (fresh.unreadable, mirror.names()) == ({}, fresh.names)
        assert mirror.open("shop/web/ui").default_branch == "trunk"
        for text in (b"1", b"2"):
            new = hub.push("shop/web/ui", "trunk", {"b": text})
            keeper.refresh()
            assert mirror.open("shop/web/ui").head() == new, "whatever `last_activity_at` says"


def test_a_project_that_moved_is_found_under_its_new_name(tmp_path: Path) -> None:
    with gitlab_world(tmp_path) as world:
        world.other.hub.move(NAME, "shop/platform/etl")
        api = make_api(world.other)
        assert list(select(api, Selection(repositories=(NAME,)))) == ["shop/platform/etl"]
        repo = Mirror(tmp_path / "later", api).open(NAME)
        assert repo.head() == world.repo.head()
