"""Names that no place of a program explains."""

from __future__ import annotations

import re
from collections.abc import Iterable

from greylag.domain.outcome import Reason
from greylag.rewrite.jvm.model import Definition, File, Place
from greylag.rewrite.jvm.names import Naming, naming
from greylag.rewrite.mentions import candidate_names


def reason(file: File, offset: int, code: str, message: str) -> Reason:
    line = file.source.line(offset)
    return Reason(code=code, message=f"{file.source.path}:{line}: {message}", line=line)


def unseen(file: File) -> list[Reason]:
    """In a file with syntax errors: whole names that stand neither in a string nor in a comment."""
    if not file.source.root.has_error:
        return []
    found: list[Reason] = []
    for name in candidate_names(file.migration):
        for match in re.finditer(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", file.source.text):
            node = file.source.at(match.start(), match.end())
            while node is not None and not node.is_error:
                node = node.parent
            if node is None or file.source.in_comment(match.start()):
                continue
            if file.source.string_at(match.start(), match.end()) is None:
                message = "the syntax around a name of the dataset is not understood"
                found.append(reason(file, match.start(), "unparsable", message))
    return found


def unused(file: File, places: Iterable[Place]) -> list[Reason]:
    """Constants that are not used here, nor anywhere in sight: somebody may read by them."""
    found: list[Reason] = []
    for place in places:
        if not isinstance(place, Definition) or file.constants.is_private(place.name):
            continue
        named = naming(_value(file, place), file.migration) in (Naming.FULL, Naming.FILES)
        word = re.compile(rf"(?<!\w){re.escape(place.name)}(?!\w)")
        if not named or any(word.search(text) for text in file.siblings.values()):
            continue
        if len(word.findall(file.source.text)) < 2:
            message = f"{place.name} names the dataset, and nothing here uses it: delete it, or tell who does"
            found.append(reason(file, place.span[0], "dynamic-sql", message))
    return found


def _value(file: File, place: Definition) -> str:
    return file.source.text[place.span[0] : place.span[1]]
