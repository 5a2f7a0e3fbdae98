"""What a person decided, about unmapped columns and for coding agents: the key `answers`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from greylag.domain.dataset import DatasetRef
from greylag.domain.question import is_question_key, question_key, text_fault
from greylag.mapping.compiled import Said
from greylag.mapping.document import Document, Loc
from greylag.mapping.model import AnswerModel, MigrationModel, ReplacesModel
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
    """The answers about columns, under the keys that questions have."""
    found = {}
    for key, entry, column in _answered(model):
        answer = _text(model, key)[0].strip()
        found[answer_key(DatasetRef.parse(entry.dataset), column)] = SKIP if is_skip(answer) else answer
    return found


def said_to_agents(model: MigrationModel) -> dict[str, Said]:
    """The answers to agents' questions, by key."""
    found = {}
    for key, value in model.answers.items():
        if is_question_key(key):
            question = value.question if isinstance(value, AnswerModel) else None
            found[key] = Said(question=(question or "").strip(), answer=_text(model, key)[0].strip())
    return found


def _text(model: MigrationModel, key: str) -> tuple[str, Loc]:
    """An answer, and where it stands."""
    value = model.answers[key]
    if isinstance(value, AnswerModel):
        return value.answer, ("answers", key, "answer")
    return value, ("answers", key)


def check_answers(model: MigrationModel, document: Document) -> None:
    """Fault answers that answer no question of the file."""
    questions = [f"{entry.dataset}.{column}" for entry in model.replaces for column in entry.unmapped]
    answered = {key for key, _, _ in _answered(model)}
    for key in model.answers:
        if is_question_key(key):
            _check_said(key, model, document)
        elif key not in answered:
            hint = nearest(key, questions, "open questions") or "; no column is unmapped"
            if key.startswith("q-"):
                hint = "; expected `q-` and twelve of 0-9 and a-f, as `greylag questions` shows it"
            document.fault(
                document.at_key(("answers", key)), f"`{key}` answers no question of this file{hint}"
            )


def _check_said(key: str, model: MigrationModel, document: Document) -> None:
    answer, loc = _text(model, key)
    wrong = text_fault(answer)
    if wrong is not None:
        document.fault(document.at(loc), wrong)
    value = model.answers[key]
    if not isinstance(value, AnswerModel) or value.question is None:
        return
    loc = ("answers", key, "question")
    wrong = text_fault(value.question, "the question")
    if wrong is not None:
        document.fault(document.at(loc), wrong)
    elif question_key(value.question) != key:
        right = question_key(value.question)
        text = f"this is another question than the one of `{key}`: its key is `{right}`; correct one of them"
        document.fault(document.at(loc), text)


def answers_of(
    entry: ReplacesModel, model: MigrationModel, columns: Mapping[str, str], document: Document
) -> dict[str, SqlText]:
    """The expressions decided for columns of one entry; `skip` is none. Wrong ones go to the document."""
    found: dict[str, SqlText] = {}
    for key, other, column in _answered(model):
        answer, loc = _text(model, key)
        if other is not entry or is_skip(answer):
            continue
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
        if is_question_key(key):
            continue
        dataset, _, column = key.rpartition(".")
        wanted = table_key(DatasetRef.parse(dataset), model.dialect)
        for entry in model.replaces:
            own = table_key(DatasetRef.parse(entry.dataset), model.dialect)
            if own == wanted and (column in entry.unmapped or _may_be_handed_on(model, entry, column)):
                yield key, entry, column


def _may_be_handed_on(model: MigrationModel, entry: ReplacesModel, column: str) -> bool:
    """In a chain, a column may lose its counterpart because of another entry: `compile` says whether."""
    return len(model.replaces) > 1 and column in (entry.columns or {})
