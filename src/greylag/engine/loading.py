"""A migration file together with the answers that are kept in the database."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from greylag.domain.question import is_question_key
from greylag.mapping import load_migration_text
from greylag.mapping.compiled import CompiledMigration


def load_with_answers(text: str, path: str, answers: Mapping[str, str]) -> CompiledMigration:
    """Compile the text of a migration file with these answers about columns instead of its own.

    None given: the file as it is. Answers to agents' questions stay. Raises FileFaults.
    """
    base = Path(path).parent
    if not answers:
        return load_migration_text(text, path=path, base=base)
    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(text)
    said = {key: value for key, value in (document.get("answers") or {}).items() if is_question_key(key)}
    columns = {key: value for key, value in answers.items() if not is_question_key(key)}
    document["answers"] = {**columns, **said}
    buffer = io.StringIO()
    yaml.dump(document, buffer)
    return load_migration_text(buffer.getvalue(), path=path, base=base)
