"""A YAML file as plain data that remembers where every key and value stands."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from greylag.domain.errors import Fault, FileFaults

Position = tuple[int, int]
Loc = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_BLOCK_STYLES = ("|", ">")
_DEPTH = 40


@dataclass(slots=True)
class Document:
    """One parsed YAML file: its text, its syntax tree, and the faults found in it so far.

    `path` is the name used in messages. Positions are 1-based (line, column).
    """

    path: str
    text: str
    root: MappingNode
    faults: list[Fault] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = _line_starts(self.text)

    def fault(self, where: Position, message: str) -> None:
        """Note one fault; the same one is not noted twice."""
        found = Fault(file=self.path, line=where[0], column=where[1], message=message)
        if found not in self.faults:
            self.faults.append(found)

    def raise_faults(self) -> None:
        """Refuse the file if anything is wrong with it.

        Raises:
            FileFaults: all faults, in the order of the file.
        """
        if self.faults:
            raise FileFaults(tuple(sorted(self.faults)))

    def position(self, index: int) -> Position:
        """The line and column of a character of the file."""
        line = bisect_right(self._lines, index) - 1
        return line + 1, index - self._lines[line] + 1

    def node(self, loc: Loc) -> Node | None:
        """The value at a path of keys and indexes; None when there is none."""
        node: Node | None = self.root
        for part in loc:
            node = _child(node, part)
        return node

    def at(self, loc: Loc) -> Position:
        """Where the value at `loc` stands, or the nearest thing around it that exists."""
        for length in range(len(loc), -1, -1):
            node = self.node(loc[:length])
            if node is not None:
                return self.position(node.start_mark.index)
        return 1, 1

    def at_key(self, loc: Loc) -> Position:
        """Where the key that ends `loc` stands; the value's place for an item of a list."""
        parent = self.node(loc[:-1])
        if isinstance(parent, MappingNode):
            for key, _ in parent.value:
                if key.value == loc[-1]:
                    return self.position(key.start_mark.index)
        return self.at(loc)

    def inside(self, loc: Loc, offset: int) -> Position:
        """Where character `offset` of the text value at `loc` stands in the file.

        Whitespace may differ between value and file (indentation, folding), other characters do not:
        they are counted. Escapes in double quotes are the exception; the answer is then approximate.
        """
        node = self.node(loc)
        if not isinstance(node, ScalarNode):
            return self.at(loc)
        value = str(node.value)
        before = value[:offset]
        skip = len(before) - sum(character.isspace() for character in before)
        return self.position(self._nth_character(node, skip))

    def _nth_character(self, node: ScalarNode, skip: int) -> int:
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        if node.style in _BLOCK_STYLES:
            start = self.text.find("\n", start, end) + 1 or start
        elif node.style:
            start += 1
            end -= 1
        index = last = start
        while index < end:
            if not self.text[index].isspace():
                last = index
                if skip == 0:
                    return index
                skip -= 1
                if node.style == "'" and self.text[index : index + 2] == "''":
                    index += 1
            index += 1
        return last


def read_file(path: Path, shown: str) -> str:
    """The text of a file, which must be UTF-8.

    Raises:
        FileFaults: it is missing, a folder, unreadable or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        message = "no such file"
    except IsADirectoryError:
        message = "this is a folder; expected a file"
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text (byte {error.start} cannot be decoded); save the file as UTF-8"
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
    raise FileFaults((Fault(file=shown, line=1, column=1, message=message),))


def parse_yaml(text: str, path: str) -> tuple[Document, dict[str, object]]:
    """Read YAML text whose top is a mapping; duplicate keys become faults of the document.

    Raises:
        FileFaults: the text is not YAML, or not a mapping.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        detail = "; ".join(str(part) for part in (error.context, error.problem) if part)
        _refuse(path, line, column, f"not valid YAML: {detail}")
    except YAMLError as error:
        index = int(getattr(error, "position", 0))
        line, column = text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
        _refuse(path, line, column, f"not valid YAML: {str(error).splitlines()[0]}")
    if root is None:
        _refuse(path, 1, 1, "the file is empty; expected a migration with `name`, `dialect` and `replaces`")
    if not isinstance(root, MappingNode):
        _refuse(path, 1, 1, "expected a mapping (`key: value` lines) at the top of the file")
    document = Document(path=path, text=text, root=root)
    data = _to_data(root, document, 0)
    assert isinstance(data, dict)
    return document, data


def _refuse(path: str, line: int, column: int, message: str) -> None:
    raise FileFaults((Fault(file=path, line=line, column=column, message=message),))


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts.extend(index + 1 for index, character in enumerate(text) if character == "\n")
    return starts


def _child(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, MappingNode):
        # the last one wins, as everywhere; a duplicate is a fault anyway
        values = [value for key, value in node.value if key.value == str(part)]
        return values[-1] if values else None
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        found: Node = node.value[part]
        return found
    return None


def _to_data(node: Node, document: Document, depth: int) -> object:
    if depth > _DEPTH:
        document.fault(document.position(node.start_mark.index), "nested too deeply, or an alias of itself")
        return None
    if isinstance(node, MappingNode):
        return _to_dict(node, document, depth)
    if isinstance(node, SequenceNode):
        return [_to_data(item, document, depth + 1) for item in node.value]
    return _scalar(node)


def _to_dict(node: MappingNode, document: Document, depth: int) -> dict[str, object]:
    data: dict[str, object] = {}
    for key, value in node.value:
        where = document.position(key.start_mark.index)
        if not isinstance(key, ScalarNode):
            document.fault(where, "a key must be plain text")
            continue
        if key.value in data:
            document.fault(where, f"the key `{key.value}` stands here twice; keep one")
        data[str(key.value)] = _to_data(value, document, depth + 1)
    return data


def _scalar(node: Node) -> object:
    text = str(node.value)
    kind = str(node.tag).removeprefix(_TAG)
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() in ("true", "yes", "on")
            case "int":
                return int(text.replace("_", ""), 0)
            case "float":
                return float(text.replace("_", ""))
            case _:
                return text
    except ValueError:
        return text  # e.g. 0o7 in YAML 1.2, .inf: never meant in a migration file
