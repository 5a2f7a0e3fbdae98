"""Commands in comments: what is one, and what only looks like one."""

from __future__ import annotations

import pytest

from greylag.engine.commands import Answer, Help, Override, Unknown, Verb, commands_of

ONE = Answer(key="a.b", value="x + 1")

FOUND = {
    "alone": ("/greylag answer a.b x + 1", (ONE,)),
    "between lines": ("Thanks!\r\n  /greylag answer a.b x + 1  \r\nBye", (ONE,)),
    "as code": ("/greylag answer `a.b` `x + 1`", (ONE,)),
    "code with backticks inside": (
        "/greylag answer a.b `a`.`b`",
        (Answer(key="a.b", value="`a`.`b`"),),
    ),
    "capitals": ("/Greylag ANSWER a.b x + 1", (ONE,)),
    "words": (
        "/greylag answer q-0123456789ab Yes, all of them.",
        (Answer(key="q-0123456789ab", value="Yes, all of them."),),
    ),
    "two": ("/greylag answer a.b x + 1\n\n/greylag answer c.d skip", (ONE, Answer(key="c.d", value="skip"))),
    "behind a closed block": ("```\nx\n```\n/greylag answer a.b x + 1", (ONE,)),
    "behind a quotation and an empty line": ("> so?\n\n/greylag answer a.b x + 1", (ONE,)),
    "skip": ("/greylag skip because  it is\tfrozen", (Override(verb=Verb.SKIP, because="it is frozen"),)),
    "skip, with a colon": ("/greylag Skip because: x", (Override(verb=Verb.SKIP, because="x"),)),
    "others": (
        "/greylag retry\n/greylag take\n/greylag approve\n/greylag help",
        (*(Override(verb=verb) for verb in (Verb.RETRY, Verb.TAKE, Verb.APPROVE)), Help()),
    ),
    "more words": ("/greylag approve not", (Unknown(text="/greylag approve not"),)),
    "no reason": ("/greylag retry because", (Unknown(text="/greylag retry because"),)),
    "help with words": ("/greylag help me", (Unknown(text="/greylag help me"),)),
    "no value": ("/greylag answer a.b", (Unknown(text="/greylag answer a.b"),)),
    "empty value": ("/greylag answer a.b ``", (Answer(key="a.b", value="``"),)),
    "another word": ("/greylag merge now", (Unknown(text="/greylag merge now"),)),
    "nothing": ("/greylag", (Unknown(text="/greylag"),)),
}
NONE = {
    "no command": "please answer a.b",
    "within a line": "I would say /greylag answer a.b 1",
    "quoted": "> /greylag answer a.b 1",
    "quoted, without a mark of its own": "> they said\n/greylag answer a.b 1",
    "quoted in a list": "- /greylag answer a.b 1",
    "a block": "```\n/greylag answer a.b 1\n```",
    "a block of another kind": "~~~sql\n/greylag answer a.b 1\n~~~",
    "a block within a longer one": "````\n```\n/greylag answer a.b 1\n```\n````",
    "a block that is not closed": "```\n/greylag answer a.b 1",
    "indented": "    /greylag answer a.b 1",
    "behind a tab": "\t/greylag answer a.b 1",
    "in a line of code": "`/greylag answer a.b 1`",
    "hidden": "<!--\n/greylag answer a.b 1\n-->",
    "hidden to the end": "<!--\n/greylag answer a.b 1",
    "preformatted": "<pre>\n/greylag answer a.b 1\n</pre>",
    "a quotation in HTML": "<blockquote>\n\n/greylag answer a.b 1\n\n</blockquote>",
    "a longer word": "/greylagger answer a.b 1",
    "beyond what is read": "x" * 70000 + "\n/greylag answer a.b 1",
}


@pytest.mark.parametrize("name", FOUND)
def test_commands(name: str) -> None:
    body, expected = FOUND[name]
    assert commands_of(body) == expected


@pytest.mark.parametrize("name", NONE)
def test_no_commands(name: str) -> None:
    assert commands_of(NONE[name]) == ()


def test_there_is_an_end_to_it() -> None:
    assert len(commands_of("/greylag answer a.b 1\n" * 500)) == 20


QUOTED_OR_CODE = [
    ">>>\nShe wrote:\n\n/greylag approve\n>>>",  # GitLab's quotation
    "```\n<!--\n```\n-->\n```\n/greylag approve\n```",  # what a block holds opens nothing outside of it
    "Say `\n/greylag approve\n` for that",
    "``\n/greylag approve\n``",
    "<samp>\n/greylag approve\n</samp>",
]


@pytest.mark.parametrize("body", QUOTED_OR_CODE)
def test_what_is_shown_as_a_quotation_or_as_code_decides_nothing(body: str) -> None:
    assert commands_of(body) == ()
    assert commands_of(f"{body}\n\n/greylag take") == (Override(verb=Verb.TAKE),)
