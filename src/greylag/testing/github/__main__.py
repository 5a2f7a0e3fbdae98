"""`python -m greylag.testing.github FOLDER`: serve the bare repositories of a folder as GitHub would."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from greylag.testing.github.server import GitHubServer
from greylag.workspace import find_repositories


def main() -> int:
    """Serve; says on standard error where, and prints a token that may do everything."""
    parser = argparse.ArgumentParser(
        prog="python -m greylag.testing.github",
        description="A GitHub-shaped server over FOLDER/<owner>/<name>.git, on the loopback. What is said on "
        "pull requests is forgotten when it ends; branches and merges stay.",
    )
    parser.add_argument("folder", type=Path, help="bare repositories, one folder an owner")
    parser.add_argument("--port", type=int, default=8379, help="on the loopback; 0 takes a free one")
    parser.add_argument("--user", default="greylag-bot", help="whose token is printed")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    given = parser.parse_args()
    names = [name for name in find_repositories(given.folder) if name.count("/") == 1]
    if not names:
        sys.stderr.write(f"{given.folder}: expected bare repositories like <owner>/<name>.git\n")
        return 2
    server = GitHubServer(given.folder, port=given.port)
    server.front.latency = given.latency
    for name in names:
        server.hub.add(name, access={given.user: "admin"})
    try:
        with server:
            sys.stderr.write(f"{len(names)} repositories at {server.url} (API: {server.url}/api/v3)\n")
            sys.stdout.write(f"{server.hub.token(given.user)}\n")
            sys.stdout.flush()
            server.wait()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
