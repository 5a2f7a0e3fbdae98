"""Which repositories there are on Bitbucket Cloud, and what a mirror needs of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from greylag.forge.base import ForgeError
from greylag.forge.bitbucket.reading import found_of
from greylag.forge.hosted.api import Found
from greylag.forge.hosted.client import Refused
from greylag.forge.hosted.reached import Reached


class Finding(Reached):
    """See `Catalogue`. `url` is the web address, where git is, too."""

    name = "Bitbucket"
    kind = "bitbucket"

    def repository(self, name: str) -> Found | None:
        """See `Remote`."""
        if name.count("/") != 1:
            return None
        found = self.client.find(f"/repositories/{name}")
        return None if found is None else found_of(found)

    def branch(self, repository: str, branch: str) -> str | None:
        """See `Remote`."""
        found = self.client.find(f"/repositories/{repository}/refs/branches/{quote(branch)}")
        return None if found is None else str(found["target"]["hash"])

    # Which repositories there are.

    def of_owner(self, owner: str) -> Iterable[Found]:
        """See `HostApi`: of a workspace, or of one of its projects (`workspace/KEY`)."""
        workspace, _, project = owner.partition("/")
        return self._repositories(workspace, f'project.key="{project}"' if project else "")

    def of_topic(self, topic: str) -> Iterable[Found]:
        """See `HostApi`: there are no topics; with `org`, a project's key is one."""
        raise ForgeError(f"Bitbucket has no topics: name a workspace with the project {topic!r} as its topic")

    def searched(self, query: str) -> Iterable[Found]:
        """See `HostApi`: a workspace, then a query of Bitbucket's (`shop name ~ "etl"`)."""
        workspace, _, rest = query.strip().partition(" ")
        if not rest:
            raise ForgeError(f'{query!r}: expected a workspace and a query, as in: shop name ~ "etl"')
        return self._repositories(workspace, rest.strip())

    def with_code(self, query: str) -> Iterable[Found]:
        """See `HostApi`."""
        raise ForgeError("code is not searched for on Bitbucket: choose repositories otherwise")

    def reachable(self) -> Iterable[Found]:
        """See `HostApi`."""
        raise ForgeError("Bitbucket does not say what a token reaches: name a workspace")

    def _repositories(self, workspace: str, query: str) -> Iterator[Found]:
        narrowed = {"q": query} if query else {}
        try:
            for one in self.client.pages(f"/repositories/{workspace}", None, **narrowed):
                yield found_of(one)
        except Refused as error:
            if error.status not in (400, 404):
                raise
            raise ForgeError(f"{workspace}: {error.said or 'there is no such workspace'}") from error
