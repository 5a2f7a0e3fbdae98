"""Our own tables: the truth of every campaign. SQLite by default, PostgreSQL by URL.

A new table or column: raise SCHEMA_VERSION, and write a revision in `upgrades/versions` that adds it
(docs/operations.md says what an upgrade may do).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

SCHEMA_VERSION = 5

metadata = sa.MetaData()


class Words(sa.types.TypeDecorator[str]):
    """Text, compared by its bytes on every database, whatever the language of the server is.

    A member of an enumeration is kept as its value. PostgreSQL's text has no NUL: its picture stands for it.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """The order of bytes is SQLite's own."""
        text = sa.Text(collation="C") if dialect.name == "postgresql" else sa.Text()
        return dialect.type_descriptor(text)

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """A driver may write the name of an enumeration's member instead of its value."""
        if value is None:
            return None
        text = str(value)
        return text.replace("\x00", "\N{SYMBOL FOR NULL}") if dialect.name == "postgresql" else text


def words() -> Words:
    """The type of a column of text."""
    return Words()


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept as ISO 8601 text in UTC: sorts as time, and reads the same on every
    database.
    """

    impl = sa.String(40)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Compared by its bytes, as `Words`."""
        text = sa.String(40, collation="C") if dialect.name == "postgresql" else sa.String(40)
        return dialect.type_descriptor(text)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        """To text; a naive time would be a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


def _text(name: str, *, key: bool = False, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, Words, primary_key=key, nullable=null and not key)


def _number(name: str, default: int | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=default is None, default=default)


_NEXT_CHANGE = sa.text("(SELECT COALESCE(MAX(changed), 0) + 1 FROM targets)")
"""Each statement that adds or changes rows of `targets` gives them the next number: see `pictures`."""

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))
"""What every program looks at first; an earlier one refuses a later version by it."""

schema_upgrades = sa.Table(
    "schema_upgrades", metadata, sa.Column("version_num", sa.String(32), primary_key=True)
)
"""Alembic's own record of the revision that was reached: always that of `schema_version`."""

