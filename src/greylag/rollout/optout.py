"""What a repository says about campaigns in its `.greylag.yaml`: whether it takes part."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from greylag.mapping.document import Document, Loc, parse_yaml

NAME = ".greylag.yaml"
KEY = "campaigns"
_KEYS = ("optout", "because")
_EXPECTED = "expected `true`, `false`, or a list of migrations, like `[users-v2]`"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Which migrations a repository stays out of: all, or those named; and why."""

    everything: bool = False
    names: frozenset[str] = frozenset()
    because: str = ""

    def of(self, migration: str) -> str | None:
        """The reason for staying out of this migration; None when it takes part."""
        if not self.everything and migration not in self.names:
            return None
        why = f": {self.because}" if self.because else ", and gives no reason"
        return f"{NAME} opts out{'' if self.everything else f' of {migration}'}{why}"


def read_optout(text: str) -> OptOut:
    """What the file says; the other keys are for others to read.

    Raises:
        FileFaults: it is no YAML, or what stands below `campaigns` is wrong.
    """
    if not re.sub(r"(?m)^\s*(?:#.*|---\s*)?$", "", text).strip():
        return OptOut()
    document, data = parse_yaml(text, NAME)
    found = _campaigns(document, data.get(KEY))
    document.raise_faults()
    return found


def _campaigns(document: Document, data: object) -> OptOut:
    loc: Loc = (KEY,)
    if data is None:
        return OptOut()
    if not isinstance(data, dict):
        document.fault(document.at(loc), "expected `optout` and `because` below `campaigns`")
        return OptOut()
    for key in data:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            where = document.at_key((*loc, key))
            document.fault(where, f"`{key}` is not known here{hint} (known: {', '.join(_KEYS)})")
    because = data.get("because")
    if because is not None and not isinstance(because, str):
        document.fault(document.at((*loc, "because")), "expected text")
    value = data.get("optout")
    names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    listed = isinstance(value, list) and len(names) == len(value)
    if not (listed or value is None or isinstance(value, bool)):
        document.fault(document.at((*loc, "optout")), _EXPECTED)
    return OptOut(everything=value is True, names=frozenset(names), because=str(because or "").strip())
