"""Names of files that strangers chose: which are fair, and how to print the others."""

from __future__ import annotations

import unicodedata

from greylag.domain.outcome import Reason

_LONGEST = 255


def fault_of_name(name: str) -> Reason | None:
    """Why a file of this name may not be new in a repository; None when it may.

    `name` is one part of a path, bytes that are no UTF-8 as lone surrogates. Refused: what git takes for its
    own folder on some system, what prints as something else than it is, what other systems cannot have.
    """
    plain = unicodedata.normalize("NFKC", name).casefold().rstrip(". ")
    plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    # git~1 is what Windows calls it besides.
    if plain.split(":", maxsplit=1)[0] in (".git", "git~1") or name in (".", ".."):
        return Reason(code="git", message="is a name that git keeps for itself")
    categories = {unicodedata.category(letter) for letter in name}
    if "Cs" in categories:
        return Reason(code="name", message="is no UTF-8")
    if categories & {"Cc", "Cf", "Zl", "Zp"}:
        return Reason(code="name", message="holds characters that cannot be seen")
    if "\\" in name or len(name.encode()) > _LONGEST:
        return Reason(code="name", message="holds a backslash, or is too long")
    return None


def shown(path: str) -> str:
    """The path, fit to be printed: what cannot be seen, and what is no UTF-8, stands escaped."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in path)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii", "backslashreplace")
