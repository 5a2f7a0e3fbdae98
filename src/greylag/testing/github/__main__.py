"""`python -m greylag.testing.github FOLDER`: serve the bare repositories of a folder as GitHub would."""

from __future__ import annotations

import sys

from greylag.testing.github.server import GitHubServer
from greylag.testing.hosting.by_hand import by_hand

if __name__ == "__main__":
    sys.exit(by_hand("GitHub", lambda root, port: GitHubServer(root, port=port), port=8379, api="/api/v3"))
