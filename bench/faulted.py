"""One process of a campaign that things go wrong with: `python -m bench.faulted run|worker FOLDER DATABASE`.

Its clock is the machine's and what stands in FOLDER/offset (seconds): who writes there lets it jump.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from greylag.app import App, Settings, build
from greylag.domain.check import CheckStatus
from greylag.rollout.health import Reading, Subject

LIFE = timedelta(seconds=4)


class JumpingClock:
    """The machine's clock, with jumps; it looks for them five times a second."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        """The time."""
        seconds = 0.0
        with suppress(OSError, ValueError):
            seconds = float(self._file.read_text(encoding="ascii"))
        return datetime.now(UTC) + timedelta(seconds=seconds)

    def sleep_until(self, when: datetime, wake: threading.Event) -> None:
        """Sleep a little."""
        wake.wait(min(max((when - self.now()).total_seconds(), 0.0), 0.2))


class SomeSick:
    """Health: repositories whose name says so fail after every merge."""

    def read(self, subject: Subject, now: datetime) -> Reading:
        """See `HealthSource`."""
        if subject.merged_at is not None and subject.repository.startswith("sick"):
            return Reading(status=CheckStatus.FAILED, detail="a column is missing", at=now)
        return Reading(status=CheckStatus.PASSED, detail="the last run succeeded", at=now)


def app_on(folder: Path, url: str) -> App:
    """The application over FOLDER/fleet."""
    settings = Settings(
        fleet=folder / "fleet",
        database=url,
        workers=2,
        time_to_live=LIFE,
    )
    return build(settings, clock=JumpingClock(folder / "offset"), health=SomeSick())


def main() -> None:
    """Run the campaign until it is over or waits for people only, and say so; or work until killed."""
    role, folder, url = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    app = app_on(folder, url)
    if role == "worker":
        with app.serve():
            print("ready", flush=True)
            while True:
                time.sleep(60)
    campaign = app.campaign(str(folder / "shop.migration.yaml"))
    print("ready", flush=True)
    with app.lock():
        outcome = campaign.run()
    waits = sorted({wait.kind.value for wait in outcome.decision.waits})
    print(json.dumps({"over": outcome.over, "waits": waits}), flush=True)


if __name__ == "__main__":
    main()
