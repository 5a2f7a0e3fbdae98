"""A strict Bitbucket-Cloud-shaped server for tests: real git over HTTP, real merges, faults on demand."""

from greylag.testing.bitbucket.front import Limits
from greylag.testing.bitbucket.hub import signature
from greylag.testing.bitbucket.server import BitbucketServer

__all__ = ["BitbucketServer", "Limits", "signature"]
