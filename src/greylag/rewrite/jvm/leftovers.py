"""Names that no place of a program explains."""

from __future__ import annotations

import re
from collections.abc import Iterable

from greylag.domain.consumer import Read
from greylag.domain.outcome import Reason
from greylag.rewrite.jvm.model import Definition, File, Place
from greylag.rewrite.jvm.names import Naming, full_name, naming


def reason(file: File, offset: int, code: str, message: str) -> Reason:
    line = file.source.line(offset)
    return Reason(code=code, message=f"{file.source.path}:{line}: {message}", line=line)


def unseen(file: File) -> list[Reason]:
    """In a file with syntax errors: whole names that stand neither in a string nor in a comment."""
    if not file.source.root.has_error:
        return []
    found: list[Reason] = []
    for match in full_name(file.migration).finditer(file.source.text):
        if file.source.string_at(*match.span()) is None and not file.source.in_comment(match.start()):
            message = "the syntax around a name of the dataset is not understood"
            found.append(reason(file, match.start(), "unparsable", message))
    return found


def _is_host(path: str) -> bool:
    return path.endswith((".scala", ".java", ".sc", ".kt"))


def hidden_by_views(file: File, reads: Iterable[Read]) -> list[Reason]:
    """Reads by a name of one part, which a temporary view of another file may have taken."""
    found: list[Reason] = []
    for read in reads:
        if len(read.dataset.parts) > 1:
            continue
        name = re.escape(read.dataset.name)
        made = rf"(?:TempView|registerTempTable)\s*\(\s*\"{name}\"|\btemp\w*\s+view\s+`?{name}\b"
        view = re.compile(rf"(?i){made}")
        for path, text in file.siblings.items():
            if _is_host(path) and view.search(text):
                message = f"{file.source.path}:{read.line}: {path} makes a view called {read.dataset.name}"
                found.append(Reason(code="maybe-old", message=message, line=read.line))
    return found


def unused(file: File, places: Iterable[Place]) -> list[Reason]:
    """Constants that are not used here, nor anywhere in sight: somebody may read by them."""
    found: list[Reason] = []
    for place in places:
        if not isinstance(place, Definition) or file.constants.is_private(place.name):
            continue
        named = naming(_value(file, place), file.migration) in (Naming.FULL, Naming.FILES)
        word = re.compile(rf"(?<!\w){re.escape(place.name)}(?!\w)")
        if not named or any(
            word.search(text)
            for path, text in file.siblings.items()
            if path != file.source.path and _is_host(path)
        ):
            continue
        if len(word.findall(file.source.text)) < 2:
            message = f"{place.name} names the dataset, and nothing here uses it: delete it, or tell who does"
            found.append(reason(file, place.span[0], "dynamic-sql", message))
    return found


def _value(file: File, place: Definition) -> str:
    return file.source.text[place.span[0] : place.span[1]]
