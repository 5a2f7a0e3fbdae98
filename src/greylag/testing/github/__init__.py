"""A strict GitHub-shaped server for tests: real git over HTTP, real merges, limits and faults on demand."""

from greylag.testing.github.front import Limits
from greylag.testing.github.hooks import signature
from greylag.testing.github.server import GitHubServer
from greylag.testing.hosting import Fault, Seen

__all__ = ["Fault", "GitHubServer", "Limits", "Seen", "signature"]
