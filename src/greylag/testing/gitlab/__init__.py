"""A strict GitLab-shaped server for tests: REST v4, real git over HTTP, real merges, limits and faults.

https://docs.gitlab.com/api/rest/ (and, in GitLab's own repository, `doc/api/*.md`).
"""

from greylag.testing.gitlab.front import Limits
from greylag.testing.gitlab.hooks import signature
from greylag.testing.gitlab.server import GitLabServer
from greylag.testing.hosting import Fault, Seen

__all__ = ["Fault", "GitLabServer", "Limits", "Seen", "signature"]
