"""What a person decided about unmapped columns: the key `answers`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from greylag.domain.dataset import DatasetRef
from greylag.mapping.document import Document, Loc
from greylag.mapping.model import MigrationModel, ReplacesModel
from greylag.mapping.names import nearest, table_key
from greylag.mapping.sqltext import SqlFault, SqlText, made, parse_condition, tokens, written

SKIP = "skip"


def is_skip(answer: str) -> bool:
    """Whether the answer is to leave the consumers of the column alone."""
    return answer.strip().casefold() == SKIP


def answer_key(dataset: DatasetRef, column: str) -> str:
    """The key of a question: `dataset.column`."""
    return f"{dataset}.{column}"


def normalised_answers(model: MigrationModel) -> dict[str, str]:
    """All answers, under the keys that questions have."""
    found = {}
    for key, entry, column in _answered(model):
        answer = model.answers[key].strip()
        found[answer_key(DatasetRef.parse(entry.dataset), column)] = SKIP if is_skip(answer) else answer
    return found


def check_answers(model: MigrationModel, document: Document) -> None:
    """Fault answers that answer no question of the file."""
    questions = [f"{entry.dataset}.{column}" for entry in model.replaces for column in entry.unmapped]
    answered = {key for key, _, _ in _answered(model)}
    for key in model.answers:
        if key not in answered:
            hint = nearest(key, questions, "open questions") or "; no column is unmapped"
            document.fault(
                document.at_key(("answers", key)), f"`{key}` answers no question of this file{hint}"
            )


def answers_of(
    entry: ReplacesModel, model: MigrationModel, columns: Mapping[str, str], document: Document
) -> dict[str, SqlText]:
    """The expressions decided for columns of one entry; `skip` is none. Wrong ones go to the document."""
    found: dict[str, SqlText] = {}
    for key, other, column in _answered(model):
        answer = model.answers[key]
        if other is not entry or is_skip(answer):
            continue
        loc: Loc = ("answers", key)
        source = written(answer, loc)
        try:
            parse_condition(source.text, model.dialect)
        except SqlFault as fault:
            document.fault(source.position(document, fault.offset), fault.message)
            continue
        found[column] = _typed(source, columns.get(column, ""), loc, model.dialect)
    return found


def _typed(source: SqlText, type_text: str, loc: Loc, dialect: str) -> SqlText:
    """A bare NULL would take a type of the engine's choice: give it the old column's. Comments go."""
    if source.text.upper() == "NULL" and type_text:
        return made(f"CAST(NULL AS {type_text})", loc)
    listed = tokens(source.text, dialect)
    return source.slice(listed[0].start, listed[-1].end + 1)


def _answered(model: MigrationModel) -> Iterator[tuple[str, ReplacesModel, str]]:
    """Each answer with the entry and the unmapped column that it is for."""
    for key in model.answers:
        dataset, _, column = key.rpartition(".")
        wanted = table_key(DatasetRef.parse(dataset), model.dialect)
        for entry in model.replaces:
            own = table_key(DatasetRef.parse(entry.dataset), model.dialect)
            if own == wanted and (column in entry.unmapped or _may_be_handed_on(model, entry, column)):
                yield key, entry, column


def _may_be_handed_on(model: MigrationModel, entry: ReplacesModel, column: str) -> bool:
    """In a chain, a column may lose its counterpart because of another entry: `compile` says whether."""
    return len(model.replaces) > 1 and column in (entry.columns or {})
