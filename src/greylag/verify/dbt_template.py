"""Construction before rendering: whatever the Jinja renders to, only reads became the mapping.

Every piece of Jinja is one word, the same for the same piece, and a plain `ref` or `source` is its relation.
When both templates are then equal but for the mapping where an old table was named, so are all renderings.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

import jinja2

from greylag.mapping.compiled import CompiledMigration
from greylag.verify.dbt_tokens import is_boundary

_ENVIRONMENT = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
_CALL = re.compile(r"\{\{[-+]?\s*(ref|source)\s*\(([^(){}=]*)\)\s*[-+]?\}\}")
_TEXTS = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\")\s*(?:,|$)")
Relation = Callable[[str, tuple[str, ...]], str | None]


def is_template_boundary(old: str, new: str, migration: CompiledMigration, relation: Relation) -> bool:
    """True when the templates differ by the mapping in place of old tables only.

    `relation` gives the table name that a call of `ref` or `source` with plain arguments renders as.
    """
    try:
        before, after = ("".join(_words(text, relation)) for text in (old, new))
    except jinja2.TemplateError:
        return False
    return is_boundary(before, after, migration)


def _words(text: str, relation: Relation) -> Iterator[str]:
    piece: list[str] | None = None
    for _, kind, value in _ENVIRONMENT.lex(text):
        if kind.endswith("_begin") and piece is None:
            piece = [value]
        elif piece is not None:
            piece.append(value)
            if kind.endswith("_end"):
                yield f" {_word(''.join(piece), relation)} "
                piece = None
        else:
            yield value


def _word(piece: str, relation: Relation) -> str:
    found = _CALL.fullmatch(piece.strip())
    if found is not None:
        args = tuple(one or other for one, other in _TEXTS.findall(found[2]))
        known = relation(found[1], args) if args and not _TEXTS.sub("", found[2]).strip() else None
        if known is not None:
            return known
    return "greylag_jinja_" + hashlib.sha256(piece.encode()).hexdigest()[:16]
