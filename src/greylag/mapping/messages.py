"""Pydantic's errors as faults of a migration file, in our own words, with the nearest valid key."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from greylag.mapping.document import Document, Loc
from greylag.mapping.model import DIALECTS, AnswerModel, DbtModel, MigrationModel
from greylag.mapping.names import nearest
from greylag.mapping.sqltext import SqlFault, parse_statements, written

_EXPECTED = {
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "dict_type": "expected a mapping (`key: value`)",
    "list_type": "expected a list",
    "model_type": "expected a mapping (`key: value`)",
    "model_attributes_type": "expected a mapping (`key: value`)",
    "bool_type": "expected true or false",
}


def shape_faults(document: Document, data: dict[str, object]) -> MigrationModel | None:
    """Check the shape of a migration file; faults go to the document.

    Returns the model, or None when the shape is wrong.
    """
    try:
        return MigrationModel.model_validate(data)
    except ValidationError as error:
        for detail in error.errors():
            _add(document, data, detail)
        return None


def check_sql(document: Document, data: dict[str, object]) -> None:
    """Wrong SQL in a file whose shape is wrong as well, so that both are told at once."""
    dialect, entries = data.get("dialect"), data.get("replaces")
    if dialect not in DIALECTS or not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        sql = entry.get("as") if isinstance(entry, dict) else None
        if not isinstance(sql, str) or not sql.strip():
            continue
        source = written(sql, ("replaces", index, "as"))
        try:
            parse_statements(source.text, str(dialect))
        except SqlFault as fault:
            document.fault(source.position(document, fault.offset), fault.message)


def _add(document: Document, data: dict[str, object], detail: ErrorDetails) -> None:
    loc, on_key = _data_path(detail["loc"], data)
    kind = detail["type"]
    if kind == "extra_forbidden":
        keys = _keys(_model_at(loc[:-1]))
        text = f"unknown key `{loc[-1]}`{nearest(str(loc[-1]), keys, 'known here')}"
        document.fault(document.at_key(loc), text)
    elif kind == "missing":
        name = str(detail["loc"][-1])
        document.fault(document.at(loc), f"`{name}` is missing{_purpose(_model_at(loc), name)}")
    else:
        where = document.at_key(loc) if on_key else document.at(loc)
        document.fault(where, _message(loc, detail))


def _message(loc: Loc, detail: ErrorDetails) -> str:
    kind, context, given = detail["type"], detail.get("ctx", {}), detail.get("input")
    key = next((str(part) for part in reversed(loc) if isinstance(part, str)), "")
    match kind:
        case "greylag":
            text = str(context["text"])
            return f"`{key}`: {text}, found {_shown(given)}" if text.startswith("expected") else text
        case "string_pattern_mismatch":
            return f"`{given}` is not a valid {key}; expected only a-z, 0-9 and -, like users-v2"
        case "literal_error":
            options = [part.strip(" '") for part in str(context["expected"]).replace(" or ", ", ").split(",")]
            return f"`{given}` is not a valid {key}{nearest(str(given), options, 'expected one of')}"
        case "too_short":
            return f"`{key}` is empty; expected at least one entry"
        case "greater_than_equal":
            return f"`{key}` is {given}; expected {context['ge']} or more"
        case _:
            hint = " (quote it to make it text)" if kind == "string_type" and _is_number(given) else ""
            return f"`{key}`: {_EXPECTED.get(kind, detail['msg'])}, found {_shown(given)}{hint}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case "":
            return "empty text"
        case _:
            return f"`{value}`"


def _data_path(loc: tuple[int | str, ...], data: object) -> tuple[Loc, bool]:
    """Drop what pydantic puts between keys (tags of unions), and say whether a key itself is meant."""
    path: list[str | int] = []
    value = data
    for index, part in enumerate(loc):
        if part == "[key]":
            return tuple(path), True
        last = index == len(loc) - 1
        inner = _inner(value, part)
        if inner is not _NOTHING:
            path.append(part)
            value = inner
        elif last:
            break
    return tuple(path), False


_NOTHING = object()


def _inner(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part, _NOTHING)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        found: object = value[part]
        return found
    return _NOTHING


# What stands below keys that the user chooses.
_BELOW: dict[str, type[BaseModel]] = {"ref": DbtModel, "answers": AnswerModel}


def _model_at(loc: Loc) -> type[BaseModel] | None:
    model: type[BaseModel] | None = MigrationModel
    for part in loc:
        if isinstance(part, int) or model is None:
            continue
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        info = fields.get(str(part))
        model = _model_in(info.annotation) if info else _BELOW.get(str(loc[0]))
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def _purpose(model: type[BaseModel] | None, key: str) -> str:
    info = model.model_fields.get(key) if model else None
    return f": {' '.join(info.description.split())}" if info and info.description else ""
