"""What guards, proof and a judge stop of the labelled patches in `tests/labelled/diffs`, kind by kind.

Guards and proof are as they are. The judge is a model where one is named in the environment: BENCH_JUDGE_URL
(the part before `/v1/…`), BENCH_JUDGE_API (anthropic, openai-chat, openai-responses), BENCH_JUDGE_MODEL, and
its key in BENCH_JUDGE_KEY; else none is asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import httpx
from tests.labelled.diffs.scoring import End, Scored, alone, judged, table

from bench.figure import Figure
from greylag.verify.judge import Judge, Post, asked_over


def run() -> list[Figure]:
    """One figure a kind: how many of its patches became a pull request; then the sums."""
    scored = list(alone("full"))
    figures = _kinds("without a judge", scored) + _sums("without a judge", scored)
    judge = _judge()
    if judge is None:
        sys.stderr.write("no judge: BENCH_JUDGE_URL is not set\n")
        return figures
    voted = [judged(one, judge) for one in scored]
    return figures + _kinds("with the judge", voted) + _sums("with the judge", voted)


def _kinds(by: str, scored: list[Scored]) -> list[Figure]:
    figures: list[Figure] = []
    for label, ends in table(scored):
        total = sum(ends.values())
        through = ends.get(End.PROPOSED, 0) + ends.get(End.MERGED, 0)
        names = [f"{one.diff.source}#{one.diff.number}" for one in scored if one.diff.label == label]
        out = [not one.stopped for one in scored if one.diff.label == label]
        # Of right ones it is told who was refused, of the others who got through.
        told = [name for name, passed in zip(names, out, strict=True) if passed is (label != "right")]
        figures.append(
            Figure(
                name=f"{by}: {label}, through",
                value=through,
                unit="patches",
                baseline="of",
                baseline_value=total,
                note=f"{'refused' if label == 'right' else 'through'}: {', '.join(told)}" if told else "",
            )
        )
    return figures


def _sums(by: str, scored: list[Scored]) -> list[Figure]:
    wrong = [one for one in scored if not one.diff.right]
    right = [one for one in scored if one.diff.right]
    merged = [one for one in wrong if one.end is End.MERGED]
    return [
        Figure(
            name=f"{by}: wrong, proposed to a person",
            value=sum(not one.stopped for one in wrong),
            unit="patches",
            baseline="of",
            baseline_value=len(wrong),
        ),
        Figure(
            name=f"{by}: right, refused",
            value=sum(one.stopped for one in right),
            unit="patches",
            baseline="of",
            baseline_value=len(right),
        ),
        Figure(
            name=f"{by}: wrong, merged without a person",
            value=len(merged),
            unit="patches",
            target=0,
            note=", ".join(str(one.diff) for one in merged),
        ),
    ]


def _judge() -> Judge | None:
    url = os.environ.get("BENCH_JUDGE_URL")
    if url is None:
        return None
    api = os.environ.get("BENCH_JUDGE_API", "anthropic")
    ask = asked_over(
        _post(url, os.environ.get("BENCH_JUDGE_KEY", "")), api=api, model=os.environ["BENCH_JUDGE_MODEL"]
    )
    return Judge(ask=ask)


def _post(url: str, key: str) -> Post:
    client = httpx.Client(base_url=url, timeout=120, headers={"anthropic-version": "2023-06-01"})

    def post(path: str, body: Mapping[str, object]) -> Mapping[str, Any]:
        sent = {"x-api-key": key, "authorization": f"Bearer {key}"}
        answer = client.post(path, json=body, headers=sent)
        answer.raise_for_status()
        return dict(answer.json())

    return post
