"""What we say on a pull request besides its text: comments, labels, reviewers, checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from greylag.domain.check import Check
from greylag.forge.base import Comment
from greylag.forge.github.client import Client, Refused, Unavailable
from greylag.forge.github.marker import mark_comment
from greylag.forge.github.reading import (
    PREFIX,
    TO_CONCLUSION,
    TO_STATE,
    comments_of,
    run_check,
    status_check,
)

_TRIES = 3
_DESCRIPTION = 140
_SUMMARY = 60_000


def comments(client: Client, repository: str, number: int) -> dict[str, tuple[int, Comment]]:
    """Our comments by key, with the forge's number of each."""
    return comments_of(client.pages(f"/repos/{repository}/issues/{number}/comments"))


def say(client: Client, repository: str, number: int, key: str, body: str) -> None:
    """Say something once per key. It is looked for before each try: an answer may get lost."""
    text = mark_comment(key, body)
    for attempt in range(_TRIES):
        known = comments(client, repository, number).get(key)
        if known is not None:
            if known[1].body != body:
                client.send("PATCH", f"/repos/{repository}/issues/comments/{known[0]}", {"body": text})
            return
        path = f"/repos/{repository}/issues/{number}/comments"
        try:
            client.send("POST", path, {"body": text}, repeat=False)
            return
        except Unavailable:
            if attempt == _TRIES - 1:
                raise
            client.sleep(2.0**attempt)


def label(client: Client, repository: str, document: Mapping[str, Any], wanted: Sequence[str]) -> bool:
    """Add labels that are missing; those of people stay. Says whether something was done."""
    there = {one["name"] for one in document.get("labels") or ()}
    missing = [name for name in dict.fromkeys(wanted) if name not in there]
    if missing:
        number = document["number"]
        client.send("POST", f"/repos/{repository}/issues/{number}/labels", {"labels": missing})
    return bool(missing)


def ask(
    client: Client, repository: str, document: Mapping[str, Any], wanted: Sequence[str]
) -> tuple[bool, tuple[str, ...]]:
    """Ask for reviews. `wanted` are `@user` and `@org/team`.

    Returns whether somebody was asked, and those who cannot be: no such account, or not in this repository.
    """
    people = {f"@{one['login']}".lower() for one in document.get("requested_reviewers") or ()}
    people.add(f"@{document['user']['login']}".lower())  # nobody reviews their own
    teams = {f"/{one['slug']}".lower() for one in document.get("requested_teams") or ()}
    missing = [
        one
        for one in dict.fromkeys(wanted)
        if one.lower() not in people and one[one.find("/") :].lower() not in teams
    ]
    if not missing:
        return False, ()
    path = f"/repos/{repository}/pulls/{document['number']}"
    reviewed = {f"@{(one.get('user') or {}).get('login')}" for one in client.pages(f"{path}/reviews")}
    asked, impossible = False, []
    for one in missing:
        if one in reviewed:
            continue
        # One at a time: a single unknown name makes GitHub refuse all of them.
        name = one.removeprefix("@")
        body = {"team_reviewers": [name.split("/")[1]]} if "/" in name else {"reviewers": [name]}
        try:
            if not one.startswith("@"):
                impossible.append(one)  # an address of mail is no account
                continue
            client.send("POST", f"{path}/requested_reviewers", body)
            asked = True
        except Refused as error:
            if error.status not in (403, 404, 422):
                raise
            impossible.append(one)
    return asked, tuple(impossible)


def checks(client: Client, repository: str, commit: str) -> dict[str, Check]:
    """Statuses and check runs of a commit, ours by verifier, others as the forge calls them."""
    here = f"/repos/{repository}/commits/{commit}"
    found = [(one["context"], status_check(one)) for one in client.pages(f"{here}/status", "statuses")]
    runs = client.pages(f"{here}/check-runs", "check_runs")
    found += [(one["name"], run_check(one)) for one in runs]
    # Ours last: what others call like a verifier of ours does not stand for it.
    found.sort(key=lambda one: (str(one[0]).startswith(PREFIX), one[1].verifier))
    return {check.verifier: check for _, check in found}


def set_check(client: Client, repository: str, commit: str, check: Check, url: str) -> None:
    """Tell a check: as a check run with its evidence where we are an App, else as a commit status."""
    name = f"{PREFIX}{check.verifier}"
    if not client.auth.app:
        body = {
            "context": name,
            "state": TO_STATE[check.status],
            "description": _cut(check.summary, _DESCRIPTION),
            "target_url": url,
        }
        client.send("POST", f"/repos/{repository}/statuses/{commit}", body)
        return
    runs = client.pages(f"/repos/{repository}/commits/{commit}/check-runs", "check_runs", check_name=name)
    known = next((one["id"] for one in runs if one["name"] == name), None)
    output = {"title": check.status.value, "summary": _cut(check.summary, _SUMMARY) or "-"}
    document = {
        "name": name,
        "head_sha": commit,
        "status": "completed",
        "conclusion": TO_CONCLUSION[check.status],
        "details_url": url,
        "output": output,
    }
    if check.details:
        evidence = json.dumps(dict(check.details), indent=1, default=str, ensure_ascii=False)
        output["text"] = "~~~json\n" + _cut(evidence, _SUMMARY) + "\n~~~"
    # Made twice, it is replaced: of one name, the newest counts.
    if known is None:
        client.send("POST", f"/repos/{repository}/check-runs", document)
    else:
        client.send("PATCH", f"/repos/{repository}/check-runs/{known}", document)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
