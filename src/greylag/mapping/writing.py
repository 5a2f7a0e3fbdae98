"""An answer written into the text of a migration file: every other byte stays as it is."""

from __future__ import annotations

import io
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from greylag.domain.errors import FileFaults, GreylagError
from greylag.mapping.document import Document, parse_yaml

_INDENT = 2


class NotWritten(GreylagError):
    """An answer cannot be put into the file's text; nothing was changed."""


def with_answer(text: str, key: str, answer: str, question: str | None = None) -> str:
    """The text of a migration file with one more answer under `answers`, or with another one for `key`.

    `question` is written beside the answer. Comments, order and layout stay. Raises NotWritten where the
    file's shape leaves no place for it, e.g. an `answers` that is an alias.
    """
    document, before = _read(text)
    value: str | dict[str, str] = answer if not question else {"question": question, "answer": answer}
    new = _edited(document, key, value)
    if "\r\n" in text:
        new = new.replace("\r\n", "\n").replace("\n", "\r\n")
    _, after = _read(new)
    known = before.get("answers") or {}
    wanted = {**before, "answers": {**(known if isinstance(known, dict) else {}), key: value}}
    if _plain(after) != _plain(wanted):
        raise NotWritten(f"`answers` has a shape that {key} cannot be added to; write it there by hand")
    return new


def _read(text: str) -> tuple[Document, dict[str, object]]:
    try:
        document, data = parse_yaml(text, "")
        document.raise_faults()
    except FileFaults as error:
        raise NotWritten(f"the file cannot be read: {error.faults[0].message}") from error
    return document, data


def _plain(value: object) -> object:
    """Without line ends behind text: a file whose last line had none gets one."""
    match value:
        case str():
            return value.rstrip("\n")
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value


def _edited(document: Document, key: str, value: str | Mapping[str, str]) -> str:
    text = document.text
    node = document.node(("answers",))
    if node is None:
        return _appended(document, _block({"answers": {key: value}}))
    known = document.node(("answers", key))
    if isinstance(node, MappingNode) and node.flow_style:
        if known is not None:
            return _spliced(text, known, _flow(value))
        comma = ", " if node.value else ""
        place = _end(node) - 1
        return f"{text[:place].rstrip(' ')}{comma}{_flow(key)}: {_flow(value)}{text[place:]}"
    if isinstance(node, MappingNode) and node.value:
        column = int(node.start_mark.column)
        if known is not None:
            return _replaced(document, node, key, _block({key: value}, column))
        place = _next_line(text, _end(node.value[-1][1]))
        return f"{_ended(text[:place])}{_block({key: value}, column)}{text[place:]}"
    if isinstance(node, ScalarNode) and not node.value:
        # `answers:` with nothing behind it: a comment may stand there.
        place = _next_line(text, document_end(document, "answers"))
        return f"{_ended(text[:place])}{_block({key: value}, _INDENT)}{text[place:]}"
    raise NotWritten(f"`answers` is no mapping that {key} can be added to; write it there by hand")


def document_end(document: Document, key: str) -> int:
    """Where a key at the top ends."""
    return next(int(one.end_mark.index) for one, _ in document.root.value if one.value == key)


def _appended(document: Document, block: str) -> str:
    """Behind the last value at the top; comments that end the file stay its end."""
    text = document.text
    if document.root.flow_style:
        raise NotWritten("the whole file is one line of braces; write the answer there by hand")
    place = _next_line(text, _end(document.root))
    return f"{_ended(text[:place])}{block}{text[place:]}"


def _replaced(document: Document, node: MappingNode, key: str, block: str) -> str:
    """The lines of one answer, from its key to its last line."""
    text = document.text
    name, value = next(pair for pair in node.value if pair[0].value == key)
    start = int(name.start_mark.index) - int(name.start_mark.column)
    end = _next_line(text, max(_end(value), int(name.end_mark.index)))
    comment = _comment(text, value)
    lines = block.splitlines(keepends=True)
    if comment and len(lines) == 1:
        lines[0] = f"{lines[0].rstrip()}  {comment}\n"
    elif comment:
        lines.insert(0, f"{' ' * int(name.start_mark.column)}{comment}\n")
    return text[:start] + "".join(lines) + text[end:]


def _comment(text: str, value: Node) -> str:
    """What stands as a comment behind a value that ends within its line."""
    end = _end(value)
    rest = text[end : _next_line(text, end)] if not text[:end].endswith("\n") else ""
    return rest.strip() if rest.strip().startswith("#") else ""


def _spliced(text: str, node: Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[_end(node) :]


def _end(node: Node) -> int:
    """Where the last character of a value stands; a block's own mark lies behind comments that follow it."""
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    if isinstance(node, SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _next_line(text: str, index: int) -> int:
    """The start of the line after the one in which `index` stands; `index` where a line starts there."""
    if index == 0 or text[index - 1] == "\n":
        return index
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 2**20
    yaml.allow_unicode = True
    return yaml


def _block(data: Mapping[str, object], column: int = 0) -> str:
    buffer = io.StringIO()
    _yaml().dump(dict(data), buffer)
    return "".join(f"{' ' * column}{line}" for line in buffer.getvalue().splitlines(keepends=True))


def _flow(value: str | Mapping[str, str]) -> str:
    """A value for a place between braces: text in quotation marks wherever it would not be read as text."""
    yaml = _yaml()
    yaml.default_flow_style = True
    buffer = io.StringIO()
    data = _safe(value) if isinstance(value, str) else {key: _safe(one) for key, one in value.items()}
    yaml.dump([data], buffer)
    return buffer.getvalue().strip()[1:-1]


def _safe(text: str) -> str:
    # The library leaves `:0` as it is, and between braces does not read it again.
    return DoubleQuotedScalarString(text) if text.startswith(":") else text
