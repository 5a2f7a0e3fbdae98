"""Gitea and Forgejo are chosen in the settings."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from greylag.app.gitea import open_api
from greylag.app.gitea_settings import GiteaSettings
from greylag.app.hosts import HOSTS, AnyForge

GIVEN = {"url": "https://git.example.org", "token_env": "GITEA_TEST_TOKEN", "org": "shop"}


@pytest.mark.parametrize("kind", ["gitea", "forgejo"])
def test_both_are_built_from_their_settings(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITEA_TEST_TOKEN", "s3")
    given = TypeAdapter(AnyForge).validate_python({**GIVEN, "kind": kind})
    assert isinstance(given, GiteaSettings)
    assert given.api_url == "https://git.example.org/api/v1"
    api = open_api(given)
    assert (api.kind, api.name) == (kind, kind.capitalize())
    assert api.address("shop/etl") == "https://git.example.org/shop/etl.git"
    assert dict(api.client.auth.headers()) == {"Authorization": "token s3"}
    assert HOSTS[kind].module == "greylag.app.gitea"


@pytest.mark.parametrize(
    ("more", "word"),
    [({"code": "users_v1"}, "no search for code"), ({"url": "http://git.example.org"}, "https")],
)
def test_what_cannot_be_is_refused(more: dict[str, str], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        TypeAdapter(AnyForge).validate_python({**GIVEN, "kind": "gitea", **more})
