"""A forge that answers nonsense, and people who write what looks like ours: nobody's words move anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.unit.forge.github_world import GitHubWorld, github_world, make_api

from greylag.forge import ForgeError
from greylag.forge.github import DIALECT
from greylag.forge.hosted import Client, Mirror, TokenAuth
from greylag.forge.hosted.api import Proposal
from greylag.forge.hosted.marker import Marker, mark, unmark


@contextmanager
def answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[str]:
    """A server that answers everything the same; `HERE` in a header is its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text.replace("HERE", address))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()


NONSENSE = [
    (200, {"Content-Type": "text/html"}, b"<html>sign in</html>", "no JSON"),
    (200, {}, b"", "no JSON"),
    (200, {}, b"[" * 100_000, "no JSON"),
    (200, {"Content-Encoding": "gzip"}, b"plain", "DecodingError"),
    (200, {}, b"null", "no page"),
    (302, {"Location": "http://localhost:1/elsewhere"}, b"", "302"),
    (200, {"Link": '<http://localhost:1/next>; rel="next"'}, b"[]", "another place"),
    (429, {"Retry-After": "²"}, b"", "429"),
]


@pytest.mark.parametrize(("status", "headers", "body", "words"), NONSENSE)
def test_nonsense_is_an_error_of_the_forge(
    status: int, headers: dict[str, str], body: bytes, words: str
) -> None:
    """What else is raised ends a campaign; whoever answers for the forge is not given our token."""
    with answering(status, headers, body) as address:
        auth = TokenAuth(SecretStr("t0ken"))
        client = Client(address, auth, dialect=DIALECT, tries=1, patience=0, sleep=lambda _: None)
        with pytest.raises(ForgeError, match=words) as told:
            list(client.pages("/list"))
    assert "t0ken" not in str(told.value)


def test_a_list_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greylag.forge.hosted.client._MOST_PAGES", 20)
    with answering(200, {"Link": '<HERE/list?page=2>; rel="next"'}, b"[]") as address:
        client = Client(address, TokenAuth(SecretStr("t0ken")), dialect=DIALECT, sleep=lambda _: None)
        with pytest.raises(ForgeError, match="does not end"):
            list(client.pages("/list"))


def test_anybody_may_write_a_marker() -> None:
    told: dict[str, object] = {
        "heads": 5, "labels": {"a": 1}, "reverts": "12", "head": ["x"], "base": None, "key": "m/r/1"
    }  # fmt: skip
    assert unmark(f"Hello\n\n<!-- greylag {json.dumps(told)} -->")[1] == Marker(key="m/r/1")
    for text in ('{"key": 5}', "[]", "[" * 100_000, '{"key": "m", "heads": [1, {}]'):
        assert unmark(f"<!-- greylag {text} -->")[1] is None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path) as made:
        yield made


def test_a_copied_description_makes_nothing_ours(world: GitHubWorld) -> None:
    """Somebody takes our text for a pull request of their own: ours stays ours, and theirs theirs."""
    spec = world.spec()
    pull = world.forge.open_or_update(spec)
    theirs = world.push("better", {"other.sql": b"theirs\n"})
    api = make_api(world.other)
    marker = Marker(key=spec.key, head=spec.head, heads=(theirs, spec.commit))
    made = api.create(
        world.name,
        Proposal(base="main", head="better", title="Better", body=mark("Mine", marker)),
    )
    api.label(world.name, made.number, ["greylag"])
    found = world.forge.find_key(world.name, spec.key)
    assert found is not None
    assert found.number == pull.number
    newer = world.forge.open_or_update(world.spec(b"select 3\nfrom a\nwhere x\n\n-- end\n"))
    assert newer.number == pull.number
    kept = api.pull(world.name, made.number)
    assert kept is not None
    assert (kept.title, kept.head_commit) == ("Better", theirs)


def test_a_marker_elsewhere_gives_away_nobodys_commit(world: GitHubWorld) -> None:
    """A person's commit on our branch stays, though another pull request calls it one of ours."""
    spec = world.spec()
    world.forge.open_or_update(spec)
    theirs = world.push(spec.head, {"q.sql": b"select 2 -- better\n"})
    world.push("trick", {"other.sql": b"x\n"})
    api = make_api(world.other)
    marker = Marker(key="x", head="another", heads=(theirs,))
    made = api.create(world.name, Proposal(base="main", head="trick", title="t", body=mark("b", marker)))
    api.label(world.name, made.number, ["greylag"])
    result = world.forge.open_or_update(world.spec(b"select 9\n"))
    assert result.head_commit == theirs


def test_a_comment_that_looks_like_ours_is_in_nobodys_way(world: GitHubWorld) -> None:
    pull = world.forge.open_or_update(world.spec())
    world.other.hub.repos[world.name].access["greylag-bot"] = "read"
    forged = '<!-- greylag {"comment": "reply:7"} -->\nTrust me.'
    world.say(pull.number, forged, may_write=False)
    for _ in range(2):
        world.forge.comment(world.name, pull.number, key="reply:7", body="Done.")
    said = [one.body for one in make_api(world.other).comments(world.name, pull.number)]
    assert said[0] == forged
    assert [one.endswith("Done.") for one in said].count(True) == 1


NAMES = ["-x/y", "a/-y", "../x", "a/..", "a//b", "a/b\0c", "a/b\nc", "a\\b", "/etc", "a/b/", "a/.git"]


def test_names_that_lead_elsewhere_are_no_names(world: GitHubWorld) -> None:
    api = make_api(world.other)
    for name in NAMES:
        for look in (Mirror(Path("mirrors"), api).path, lambda one: world.forge.find_key(one, "k")):
            with pytest.raises(ForgeError):
                look(name)
