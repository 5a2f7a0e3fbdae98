"""`main JOB RESULT`: does the job of the one JSON file, and writes what was seen to the other."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from greylag.verify.spark_worker.confine import cut_off
from greylag.verify.spark_worker.names import Names
from greylag.verify.spark_worker.wire import canonical, fault_text
from greylag.verify.spark_worker.world import World


def rounds(job: dict[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """The runs of every round: the old version twice (rows in another order), the new one, wrong mappings."""
    world = World(Names(job["names"]), folder)
    trees = {which: ast.parse(text) for which, text in job["texts"].items()}
    told: set[tuple[int, int]] = set()

    def runs(which: str, tables: list[str], entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        world.load(tables)
        return [world.run(trees[which], entry) for entry in entries]

    for each in job["rounds"]:
        old, new = each["old"], each["new"]
        base = runs("old", each["tables"] + each["views"], old)
        result = {
            "old": base,
            "again": runs("old", each["shuffled"] + each["views"], old),
            "new": runs("new", each["tables"], new),
        }
        plain = [canonical(run) for run in base]
        for number, wrong in enumerate(each["wrong"]):
            places = [place for place in wrong["entries"] if (number, place) not in told]
            if places and each["rows"]:
                made = runs("old", each["tables"] + wrong["views"], [old[place] for place in places])
                for place, run in zip(places, made, strict=True):
                    if run["fault"] is None and canonical(run) != plain[place]:
                        told.add((number, place))
        yield {**result, "told": sorted(told)}
        if [canonical(run) for run in result["new"]] != plain:
            return


def main() -> None:
    """Do the job, and write what was seen."""
    job_file, result_file = Path(sys.argv[2]), Path(sys.argv[3])
    job = json.loads(job_file.read_text())
    network = cut_off()
    sys.argv = ["consumer"]
    answer: dict[str, Any] = {"network": network, "rounds": []}
    try:
        for one in rounds(job, job_file.parent):
            answer["rounds"].append(one)
            # After every round: what was done before the time is up counts.
            part = result_file.with_suffix(".part")
            part.write_text(json.dumps(answer))
            part.replace(result_file)
    except Exception as error:  # noqa: BLE001 - the answer says what went wrong
        answer["fault"] = fault_text(error)
        result_file.write_text(json.dumps(answer))
