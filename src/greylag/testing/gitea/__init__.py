"""A strict Gitea-shaped server for tests (and Forgejo's, and an older one's): real git, real merges, faults.

Its shapes and refusals are those of Gitea's `templates/swagger/v1_json.tmpl` and of the handlers behind it
(`routers/api/v1/repo`, `services/pull`), with what clients stumble over: labels go by number and may share a
name, some lists have pages but no `Link`, `mergeable` is false while it is not known, one answer for "being
checked" and "in conflict", a conflict without a message, drafts by title, teams that are passed over.
"""

from greylag.testing.gitea.hooks import signature
from greylag.testing.gitea.server import GiteaServer
from greylag.testing.gitea.values import Flavour, Protection

__all__ = ["Flavour", "GiteaServer", "Protection", "signature"]
