"""`python -m greylag.testing.gerrit FOLDER`: serve the bare repositories of a folder as Gerrit would."""

from __future__ import annotations

import sys

from greylag.testing.gerrit.server import GerritServer
from greylag.testing.hosting.by_hand import by_hand

if __name__ == "__main__":
    sys.exit(by_hand("Gerrit", lambda root, port: GerritServer(root, port=port), port=8383, api="/a"))
