"""What paths a client may name, and the token of the HTTP server."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from greylag.domain.errors import UsageError
from greylag.mcp.access import Access, access
from greylag.mcp.server import TOKEN, parse_address, read_token


@pytest.fixture
def rights(tmp_path: Path) -> Access:
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    (tmp_path / "repos").mkdir()
    (tmp_path / "secret.txt").write_text("s")
    (home / "greylag.yaml").write_text("fleet: ../repos\n")
    (home / "out").symlink_to(tmp_path / "secret.txt")
    (home / "loop.x").symlink_to(home / "loop.x")
    return Access(folder=home, actor="kim", scratch=tmp_path / "scratch")


@pytest.mark.parametrize("given", ["a.sql", "sub/../a.sql", ".", "../repos/x.git", "sub"])
def test_within_the_folder_and_the_fleet(rights: Access, given: str) -> None:
    assert rights.path(given) == (rights.folder / given).resolve()


@pytest.mark.parametrize(
    "given",
    [
        "../secret.txt",
        "../nothing.txt",
        "/etc/passwd",
        "sub/../../secret.txt",
        "out",
        "loop.x",
        "../home-of-another/x",
        "../homes",
        "",
        "a\0b",
        "~/../../..",
    ],
)
def test_anywhere_else_is_refused_and_nothing_is_said_of_it(rights: Access, given: str) -> None:
    with pytest.raises(UsageError) as refused:
        rights.path(given)
    assert "no such file" not in str(refused.value)
    with pytest.raises(UsageError):
        rights.migration(given)


def test_a_database_that_is_missing_stays_missing(rights: Access) -> None:
    rights.app()
    assert not (rights.folder / ".greylag").exists()


def test_what_is_for_the_moment_goes_with_the_server(tmp_path: Path) -> None:
    with access(tmp_path, actor="kim") as rights:
        assert rights.scratch.is_dir()
    assert not rights.scratch.exists()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:0", ("::1", 0)),
        ("host.example:8765", ("host.example", 8765)),
    ],
)
def test_addresses(given: str, found: tuple[str, int]) -> None:
    assert parse_address(given) == found


@pytest.mark.parametrize("given", ["", "80", "host:", "host:x", "host:70000", ":80", "host:-1", "host:²"])
def test_no_addresses(given: str) -> None:
    with pytest.raises(UsageError, match="expected HOST:PORT"):
        parse_address(given)


def test_a_token_is_made_for_its_owner_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deep" / "token"
    token = read_token(file)
    assert len(token) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_token(file) == token
    said = capsys.readouterr()
    assert token not in said.out + said.err
    file.chmod(0o644)
    with pytest.raises(UsageError, match="others may read the token"):
        read_token(file)


@pytest.mark.parametrize("token", ["", "short", "x" * 15, "with a space in the middle", "ümlaut" * 5])
def test_what_is_no_token(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv(TOKEN, token)
    with pytest.raises(UsageError) as refused:
        read_token(None)
    assert token == "" or token not in str(refused.value)
