"""What is wrong with a settings file, with line, column and the nearest name that is right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from greylag.domain.errors import Fault, FileFaults


def read_yaml(text: str, file: str) -> Mapping[str, Any]:
    """The document of a settings file. Raises FileFaults when it is no mapping, or no YAML."""
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        message = f"not YAML: {error.problem or error}"
        raise FileFaults((Fault(file=file, line=line, column=column, message=message),)) from error
    if document is None:
        return {}
    if not isinstance(document, CommentedMap):
        message = "expected names and values, like `fleet: ./fleet`"
        raise FileFaults((Fault(file=file, line=1, column=1, message=message),))
    return document


def faults_of(error: ValidationError, text: str, file: str, model: type[BaseModel]) -> tuple[Fault, ...]:
    """A fault for each thing that the model refuses in the file; what is not in the file is left out."""
    document = YAML(typ="rt").load(text)
    found = []
    for item in error.errors():
        place = _place(document, item["loc"])
        if place is None:
            continue
        line, column = place
        message = _said(str(item["msg"]), item["loc"], item["type"])
        if item["type"] == "extra_forbidden":
            message = _unknown(model, item["loc"])
        found.append(Fault(file=file, line=line, column=column, message=message))
    return tuple(sorted(found))


def _said(message: str, loc: tuple[int | str, ...], kind: str) -> str:
    """What pydantic says; what a validator of ours says names the setting by itself."""
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"`{'.'.join(map(str, loc))}`: {message[:1].lower()}{message[1:]}"


def _place(document: Any, loc: tuple[int | str, ...]) -> tuple[int, int] | None:
    node = document
    place: tuple[int, int] | None = None
    for part, following in zip(loc, (*loc[1:], None), strict=True):
        if isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line, column = node.lc.item(part)
        elif isinstance(node, CommentedMap) and part in node:
            line, column = node.lc.key(part)
        elif isinstance(node, CommentedMap) and (part in node.values() or following in node):
            continue  # the kind that was chosen among several, which stands among the values, or is left out
        else:
            break
        place = (line + 1, column + 1)
        node = node[part]
    return place


def _inside(models: Sequence[type[BaseModel]], part: int | str) -> Sequence[type[BaseModel]]:
    """The models one step further: of a part, or of the kind that was chosen among several."""
    fields = [model.model_fields[str(part)] for model in models if part in model.model_fields]
    if fields:
        return [model for field in fields for model in _models(field.annotation)]
    # The position in a list leaves them as they are.
    chosen = [model for model in models if part in _kinds(model)]
    return chosen or models


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("kind")
    return () if field is None else get_args(field.annotation)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for one in get_args(annotation) for model in _models(one)]


def _unknown(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    models: Sequence[type[BaseModel]] = [model]
    for part in loc[:-1]:
        models = _inside(models, part)
    names = sorted({name for one in models for name in one.model_fields if name != "file"})
    near = difflib.get_close_matches(str(loc[-1]), names, n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"`{loc[-1]}` is not a setting{hint} (known here: {', '.join(names)})"
