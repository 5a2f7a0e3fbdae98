from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from greylag.agent.proxy import Redactor

SECRET = 'p@ss/word+with "quotes" 123'


@pytest.mark.parametrize(
    "text",
    [
        "sk-ant-api03-" + "a1B2" * 20,
        "sk-proj-" + "a1B2" * 10,
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 50,
        "glpat-" + "a" * 20,
        "xoxb-123456789012-abcdef",
        "AKIA" + "A" * 16,
        "AIza" + "a" * 35,
        "hf_" + "a" * 34,
        "dapi" + "0" * 32,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop",
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\ncut off here",
    ],
)
def test_forms_of_keys_go(text: str) -> None:
    assert Redactor()(f"before {text} after".replace(" after", "" if "cut" in text else " after")).startswith(
        "before [secret]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "SELECT user_id FROM core.users_v1 -- sk-short",
        "task-management-and-other-long-words-with-dashes",
        "https://example.com/path?x=1",
        "risk-" + "assessment_of_the_whole_portfolio",
        "commit 6b3f2a9c0d1e4f5a6b7c8d9e0f1a2b3c4d5e6f70",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor()(text) == text


def test_a_password_in_a_url_goes_and_the_host_stays() -> None:
    assert Redactor()("postgres://me:hunter2@db.example:5432/x") == "postgres://[secret]@db.example:5432/x"


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        quote(SECRET, safe=""),
        SECRET.encode().hex(),
        *(base64.b64encode(b"x" * n + SECRET.encode() + b"yz").decode() for n in range(4)),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_literal_goes_in_every_spelling(spelling: str) -> None:
    redactor = Redactor(literals=[SECRET])
    assert redactor.holds_own(f"a {spelling} b")
    assert spelling not in redactor.own(f"a {spelling} b")
    assert "[secret]" in redactor(f"a {spelling} b")


def test_short_literals_are_no_literals() -> None:
    redactor = Redactor(literals=["admin", ""])
    assert redactor("the admin table") == "the admin table"


def test_data_is_redacted_in_depth_and_twice_is_once() -> None:
    redactor = Redactor(literals=[SECRET])
    data = {"a": [SECRET, 1, None, {SECRET: f"x{SECRET}"}], "b": ("AKIA" + "B" * 16,)}
    once = redactor.in_data(data)
    assert SECRET not in json.dumps(once)
    assert redactor.in_data(once) == once
    assert once["b"] == ["[secret]"]


def test_own_patterns_and_no_secret_in_the_repr() -> None:
    redactor = Redactor(patterns=[r"ticket-\d+"], literals=[SECRET])
    assert redactor("ticket-12 is open") == "[secret] is open"
    assert SECRET not in repr(redactor)
