"""A cage's profile in plain values."""

from __future__ import annotations

from dataclasses import asdict

from greylag.workspace.cage.base import CageSpec
from greylag.workspace.cage.masks import AGENT_CONFIG


def plain_profile(spec: CageSpec, work: str) -> dict[str, object]:
    """What every cage tells of a spec. The values of the environment are left out: tokens are among them."""
    return {
        "folder": work,
        "writable": spec.writable,
        "network": "one socket to the host" if spec.socket else "none",
        "readable": [str(path) for path in spec.readable],
        "environment": sorted(spec.env),
        "hidden": list(AGENT_CONFIG),
        "limits": asdict(spec.limits),
    }
