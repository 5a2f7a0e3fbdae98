"""A test server started by hand over a folder of bare repositories."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from greylag.testing.hosting.server import HostingServer
from greylag.workspace import find_repositories


def by_hand(kind: str, make: Callable[[Path, int], HostingServer[Any, Any]], *, port: int, api: str) -> int:
    """Serve; says on standard error where, and prints a token that may do everything, then each person's.

    `kind` names the module and the forge (`GitHub` is `greylag.testing.github`), `api` is where its API is.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m greylag.testing.{kind.lower()}",
        description=f"A {kind}-shaped server over FOLDER/<owner>/<name>.git, on the loopback. What is said "
        "on pull requests is forgotten when it ends; branches and merges stay.",
    )
    parser.add_argument("folder", type=Path, help="bare repositories, one folder an owner")
    parser.add_argument("--port", type=int, default=port, help="on the loopback; 0 takes a free one")
    parser.add_argument("--user", default="greylag-bot", help="whose token is printed")
    parser.add_argument(
        "--person",
        action="append",
        default=[],
        metavar="NAME",
        help="one who may write, and whose token is printed below that; may be given again",
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    given = parser.parse_args()
    names = [name for name in find_repositories(given.folder) if "/" in name]
    if not names:
        sys.stderr.write(f"{given.folder}: expected bare repositories like <owner>/<name>.git\n")
        return 2
    server = make(given.folder, given.port)
    server.front.latency = given.latency
    for name in names:
        server.hub.add(name, access=dict.fromkeys(given.person, "write") | {given.user: "admin"})
    try:
        with server:
            sys.stderr.write(f"{len(names)} repositories at {server.url} (API: {server.url}{api})\n")
            for login in (given.user, *given.person):
                sys.stdout.write(f"{server.hub.token(login)}\n")
            sys.stdout.flush()
            server.wait()
    except KeyboardInterrupt:
        return 0
    return 0
