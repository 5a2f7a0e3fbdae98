"""What is wrong with a settings file, with line, column and the nearest name that is right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
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
        message = str(item["msg"])
        if item["type"] == "extra_forbidden":
            message = _unknown(model, item["loc"])
        found.append(Fault(file=file, line=line, column=column, message=message))
    return tuple(sorted(found))


def _place(document: Any, loc: tuple[int | str, ...]) -> tuple[int, int] | None:
    node = document
    place: tuple[int, int] | None = None
    for part in loc:
        if not isinstance(node, CommentedMap) or part not in node:
            break
        line, column = node.lc.key(part)
        place = (line + 1, column + 1)
        node = node[part]
    return place


def _unknown(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    fields = model.model_fields
    for part in loc[:-1]:
        annotation = fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        fields = annotation.model_fields
    names = sorted(name for name in fields if name != "file")
    near = difflib.get_close_matches(str(loc[-1]), names, n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"`{loc[-1]}` is not a setting{hint} (known here: {', '.join(names)})"
