"""Is a field of a generated class used as what is always there, or as an Option?

A case class that Scio makes from a table has a plain field for a REQUIRED column and an Option for a
nullable one; of a query, every field is an Option. Migrations do not tell modes, but programs show them. What
would not compile is found by compiling; what would compile and mean something else is looked for here.
"""

from __future__ import annotations

import re

from greylag.rewrite.jvm.model import File

_OPTION = (
    "get|getOrElse|map|flatMap|foreach|isDefined|isEmpty|nonEmpty|exists|forall|contains|orNull|fold|filter"
    "|filterNot|withFilter|orElse|toList|toSeq|toSet|iterator|collect|size|zip|toRight|toLeft|flatten|knownSize|copy"
)


def shown_required(file: File, name: str) -> str | None:
    """A use that shows a field to be no Option, as its source; None where there is none."""
    columns = {
        column
        for mapping in file.migration.mappings
        for column, kind in mapping.columns.items()
        if not re.match(r"(?i)array|.*\[\]|list", kind)
    }
    if not columns:
        return None
    names = "|".join(re.escape(column) for column in sorted(columns, key=len, reverse=True))
    pattern = re.compile(
        rf"\.\s*(?:{names})\b(?:\s*\.\s*(?!(?:{_OPTION})\b)\w+"
        rf"|\s*(?:==|!=|<=|>=)\s*(?!Some\b|None\b|Option\b)\S+|\s*[-+*/<>]\s*[\w\"(]+)"
        rf"|\$\{{[^{{}}\n]*\.\s*(?:{names})\}}"
    )
    for path, text in {**file.siblings, file.source.path: file.source.text}.items():
        if path.endswith((".scala", ".sc")) and re.search(rf"\b{re.escape(name)}\b", text):
            found = pattern.search(text)
            if found is not None:
                line = text.count("\n", 0, found.start()) + 1
                return f"{path}:{line}: {found[0].strip()!r}"
    return None
