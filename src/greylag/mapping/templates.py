"""Words of branches, pull requests and commits that people chose: Jinja templates, tried out before they are
used.

A template sees plain values only, in a sandbox; a name that does not exist is an error, not an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from greylag.domain.errors import UsageError
from greylag.domain.migration import Templates
from greylag.mapping.strict import fault

if TYPE_CHECKING:
    from jinja2 import Template

NAMES = ("migration", "repository", "part", "attempt", "owners", "old", "new", "default")
"""What a template may use. `default` is what would be written without it; the others are texts and lists of
texts, and the number of the attempt.
"""

_LONGEST = {"branch": 200, "title": 250, "body": 50_000, "commit": 10_000}
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_NO_BRANCH = re.compile(r"\.\.|//|/\.|\.lock(?:/|$)|[./]$|@\{")


def rendered(what: str, template: str, values: Mapping[str, object]) -> str:
    """The text of a template. Raises UsageError, which says what is wrong with it, or with what it gave."""
    from jinja2 import TemplateError

    try:
        text = _compiled(template).render(values).strip()
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f" (its line {line})" if line and "\n" in template else ""
        known = f"; known names: {', '.join(NAMES)}" if "undefined" in str(error) else ""
        raise UsageError(f"the template of the {what}{where}: {error}{known}") from error
    except Exception as error:
        # Filters and arithmetic raise what Python raises.
        raise UsageError(f"the template of the {what}: {type(error).__name__}: {error}") from error
    if what in ("branch", "title"):
        text = " ".join(text.split())
    if not text:
        raise UsageError(f"the template of the {what} gives an empty text")
    if len(text) > _LONGEST[what]:
        raise UsageError(f"the template of the {what} gives more than {_LONGEST[what]} characters")
    if what == "branch" and (_BRANCH.fullmatch(text) is None or _NO_BRANCH.search(text)):
        raise UsageError(f"the template of the branch gives {text[:80]!r}, which is no name of a branch")
    return text


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    return environment.from_string(template)


def sample(
    what: str = "title", *, migration: str = "users-v2", attempt: int = 1, owners: int = 1
) -> dict[str, Any]:
    """Values as they are when a template is used."""
    branch = f"greylag/{migration}" + (f"-{attempt}" if attempt > 1 else "")
    return {
        "migration": migration,
        "repository": "shop/etl",
        "part": None,
        "attempt": attempt,
        "owners": ["@shop/data", "@kim"][:owners],
        "old": ["prod.core.users_v1"],
        "new": ["prod.core.users_v2"],
        "default": branch if what == "branch" else "Read prod.core.users_v2 instead of prod.core.users_v1",
    }


_APART = (("users-v2", 1), ("users-v2", 2), ("users-v2", 12), ("users-v21", 2), ("events-v3", 1))
"""Migrations and attempts: no two of them may have a branch in common."""


def tried(what: str, template: str) -> str:
    """The template, if it works on samples; of a branch, if no two changes get the same. Raises a fault."""
    try:
        for owners, attempt in ((0, 1), (2, 1), (1, 2)):
            rendered(what, template, sample(what, attempt=attempt, owners=owners))
        if what == "branch":
            names = {
                rendered(what, template, sample(what, migration=migration, attempt=attempt))
                for migration, attempt in _APART
            }
            if len(names) < len(_APART):
                raise UsageError(
                    "the template of the branch gives the same name for two migrations, or two attempts: it "
                    "needs {{ migration }} and {{ attempt }}, apart from each other, or {{ default }}"
                )
    except UsageError as error:
        raise fault(str(error)) from error
    return template


_Branch = Annotated[str, AfterValidator(partial(tried, "branch"))]
_Title = Annotated[str, AfterValidator(partial(tried, "title"))]
_Body = Annotated[str, AfterValidator(partial(tried, "body"))]
_Commit = Annotated[str, AfterValidator(partial(tried, "commit"))]


class TemplatesModel(BaseModel):
    """Templates: of a branch's name, a pull request's title and body, a commit's message."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    branch: _Branch | None = None
    """Of the branch: another for each migration and attempt."""
    title: _Title | None = None
    """Of the pull request's title: one line."""
    body: _Body | None = None
    """Of the pull request's body, in Markdown."""
    commit: _Commit | None = None
    """Of the commit's message; our trailers come after it."""

    @property
    def value(self) -> Templates:
        """As a plain value."""
        return Templates(branch=self.branch, title=self.title, body=self.body, commit=self.commit)
