"""What a submit needs: a requirement for each label that has to be voted for."""

from __future__ import annotations

from typing import Any

from greylag.testing.gerrit.values import Change, GerritRepo


def requirements(repo: GerritRepo, change: Change) -> list[dict[str, Any]]:
    """The submit requirements, and whether each is met."""
    return [
        {
            "name": name,
            "status": "SATISFIED" if _met(repo, change, name) else "UNSATISFIED",
            "is_legacy": False,
            "submittability_expression_result": {"expression": f"label:{name}=MAX AND -label:{name}=MIN"},
        }
        for name in repo.required
    ]


def unmet(repo: GerritRepo, change: Change) -> list[str]:
    """The names of those that are not."""
    return [name for name in repo.required if not _met(repo, change, name)]


def _met(repo: GerritRepo, change: Change, name: str) -> bool:
    least, most = repo.labels[name]
    values = [value for (label, _), value in change.votes.items() if label == name]
    return most in values and least not in values
