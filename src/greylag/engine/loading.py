"""A migration file together with the answers that are kept in the database."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration


def load_with_answers(text: str, path: str, answers: Mapping[str, str]) -> CompiledMigration:
    """Compile the text of a migration file with answers put into it.

    Answers in the file win: what is reviewed in git stands above what was typed. Raises FileFaults.
    """
    base = Path(path).parent
    if not answers:
        return load_migration_text(text, path=path, base=base)
    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(text)
    document["answers"] = {**answers, **(document.get("answers") or {})}
    buffer = io.StringIO()
    yaml.dump(document, buffer)
    return load_migration_text(buffer.getvalue(), path=path, base=base)
