"""`python -m greylag.testing.bitbucket FOLDER`: serve bare repositories of a folder as Bitbucket would."""

from __future__ import annotations

import sys

from greylag.testing.bitbucket.server import BitbucketServer
from greylag.testing.hosting.by_hand import by_hand

if __name__ == "__main__":
    sys.exit(by_hand("Bitbucket", lambda root, port: BitbucketServer(root, port=port), port=8382, api="/2.0"))
