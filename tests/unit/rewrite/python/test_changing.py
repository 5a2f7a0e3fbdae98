"""A program that changes the text of its query would change the text of a mapping that is put into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from greylag.domain.outcome import Edited, Skipped
from greylag.mapping import load_migration_text
from greylag.rewrite.python import rewrite_python

MIGRATION = load_migration_text(
    """
name: m
dialect: bigquery
replaces:
  - dataset: prod.core.users_v1
    columns: {user_id: STRING, plan: STRING}
    as: |
      SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
      FROM prod.core.users_v2
      WHERE device = 'ALL'
provides:
  - dataset: prod.core.users_v2
    columns: {account_id: STRING, tier: INT64, device: STRING}
""",
    path="m.yaml",
    base=Path(),
)
QUERY = "query = \"SELECT user_id FROM prod.core.users_v1 WHERE plan = 'premium'\"\n"


@pytest.mark.parametrize(
    "use",
    [
        "client.query(query.lower())",
        "client.query(query.replace('premium', other))",
        "query = query.replace('user_id', other)\nclient.query(query)",
        "client.query(query.replace(old, new))",
        "client.query(query[:-9] + \"'basic'\")",
        "client.query(query.split('WHERE')[0])",
        "client.query((query + ' LIMIT 1').upper())",
        "client.query(re.sub('prem.um', other, query))",
        "client.query(re.sub(pattern, other, query))",
        "client.query(textwrap.shorten(query, 200))",
    ],
)
def test_a_changed_text_is_left_alone(use: str) -> None:
    outcome = rewrite_python("job.py", f"{QUERY}{use}\n", MIGRATION)
    assert isinstance(outcome, Skipped), outcome
    assert {reason.code for reason in outcome.reasons} == {"dynamic-sql"}


@pytest.mark.parametrize(
    "use",
    [
        "client.query(query.strip())",
        "client.query(query.replace('@@DAY', day))",
        "client.query(query.split(';')[0])",
        "client.query(re.sub('@@[A-Z]+', day, query))",
        "if query.startswith('SELECT'): client.query(query)",
        "client.query(query)\nprint(len(query), query.count('x'))",
    ],
)
def test_what_is_changed_elsewhere_is_not_the_mapping(use: str) -> None:
    outcome = rewrite_python("job.py", f"{QUERY}{use}\n", MIGRATION)
    assert isinstance(outcome, Edited), outcome
