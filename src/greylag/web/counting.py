"""What is counted in this process, and what the database says, in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

import sqlalchemy as sa

from greylag.app.serving import Serving
from greylag.engine import hearts
from greylag.engine.store import Session
from greylag.engine.tables import deliveries, migrations, targets
from greylag.engine.world import PullState

Sample = tuple[Mapping[str, str], float]

LATE = timedelta(minutes=1)
"""A delivery that no campaign has acted upon for so long is late."""


class Counts:
    """Requests by what became of them; safe to use from several threads."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, what: str, source: str, outcome: str) -> None:
        """One more request: `hooks` of a forge, or `runs` of a source."""
        with self._lock:
            self._counts[what, source, outcome] += 1

    def total(self) -> dict[str, int]:
        """All of them by what and outcome."""
        found: Counter[str] = Counter()
        with self._lock:
            for (what, _, outcome), number in self._counts.items():
                found[f"{what}_{outcome}"] += number
        return dict(sorted(found.items()))

    def samples(self, what: str) -> list[Sample]:
        """Those of one kind."""
        with self._lock:
            return [
                ({"source": source, "outcome": outcome}, number)
                for (kind, source, outcome), number in sorted(self._counts.items())
                if kind == what
            ]


def metrics(serving: Serving, counts: Counts, waiting: int) -> str:
    """The text of `/metrics`."""
    with serving.store.read() as session:
        now = serving.clock.now()
        parts = [
            _metric("greylag_targets", "gauge", "Targets by state.", _targets(session)),
            _metric("greylag_open_pull_requests", "gauge", "Open pull requests of ours.", _open(session)),
            _metric(
                "greylag_deliveries_waiting",
                "gauge",
                "Deliveries that no campaign has acted upon yet.",
                [({}, _untaken(session))],
            ),
            _metric(
                "greylag_deliveries_late",
                "gauge",
                f"Those that wait for longer than {LATE.seconds} seconds.",
                [({}, _untaken(session, deliveries.c.received_at < now - LATE))],
            ),
            _metric(
                "greylag_leader_alive", "gauge", "Does anybody lead the campaign?", _led(session, serving)
            ),
        ]
    text = "Webhooks by what became of them."
    parts.append(_metric("greylag_hooks_total", "counter", text, counts.samples("hooks")))
    text = "Requests that tell of runs, by what became of them."
    parts.append(_metric("greylag_runs_total", "counter", text, counts.samples("runs")))
    text = "Requests that are not written down yet."
    parts.append(_metric("greylag_intake_waiting", "gauge", text, [({}, waiting)]))
    return "".join(parts)


def _metric(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{_labels(labels)} {number:g}" for labels, number in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{','.join(pairs)}}}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _targets(session: Session) -> list[Sample]:
    query = sa.select(targets.c.migration, targets.c.state, sa.func.count())
    query = query.group_by(targets.c.migration, targets.c.state)
    rows = session.connection.execute(query.order_by(targets.c.migration, targets.c.state))
    return [({"migration": row[0], "state": row[1]}, row[2]) for row in rows]


def _open(session: Session) -> list[Sample]:
    here = (targets.c.pull_state == PullState.OPEN.value) & targets.c.pull_number.is_not(None)
    query = sa.select(targets.c.migration, sa.func.count()).where(here).group_by(targets.c.migration)
    return [({"migration": row[0]}, row[1]) for row in session.connection.execute(query)]


def _untaken(session: Session, *more: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(deliveries).where(deliveries.c.taken_at.is_(None), *more)
    return int(session.connection.execute(query).scalar_one())


def leaders(session: Session, serving: Serving) -> dict[str, bool]:
    """Each campaign that is not over, and whether a living process leads it."""
    living = hearts.living(session, serving.life)
    rows = session.rows(sa.select(migrations.c.name).where(migrations.c.over_at.is_(None)))
    names = sorted(row["name"] for row in rows)
    if not serving.store.shared:
        return dict.fromkeys(names, bool(living))  # a file has one process, and that one leads
    return {name: hearts.leader(session, name) in living for name in names}


def _led(session: Session, serving: Serving) -> list[Sample]:
    return [({"migration": name}, int(alive)) for name, alive in leaders(session, serving).items()]
