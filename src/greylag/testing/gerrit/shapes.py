"""Entities as Gerrit's REST API shapes them (Documentation/rest-api-changes.txt)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from greylag.testing.gerrit.hub import GerritHub
from greylag.testing.gerrit.rules import requirements, unmet
from greylag.testing.gerrit.values import Change, GerritRepo, PatchSet, account_id, moment


def account(login: str, *, detailed: bool = True) -> dict[str, Any]:
    """An account; without DETAILED_ACCOUNTS only its number."""
    found: dict[str, Any] = {"_account_id": account_id(login)}
    if detailed:
        found |= {"name": login.capitalize(), "username": login, "email": f"{login}@example.org"}
    return found


def project(repo: GerritRepo) -> dict[str, Any]:
    """A project."""
    return {
        "id": repo.full_name.replace("/", "%2F"),
        "name": repo.full_name,
        "parent": "All-Projects",
        "state": "READ_ONLY" if repo.read_only else "ACTIVE",
    }


def change(hub: GerritHub, one: Change, options: Collection[str]) -> dict[str, Any]:
    """A change; most of it only where an option (`o`) asks for it."""
    detailed = "DETAILED_ACCOUNTS" in options
    repo = hub.repos[one.project]
    found: dict[str, Any] = {
        "id": f"{one.project.replace('/', '%2F')}~{one.number}",
        "triplet_id": f"{one.project.replace('/', '%2F')}~{one.branch}~{one.change_id}",
        "project": one.project,
        "branch": one.branch,
        "hashtags": sorted(one.hashtags),
        "change_id": one.change_id,
        "subject": str(hub.git(one).read(one.current.sha).message).partition("\n")[0],
        "status": one.status,
        "created": moment(one.created),
        "updated": moment(one.updated),
        "submit_type": repo.submit_type,
        "_number": one.number,
        "virtual_id_number": one.number,
        "owner": account(one.owner, detailed=detailed),
        "attention_set": {str(account_id(who)): {"account": account(who)} for who in one.attention},
    }
    if one.topic:
        found["topic"] = one.topic
    if one.wip:
        found["work_in_progress"] = True
    if one.status == "MERGED":
        found["submitted"] = moment(one.submitted)
        found["submitter"] = account(one.submitter or "", detailed=detailed)
    found |= _more(hub, one, options, detailed=detailed)
    return found


def _more(hub: GerritHub, one: Change, options: Collection[str], *, detailed: bool) -> dict[str, Any]:
    repo = hub.repos[one.project]
    found: dict[str, Any] = {}
    if {"CURRENT_REVISION", "ALL_REVISIONS"} & set(options):
        found["current_revision"] = one.current.sha
        found["current_revision_number"] = one.current.number
        shown = one.patch_sets if "ALL_REVISIONS" in options else [one.current]
        commits = "ALL_COMMITS" in options
        found["revisions"] = {
            ps.sha: _revision(
                hub, one, ps, whole=commits or ("CURRENT_COMMIT" in options and ps is one.current)
            )
            for ps in shown
        }
    if {"LABELS", "DETAILED_LABELS"} & set(options):
        found["labels"] = _labels(repo, one, every="DETAILED_LABELS" in options)
    if "DETAILED_LABELS" in options:
        kinds: dict[str, list[dict[str, Any]]] = {}
        for login, kind in one.reviewers.items():
            kinds.setdefault(kind, []).append(account(login, detailed=detailed))
        found["reviewers"] = kinds
    if "MESSAGES" in options:
        found["messages"] = [
            {
                "id": message.id,
                "author": account(message.author, detailed=detailed),
                "date": moment(message.at),
                "message": message.text,
                "_revision_number": message.patch_set,
                **({"tag": message.tag} if message.tag else {}),
            }
            for message in one.messages
        ]
    if "SUBMITTABLE" in options:
        found["submittable"] = one.status == "NEW" and not unmet(repo, one) and not one.wip
    if "SUBMIT_REQUIREMENTS" in options:
        found["submit_requirements"] = requirements(repo, one)
    return found


def _revision(hub: GerritHub, one: Change, ps: PatchSet, *, whole: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": ps.kind,
        "_number": ps.number,
        "created": moment(ps.created),
        "uploader": account(ps.uploader),
        "ref": f"refs/changes/{one.number % 100:02}/{one.number}/{ps.number}",
    }
    if whole:
        commit = hub.git(one).read(ps.sha)
        found["commit"] = {
            "parents": [{"commit": str(parent)} for parent in commit.parent_ids],
            "subject": commit.message.partition("\n")[0],
            "message": commit.message,
        }
    return found


def _labels(repo: GerritRepo, one: Change, *, every: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (least, most) in repo.labels.items():
        label: dict[str, Any] = {"values": {str(value): "" for value in range(least, most + 1)}}
        people = {login for login, kind in one.reviewers.items() if kind == "REVIEWER"}
        people |= {login for (label_name, login) in one.votes if label_name == name}
        if every:
            label["all"] = [
                {
                    **account(login),
                    "value": one.votes.get((name, login), 0),
                    **_range(repo, login, least, most),
                }
                for login in sorted(people)
            ]
        found[name] = label
    return found


def _range(repo: GerritRepo, login: str, least: int, most: int) -> dict[str, Any]:
    if repo.may(login, "write"):
        return {"permitted_voting_range": {"min": least, "max": most}}
    return {"permitted_voting_range": {"min": -1, "max": 1}} if repo.may(login, "read") else {}
