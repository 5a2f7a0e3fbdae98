"""Generated JSON holds the paths that queries ask for."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from greylag.domain.check import Verdict
from greylag.mapping import load_migration_text
from greylag.verify import prove
from greylag.verify.documents import Document

MIGRATION = """
name: clicks-v2
dialect: postgres
replaces:
  - dataset: web.clicks
    columns: {uid: INTEGER, page: TEXT, age: INTEGER}
    as: SELECT uid, body -> 'at' ->> 'page' AS page, CAST(body ->> 'age' AS INTEGER) AS age FROM web.clicks_v2
provides:
  - dataset: web.clicks_v2
    columns: {uid: INTEGER, body: JSON}
"""
OLD = "SELECT uid, page FROM web.clicks WHERE age >= 18"


def test_a_document_has_the_keys_and_the_texts_near_what_is_asked() -> None:
    document = Document(
        keys={"at": Document(keys={"page": Document(texts={"/a"})}), "n": Document(number=True)}
    )
    rng = random.Random(0)
    made = [json.loads(document.draw(rng, 5)) for _ in range(200)]
    pages = {(each.get("at") or {}).get("page") for each in made}
    assert {"/a", "/A", "/a ", "", None} <= pages
    assert {type(each["n"]) for each in made if "n" in each} == {int, type(None)}
    assert any("at" not in each for each in made)


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (
            "SELECT uid, (body -> 'at') ->> 'page' AS page FROM web.clicks_v2 "
            "WHERE NOT CAST(body ->> 'age' AS INTEGER) < 18",
            Verdict.TESTED,
        ),
        (
            "SELECT uid, body ->> 'page' AS page FROM web.clicks_v2 "
            "WHERE CAST(body ->> 'age' AS INTEGER) >= 18",
            Verdict.REFUTED,
        ),
        (
            "SELECT uid, body -> 'at' ->> 'page' AS page FROM web.clicks_v2 WHERE body ->> 'age' >= '18'",
            Verdict.REFUTED,
        ),
    ],
)
def test_paths_are_told_apart(new: str, verdict: Verdict) -> None:
    migration = load_migration_text(MIGRATION, path="clicks.yaml", base=Path())
    found = prove(OLD, new, migration)
    if verdict is Verdict.TESTED:
        assert found.verdict in {Verdict.TESTED, Verdict.PROVEN}, found.reasons
    else:
        assert found.verdict is verdict, found.reasons
