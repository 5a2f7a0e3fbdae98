"""The settings of Bitbucket and of Gerrit: what is refused, and what is built from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from greylag.app import Settings
from greylag.app.bitbucket import open_api
from greylag.app.bitbucket_settings import BitbucketSettings
from greylag.app.gerrit import open_forge
from greylag.app.gerrit_settings import GerritSettings
from greylag.app.hosts import AnyForge
from greylag.engine.clock import SystemClock
from greylag.forge.bitbucket import ApiTokenAuth, OAuthAuth
from greylag.forge.hosted import TokenAuth

BITBUCKET: dict[str, Any] = {"kind": "bitbucket", "token_env": "T", "org": "shop"}
GERRIT: dict[str, Any] = {
    "kind": "gerrit",
    "url": "https://review.example.com/",
    "user": "greylag",
    "token_env": "T",
    "org": "shop",
}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (BITBUCKET | {"token_env": None}, "one of token_env, token_file and oauth"),
        (BITBUCKET | {"oauth": {"key": "k", "secret_env": "S"}}, "one of token_env, token_file and oauth"),
        (BITBUCKET | {"token_env": None, "oauth": {"key": "k"}}, "one of secret_env and secret_file"),
        (BITBUCKET | {"code": "users_v1"}, "code is not searched for"),
        (BITBUCKET | {"org": None, "topic": "KEY"}, "no topics"),
        (GERRIT | {"user": ""}, "user"),
        (GERRIT | {"url": "http://review.example.com"}, "in the clear"),
        (GERRIT | {"merge_method": "squash"}, "submit type"),
        (GERRIT | {"signing": {"format": "ssh", "key_env": "KEY"}}, "signing: changes on Gerrit have none"),
        (GERRIT | {"trailers": {"Change-Type": "x"}}, "trailers: changes on Gerrit have none"),
        (GERRIT | {"assignees": ["@ann"]}, "assignees: changes on Gerrit have none"),
        (GERRIT | {"query": "x"}, "not searched for"),
    ],
)
def test_what_cannot_work_is_refused(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(AnyForge).validate_python(document)


def test_bitbucket_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "word")
    (tmp_path / "secret").write_text("word\n")
    oauth = {"token_env": None, "oauth": {"key": "k", "secret_file": "secret"}}
    for changes, kind in (({}, TokenAuth), ({"mail": "a@example.org"}, ApiTokenAuth), (oauth, OAuthAuth)):
        given = BitbucketSettings.model_validate(BITBUCKET | changes).below(tmp_path)
        assert given.api_url == "https://api.bitbucket.org/2.0"
        assert isinstance(open_api(given).client.auth, kind)
    elsewhere = BitbucketSettings.model_validate(BITBUCKET | {"url": "http://127.0.0.1:9"})
    assert elsewhere.api_url == "http://127.0.0.1:9/2.0"


def test_gerrit_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "word")
    given = GerritSettings.model_validate(GERRIT | {"repositories": ["one", "a/b/c"], "label": None})
    assert given.api_url == "https://review.example.com/a"
    forge = open_forge(Settings(fleet=tmp_path / "mirrors", forge=given), SystemClock())
    assert forge.api.address("a/b") == "https://review.example.com/a/a/b"
    assert (tmp_path / "mirrors").is_dir()
