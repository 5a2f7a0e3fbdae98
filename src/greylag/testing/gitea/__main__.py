"""`python -m greylag.testing.gitea FOLDER`: serve the bare repositories of a folder as Gitea would."""

from __future__ import annotations

import sys

from greylag.testing.gitea.server import GiteaServer
from greylag.testing.hosting.by_hand import by_hand

if __name__ == "__main__":
    sys.exit(by_hand("Gitea", lambda root, port: GiteaServer(root, port=port), port=8381, api="/api/v1"))
