"""Names of tables in the local Spark, and what SQL does with them."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"('(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")", re.DOTALL)
COMMANDS = re.compile(
    r"(?is)^\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:SELECT|WITH|FROM|VALUES|TABLE|INSERT|CACHE|UNCACHE|USE|SHOW|DESC|DESCRIBE"
    r"|EXPLAIN|DROP|TRUNCATE|ANALYZE|REFRESH|SET|CREATE\s+(?:OR\s+REPLACE\s+)?(?:GLOBAL\s+)?(?:TEMP\w*\s+)?"
    r"(?:TABLE|VIEW|DATABASE|SCHEMA))\b"
)
READS = re.compile(
    r"(?is)^\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(?:SELECT|FROM|VALUES|SHOW|DESC|SET|EXPLAIN|USE)\b"
)
MAKES = re.compile(
    r"(?is)^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?`?(\w+)`?\."
)


class Names:
    """Names of datasets with a project in front, as this Spark knows them: by their last two parts."""

    def __init__(self, names: dict[str, str]) -> None:
        self.short = {key.lower(): value for key, value in names.items()}
        parts = (r"\s*\.\s*".join(f"`?{re.escape(one)}`?" for one in key.split(".")) for key in names)
        whole = "|".join(
            sorted((f"`{re.escape(key)}`" for key in names if "." in key), key=len, reverse=True)
        )
        named = "|".join(sorted(parts, key=len, reverse=True))
        self.pattern = re.compile(rf"(?i)(?<![\w.`])(?:{whole or '(?!)'}|{named or '(?!)'})(?![\w`])")

    def table(self, name: str) -> str:
        return self.short.get(name.replace("`", "").strip().lower(), name)

    def sql(self, text: str) -> str:
        pieces = _QUOTED.split(text)
        return "".join(
            piece
            if number % 2
            else self.pattern.sub(lambda found: self.table(found[0].replace(" ", "")), piece)
            for number, piece in enumerate(pieces)
        )
