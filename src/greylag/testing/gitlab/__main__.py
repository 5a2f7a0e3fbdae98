"""`python -m greylag.testing.gitlab FOLDER`: serve the bare repositories of a folder as GitLab would."""

from __future__ import annotations

import sys

from greylag.testing.gitlab.server import GitLabServer
from greylag.testing.hosting.by_hand import by_hand

if __name__ == "__main__":
    sys.exit(by_hand("GitLab", lambda root, port: GitLabServer(root, port=port), port=8380, api="/api/v4"))