migrations = sa.Table(
    "migrations",
    metadata,
    _text("name", key=True),
    _text("path", null=False),
    _text("text", null=False),
    _text("source", null=False),
    _text("mode", null=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("over_at", Instant),
    _text("scanned"),
)

targets = sa.Table(
    "targets",
    metadata,
    _text("migration", key=True),
    _text("repository", key=True),
    _text("state", null=False),
    _number("seq", 0),
    _number("attempt", 1),
    _number("extra", 0),
    _number("consumers", 0),
    sa.Column("owners", sa.JSON, nullable=False, default=list),
    _number("wave"),
    _text("base"),
    _text("commit_id"),
    _text("digest"),
    _text("source"),
    _text("verdict"),
    sa.Column("questions", sa.JSON, nullable=False, default=list),
    _text("reason", null=False),
    _text("context", null=False),
    _number("pull_number"),
    _text("pull_url"),
    _text("pull_state"),
    _text("title"),
    _text("body"),
    _text("approved_by"),
    _text("approved_digest"),
    _text("accepted_by"),
    _text("revert_wanted"),
    _text("baseline"),
    sa.Column("merged_at", Instant),
    _text("merged_commit"),
    sa.Column("proved_at", Instant),
    sa.Column("reverted_at", Instant),
    sa.Column("checked_at", Instant),
    _number("heard"),
    _number("errors", 0),
    sa.Column("not_before", Instant),
    sa.Column("waits", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("changed", sa.Integer, default=_NEXT_CHANGE, onupdate=_NEXT_CHANGE),
    sa.Index("targets_by_change", "changed"),
    sa.Index("targets_by_state", "state", "migration"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _text("migration", key=True),
    _text("repository", key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    _text("form"),
    _text("base"),
    _text("commit_id"),
    _text("verdict"),
    _number("pull_number"),
    _text("merged_commit"),
    _text("outcome", null=False),
    _text("note", null=False),
    sa.Column("at", Instant, nullable=False),
)

consumers = sa.Table(
    "consumers",
    metadata,
    _text("migration", key=True),
    _text("key", key=True),
    _text("repository", null=False),
    _text("path", null=False),
    _text("dataset", null=False),
    _text("framework", null=False),
    _number("line", 0),
    _number("column", 0),
    sa.Column("columns", sa.JSON, nullable=False, default=list),
    _text("owner"),
    sa.Column("evidence", sa.JSON, nullable=False, default=list),
    _text("outcome", null=False),
    _text("form"),
    _text("verdict"),
    _text("method"),
    sa.Column("reasons", sa.JSON, nullable=False, default=list),
    sa.Column("questions", sa.JSON, nullable=False, default=list),
    sa.Column("found_at", Instant, nullable=False),
    sa.Column("retired_at", Instant),
    sa.Index("consumers_by_repository", "migration", "repository"),
)

leftovers = sa.Table(
    "leftovers",
    metadata,
    _text("migration", key=True),
    _text("repository", key=True),
    _text("path", key=True),
    _text("idiom", null=False),
)
"""Files that codemods left over, and that an agent may try: as the last rewrite found them."""

agent_runs = sa.Table(
    "agent_runs",
    metadata,
    _text("migration", key=True),
    _text("repository", key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),
    _text("brief"),
    _text("agent"),
    _text("model"),
    _text("end"),
    _text("reason", null=False),
    _text("verdict"),
    _number("rounds", 0),
    sa.Column("idioms", sa.JSON, nullable=False, default=dict),
    sa.Column("changes", sa.JSON, nullable=False, default=dict),
    sa.Column("before", sa.JSON, nullable=False, default=dict),
    sa.Column("checks", sa.JSON, nullable=False, default=list),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
)
"""One row a run of an agent; `end` is empty while it runs. `changes`, `before` and `idioms` are by path."""

agent_calls = sa.Table(
    "agent_calls",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("migration", null=False),
    _text("repository", null=False),
    _number("attempt", 1),
    _number("run", 1),
    _text("model", null=False),
    _text("request", null=False),
    _text("status", null=False),
    sa.Column("reserved", sa.Float, nullable=False, default=0.0),
    sa.Column("cost", sa.Float, nullable=False, default=0.0),
    _number("input_tokens", 0),
    _number("output_tokens", 0),
    _number("cached_tokens", 0),
    sa.Column("at", Instant, nullable=False),
    sa.Index("agent_calls_by_target", "migration", "repository"),
    sa.Index("agent_calls_by_time", "at"),
)
"""One row a call of a model, written before it is made: what is reserved counts as spent until settled."""

questions = sa.Table(
    "questions",
    metadata,
    _text("migration", key=True),
    _text("key", key=True),
    _text("text", null=False),
    _text("answer"),
    _text("answered_by"),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("answered_at", Instant),
    sa.Column("kind", Words, nullable=False, default="column"),
    sa.Column("options", sa.JSON, nullable=False, default=list),
    sa.Column("asked_by", sa.JSON, nullable=False, default=list),
)
"""`kind` is column or agent; `asked_by` are the places where an agent's question came up."""

remarks = sa.Table(
    "remarks",
    metadata,
    _text("migration", key=True),
    _text("id", key=True),
    _text("repository", null=False),
    _number("number", 0),
    _text("author", null=False),
    sa.Column("answered", sa.JSON, nullable=False, default=list),
    _text("reply", null=False),
    _number("replied", 0),
    sa.Column("at", Instant, nullable=False),
)
"""Comments of people that were commands: each is acted on once. `answered` are the keys that it answered."""

remark_marks = sa.Table(
    "remark_marks",
    metadata,
    _text("migration", key=True),
    _text("mark", null=False),
)
"""Up to where the comments of a campaign's pull requests were read, in the forge's own words."""

waves = sa.Table(
    "waves",
    metadata,
    _text("migration", key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    _number("size", 0),
    _number("reverts", 0),
    _text("held"),
)

leases = sa.Table(
    "leases",
    metadata,
    _text("repository", key=True),
    _text("migration", null=False),
    sa.Column("since", Instant, nullable=False),
)

claims = sa.Table(
    "claims",
    metadata,
    _text("migration", key=True),
    _text("target", key=True),
    _text("kind", key=True),
    _text("path", key=True),
    _text("repository", null=False),
    sa.Index("claims_by_path", "repository", "path"),
)
"""Of parts of repositories, the files that a patch changes (`wanted`), and a pull request holds (`open`)."""

dependencies = sa.Table(
    "dependencies",
    metadata,
    _text("migration", key=True),
    _text("repository", key=True),
    _text("upstream", key=True),
    _text("dataset", null=False),
    sa.Column("evidence", sa.JSON, nullable=False, default=list),
)
"""Which targets read what others build, as the last scan found it. `evidence`: where it is read and built."""

pauses = sa.Table(
    "pauses",
    metadata,
    _text("migration", key=True),
    _text("kind", key=True),
    _text("repository", key=True),
    _text("reason", null=False),
    sa.Column("since", Instant, nullable=False),
)
"""Kinds of edits that made a target unhealthy: others with such an edit wait until it is judged."""

followed = sa.Table(
    "followed",
    metadata,
    _text("repository", key=True),
    _text("commit_id", key=True),
    sa.Column("since", Instant, nullable=False),
)
"""When everything that runs a repository was first seen to run a merge."""

turns = sa.Table(
    "turns",
    metadata,
    _text("repository", key=True),
    sa.Column("instances", sa.JSON, nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
)
"""Merges that were let through a moment ago, with the names of what runs them."""

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("migration", null=False),
    _text("repository", null=False),
    _number("attempt", 1),
    _text("status", null=False),
    _text("detail", null=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("readings_by_target", "migration", "repository", "attempt"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("migration", null=False),
    _text("kind", null=False),
    _text("repository"),
    _number("wave"),
    _text("actor", null=False),
    _text("message", null=False),
    sa.Column("data", sa.JSON, nullable=False, default=dict),
    sa.Column("at", Instant, nullable=False),
    sa.Index("events_by_migration", "migration", "id"),
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    _text("executor", key=True),
    _text("host", null=False),
    _number("pid", 0),
    sa.Column("beat_at", Instant, nullable=False),
)

coordinators = sa.Table("coordinators", metadata, _text("migration", key=True), _text("executor", null=False))
"""Which executor leads a campaign: it looks and decides, until it ends or its heart stops beating."""

notices = sa.Table(
    "notices",
    metadata,
    _text("migration", key=True),
    _text("key", key=True),
    _text("recipient", key=True),
    _text("kind", null=False),
    _text("text", null=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("claimed_at", Instant),
    sa.Column("sent_at", Instant),
)
"""What people are told, each once; and, by their own kinds, what is broken, and how far it was read."""

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("forge", null=False),
    _text("delivery", null=False),
    _text("repository", null=False),
    _text("kind", null=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("taken_at", Instant),
    sa.Index("deliveries_by_name", "forge", "delivery", unique=True),
    sa.Index("deliveries_waiting", "taken_at"),
)
"""What forges told by webhook, each delivery once. No repository: some may be missing, look everywhere."""

pushed_runs = sa.Table(
    "pushed_runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("source", null=False),
    _text("key", null=False),
    _text("repository", null=False),
    _text("job", null=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Index("pushed_runs_by_key", "source", "key", unique=True),
    sa.Index("pushed_runs_by_repository", "repository", "id"),
    sa.Index("pushed_runs_by_job", "source", "job"),
)
"""Runs that pipelines told of. `repository` is whom it wakes: one, `*` for several, or none that is known."""

parcels = sa.Table(
    "parcels",
    metadata,
    _text("migration", key=True),
    _text("repository", key=True),
    _text("commit_id", key=True),
    _text("base", null=False),
    sa.Column("pack", sa.LargeBinary),
    sa.Column("at", Instant, nullable=False),
)
"""Commits that we made for a target's branch, where each machine has copies of its own. `pack`: what is new
in the latest of them.
"""

receivers = sa.Table(
    "receivers",
    metadata,
    _text("receiver", key=True),
    sa.Column("beat_at", Instant, nullable=False),
)
"""Processes that take deliveries in now: without a living one, forges are asked as if there were none."""
