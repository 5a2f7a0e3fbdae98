"""Which cage works here."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from greylag.workspace.cage.base import Cage, CageError, CageLimits, CageSpec, NoSandbox
from greylag.workspace.cage.bubblewrap import Bubblewrap
from greylag.workspace.cage.container import IMAGE, Container
from greylag.workspace.cage.unsafe import Unsafe

Preference = Literal["auto", "bubblewrap", "docker", "podman"]

INSTALL = (
    "Install bubblewrap 0.8 or newer (`apt install bubblewrap`, `dnf install bubblewrap`), or an engine for "
    f"containers with the image {IMAGE}."
)


@cache
def choose_cage(preference: Preference = "auto", *, image: str = IMAGE) -> Cage:
    """A cage that was tried and works: bubblewrap, else docker, else podman; or exactly the one asked for.

    Raises NoSandbox, with what was tried and what to install. Never falls back to no cage.
    """
    tried: list[str] = []
    for name, find in _ways(image).items():
        if preference not in ("auto", name):
            continue
        try:
            return _working(find())
        except (NoSandbox, CageError) as error:
            tried.append(f"  {name}: {error}{_hint(name, str(error))}")
    wanted = (
        "No sandbox works" if preference == "auto" else f"{preference}, which is asked for, does not work"
    )
    raise NoSandbox(
        f"{wanted} on this machine, and nothing of a repository's is run without a sandbox.\n"
        + "\n".join(tried)
        + f"\n{INSTALL}"
    )


def unsafe_cage() -> Cage:
    """No cage: commands may do whatever our own user may. Only --unsafe-no-sandbox leads here."""
    return Unsafe()


def _ways(image: str) -> dict[str, Callable[[], Cage]]:
    return {
        "bubblewrap": Bubblewrap.find,
        "docker": lambda: Container.find("docker", image),
        "podman": lambda: Container.find("podman", image),
    }


def _working(cage: Cage) -> Cage:
    limits = CageLimits(wall=60.0)
    with tempfile.TemporaryDirectory(prefix="greylag-cage-") as folder:
        result = cage.run(["true"], CageSpec(folder=Path(folder), limits=limits), timeout=60.0)
    if not result.ok:
        raise NoSandbox(f"a trial run of `true` failed: {result.output.strip() or 'it said nothing'}")
    return cage


def _hint(name: str, said: str) -> str:
    if name != "bubblewrap":
        return ""
    if sys.platform != "linux":
        return " (it needs Linux)"
    if any(words in said for words in ("uid map", "namespace", "Operation not permitted", "loopback")):
        return (
            ". This machine restricts user namespaces: allow them with `sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0` or an AppArmor profile for bwrap "
            "(kernel.unprivileged_userns_clone=1 and user.max_user_namespaces on others); "
            "in a container, let it mount proc"
        )
    return ""
