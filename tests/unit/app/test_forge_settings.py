"""The settings of a forge: what is refused, and where secrets may come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from greylag.app import build, load_settings
from greylag.app.forge_settings import GitHubSettings, secret
from greylag.app.hosted import open_fleet
from greylag.domain.errors import FileFaults, UsageError
from greylag.engine.mirrored import MirroredFleet
from greylag.forge import EmbeddedForge
from greylag.forge.hosted import HostedForge
from greylag.lineage.index import FleetIndex

GOOD = {"kind": "github", "token_env": "T", "org": "shop"}


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("https://github.example.com/", "https://github.example.com/api/v3"),
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("http://127.0.0.1:8379", "http://127.0.0.1:8379/api/v3"),
    ],
)
def test_where_the_api_is(url: str, api: str) -> None:
    assert GitHubSettings.model_validate(GOOD | {"url": url}).api_url == api
    assert (
        GitHubSettings.model_validate(GOOD | {"url": url, "api": "https://x.org/a"}).api_url
        == "https://x.org/a"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token_env": None}, "one of token_env, token_file and app"),
        ({"token_file": "t"}, "one of token_env, token_file and app"),
        ({"org": None}, "say which repositories"),
        ({"repositories": ["etl"]}, "expected owner/name"),
        ({"url": "http://github.example.com"}, "in the clear"),
        ({"url": "https://me:ghp_secret@github.com"}, "does not stand in an address"),
        ({"url": "github.com"}, "expected an address like"),
        ({"token_env": None, "app": {"id": "1", "installation": 2}}, "one of key_env and key_file"),
        ({"merge_method": "octopus"}, "merge_method"),
        ({"token": "ghp_secret"}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        GitHubSettings.model_validate(GOOD | changes)


def test_a_fault_has_its_place_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "greylag.yaml").write_text("forge:\n  kind: github\n  org: shop\n  token: ghp_secret\n")
    with pytest.raises(FileFaults, match=r"greylag.yaml:4:3: `token` is not a setting") as error:
        load_settings(start=tmp_path)
    assert "ghp_secret" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: gihub\n  org: shop", "`kind` is none of embedded, github,"),
        ("org: shop", r"`org` is not a setting \(known here: kind"),
        ("kind: github\n  orgs: [a]", "`orgs` is not a setting; did you mean `org`"),
        ("kind: github\n  token_env: T\n  org: a\n  assignees: [ann]", "'ann' cannot be assigned"),
        ("kind: github\n  token_env: T\n  org: a\n  trailers: {'a b': c}", "is no trailer"),
        ("kind: github\n  token_env: T\n  org: a\n  trailers: {Greylag-Key: c}", "own trailers"),
    ],
)
def test_a_kind_that_there_is_not_and_its_settings(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "greylag.yaml").write_text(f"forge:\n  {text}\n")
    with pytest.raises(FileFaults, match=said):
        load_settings(start=tmp_path)


def test_lists_of_a_kind_come_from_the_environment_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greylag.yaml").write_text("forge:\n  kind: github\n  token_env: T\n")
    monkeypatch.setenv("GREYLAG_FORGE__REPOSITORIES", '["shop/etl"]')
    assert getattr(load_settings(start=tmp_path).forge, "repositories", ()) == ("shop/etl",)


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("two\nlines\n")
    assert secret("x", env=None, file=file).get_secret_value() == "two\nlines"
    assert secret("x", env="T", file=None, environ={"T": " t "}).get_secret_value() == "t"
    with pytest.raises(UsageError, match="T is not set: it should hold the forge's token"):
        secret("the forge's token", env="T", file=None, environ={})
    with pytest.raises(UsageError, match="cannot be read: FileNotFoundError"):
        secret("x", env=None, file=tmp_path / "none")
    file.write_text("")
    with pytest.raises(UsageError, match="is empty"):
        secret("x", env=None, file=file)


def test_it_is_built_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("ghp_secret")
    text = "fleet: mirrors\nforge:\n  kind: github\n  org: shop\n  token_file: token\n"
    (tmp_path / "greylag.yaml").write_text(text)
    settings = load_settings(start=tmp_path)
    app = build(settings)
    assert isinstance(app.forge, HostedForge)
    assert app.forge.api.credential().password.get_secret_value() == "ghp_secret"
    assert app.forge.mirror.root == tmp_path / "mirrors"
    fleet = app.fleet()
    assert isinstance(fleet, MirroredFleet)
    assert fleet.names() == ()
    assert "ghp_secret" not in repr(app)
    index = FleetIndex(tmp_path / "index.db")
    handed = open_fleet(settings, EmbeddedForge(tmp_path / "mirrors"), index, lambda _: frozenset())
    assert not isinstance(handed, MirroredFleet)
    monkeypatch.setenv("GREYLAG_FORGE__TOKEN_FILE", "none")
    with pytest.raises(UsageError, match="none: should hold the forge's token"):
        build(load_settings(start=tmp_path))
