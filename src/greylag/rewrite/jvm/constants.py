"""Constants: names that stand for one text, in a file and in the objects and classes of its siblings.

A name is followed only where it can mean nothing else: it is bound once in the file, and never assigned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.jvm.literals import Unreadable
from greylag.rewrite.jvm.strings import Reader
from greylag.rewrite.jvm.syntax import Source
from greylag.rewrite.mentions import mentioned

_SUFFIXES = (".scala", ".java", ".sc")
_VALUES = {"val_definition", "function_definition", "variable_declarator"}
_BINDERS = {
    "var_definition",
    "parameter",
    "class_parameter",
    "formal_parameter",
    "catch_formal_parameter",
    "enhanced_for_statement",
    "resource",
    "typed_pattern",
    "capture_pattern",
    "tuple_pattern",
    "case_class_pattern",
    "identifiers",
    "bindings",
    "binding",
    "inferred_parameters",
    "var_declaration",
    "val_declaration",
    "function_declaration",
    "given_definition",
}
_OWNERS = {
    "object_definition",
    "class_definition",
    "trait_definition",
    "class_declaration",
    "interface_declaration",
}
_HOLDERS = {
    *_OWNERS,
    "package_clause",
    "package_object",
    "template_body",
    "class_body",
    "interface_body",
    "enum_body",
    "enum_declaration",
    "enum_definition",
    "field_declaration",
    "constant_declaration",
}
_DEPTH = 8
# The tree finds a node's parent by going down from its root: what asks for many of them in a huge file is
# not done. A name with so many uses is not followed, a file of so many characters holds no constants.
_USES = 2_000
_HUGE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A definition of a text: `text` is what it stands for, `owner` the object or class that holds it.

    `named`: the text may name a replaced dataset.
    """

    path: str
    name: str
    owner: str
    text: str
    line: int
    private: bool
    named: bool


class Constants:
    """Resolves names of one file."""

    def __init__(self, source: Source, others: tuple[Constant, ...] = ()) -> None:
        self.source = source
        self.others = others
        self._known: dict[str, tuple[bool, Node | None]] = {}

    def text(self, node: Node, depth: int = 0) -> str | None:
        """What a name stands for; None where that is not sure."""
        if depth > _DEPTH:
            return None
        path = self._path(node)
        if path is None:
            return None
        value = self.value(path[-1]) if self._local(path) else None
        if value is not None:
            return self._read(value, depth)
        if self._known.get(path[-1], (False, None))[0] and len(path) == 1:
            return None
        found = [each for each in self.others if self._means(each, path)]
        texts = {each.text for each in found}
        return found[0].text if len(texts) == 1 and len({each.path for each in found}) == 1 else None

    def value(self, name: str) -> Node | None:
        """The expression that a name of this file is bound to; None where it is bound otherwise or twice."""
        if name not in self._known:
            self._known[name] = self._bound(name)
        return self._known[name][1]

    def is_private(self, name: str) -> bool:
        """Can a constant of this file not be used by another one?"""
        value = self.value(name)
        return value is not None and (not _shared(self.source, value) or _hidden(self.source, value))

    def _read(self, value: Node, depth: int) -> str | None:
        reader = Reader(self.source, lambda node: self.text(node, depth + 1), "bigquery")
        try:
            expression = reader.read(value)
        except Unreadable:
            return None
        return expression.text if expression.whole else None

    def _path(self, node: Node) -> tuple[str, ...] | None:
        """`A.B.c` as its names."""
        if node.type not in ("identifier", "field_expression", "field_access", "stable_identifier"):
            return None
        text = self.source.of(node)
        if not re.fullmatch(r"[\w$]+(\s*\.\s*[\w$]+)*", text):
            return None
        names = tuple(name.strip() for name in text.split("."))
        return names[1:] if names[0] == "this" and len(names) > 1 else names

    def _local(self, path: tuple[str, ...]) -> bool:
        """Does the path mean a binding of this file?"""
        value = self.value(path[-1])
        if value is None or len(path) == 1:
            return value is not None
        return _owner(self.source, value) == path[-2]

    def _bound(self, name: str) -> tuple[bool, Node | None]:
        """Whether the name is bound, and to what it is bound for good."""
        values: list[Node] = []
        count = 0
        if self.source.text.count(name) > _USES:
            return True, None
        for node in self.source.words(name):
            binder = _binder(node)
            if binder is None:
                if _assigned(node):
                    count += 1
                continue
            count += 1
            value = _value(self.source, binder)
            if value is not None:
                values.append(value)
        return count > 0, values[0] if count == 1 and values else None

    def _means(self, constant: Constant, path: tuple[str, ...]) -> bool:
        if constant.name != path[-1] or constant.private or constant.path == self.source.path:
            return False
        if len(path) > 1:
            return constant.owner == path[-2]
        imported = re.compile(
            rf"\bimport\s[^\n;]*\b{re.escape(constant.owner)}\s*\.\s*(?:[_*]|given|{re.escape(path[-1])}\b|\{{[^}}]*\b{re.escape(path[-1])}\b)"
        )
        extends = re.compile(
            rf"\b(?:extends|with|implements)\s+(?:[\w.\[\]]+\s*,\s*)*{re.escape(constant.owner)}\b"
        )
        return bool(imported.search(self.source.text) or extends.search(self.source.text))


def _binder(node: Node) -> Node | None:
    """The definition whose name a node is."""
    parent = node.parent
    if parent is None:
        return None
    if parent.type in _BINDERS:
        names = (
            "type",
            "default_value",
            "body",
            "value",
            "pattern" if parent.type == "case_class_pattern" else "",
        )
        return None if any(name and parent.child_by_field_name(name) == node for name in names) else parent
    if parent.type in ("lambda_expression", "enumerator"):
        return parent if parent.named_children[0] == node else None
    if parent.type in ("lambda_expression", "case_clause"):
        return parent if parent.child_by_field_name("pattern") == node else None
    for name in ("pattern", "name"):
        if parent.type in _VALUES and parent.child_by_field_name(name) == node:
            return parent
    return None


def _value(source: Source, binder: Node) -> Node | None:
    """What a definition binds its name to for good."""
    if binder.type == "val_definition":
        return binder.child_by_field_name("value")
    if binder.type == "function_definition":
        body = binder.child_by_field_name("body")
        return body if binder.child_by_field_name("parameters") is None else None
    if binder.type == "variable_declarator":
        parent = binder.parent
        local = parent is not None and parent.type == "local_variable_declaration"
        constant = parent is not None and parent.type == "constant_declaration"
        head = source.of(parent).split("=")[0] if parent is not None else ""
        return (
            binder.child_by_field_name("value")
            if local or constant or re.search(r"\bfinal\b", head)
            else None
        )
    return None


def _assigned(node: Node) -> bool:
    parent = node.parent
    return (
        parent is not None
        and parent.type == "assignment_expression"
        and parent.child_by_field_name("left") == node
        and (parent.parent is None or parent.parent.type not in ("arguments", "annotation_argument_list"))
    )


def _owner(source: Source, node: Node) -> str:
    around: Node | None = node
    while around is not None:
        if around.type in _OWNERS:
            name = around.child_by_field_name("name")
            return source.of(name) if name is not None else ""
        around = around.parent
    return ""


def _shared(source: Source, value: Node) -> bool:
    """Is a definition a member of an object, class or interface, and not local to a body?"""
    around = value.parent
    while around is not None:
        if around.type in ("block", "indented_block", "function_definition", "method_declaration"):
            return around.type == "function_definition" and around.child_by_field_name("body") == value
        if around.type in _OWNERS:
            return True
        around = around.parent
    return False


def _hidden(source: Source, value: Node) -> bool:
    """Is a definition private?"""
    around: Node | None = value.parent
    while around is not None and around.type not in (
        "val_definition",
        "function_definition",
        "field_declaration",
    ):
        around = around.parent
    head = source.of(around).split("=")[0] if around is not None else ""
    return re.search(r"\bprivate\b(?!\s*\[)", head) is not None


def _members(source: Source) -> Iterator[Node]:
    """The definitions that stand in objects, classes and interfaces, not in bodies of methods."""
    stack = [source.root]
    while stack:
        node = stack.pop()
        if node.type in _VALUES:
            yield node
        elif node.type in _HOLDERS or node == source.root:
            stack.extend(reversed(node.named_children))


def constants_of(source: Source, migration: CompiledMigration) -> tuple[Constant, ...]:
    """The shared constants of a file."""
    resolver = Constants(source)
    found: dict[str, Constant] = {}
    for definition in _members(source):
        name = definition.child_by_field_name("pattern") or definition.child_by_field_name("name")
        written = definition.child_by_field_name("value") or definition.child_by_field_name("body")
        if name is None or name.type != "identifier" or written is None or '"' not in source.of(written):
            continue
        value = resolver.value(source.of(name))
        text = resolver.text(name) if value is not None else None
        if value is None or text is None or source.of(name) in found or not _owner(source, value):
            continue
        found[source.of(name)] = Constant(
            path=source.path,
            name=source.of(name),
            owner=_owner(source, value),
            text=text,
            line=source.line(source.span(name)[0]),
            private=_hidden(source, value),
            named=mentioned(text, migration, {}),
        )
    return tuple(found.values())


class _Index:
    """The constants of one set of files, kept while that very set is worked on."""

    def __init__(self) -> None:
        self.files: Mapping[str, str] | None = None
        self.size = -1
        self.digest = ""
        self.found: tuple[Constant, ...] = ()
        self.uses: re.Pattern[str] | None = None

    def of(self, files: Mapping[str, str], migration: CompiledMigration) -> tuple[Constant, ...]:
        if self.files is not files or self.size != len(files) or self.digest != migration.digest:
            found: list[Constant] = []
            for path, text in files.items():
                if path.endswith(_SUFFIXES) and len(text) < _HUGE and mentioned(text, migration, {}):
                    found.extend(constants_of(Source(path, text), migration))
            names = {each.name for each in found}
            again = _overridden(files, names)
            self.files, self.size, self.digest = files, len(files), migration.digest
            self.found = tuple(each for each in found if each.name not in again)
            names = {re.escape(each.name) for each in self.found if each.named and not each.private}
            self.uses = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(names))})(?!\w)") if names else None
        return self.found


def _overridden(files: Mapping[str, str], names: set[str]) -> set[str]:
    """Names that some class gives another value: nobody can tell which one is meant."""
    if not names:
        return set()
    pattern = re.compile(r"\boverride\s+(?:\w+\s+)*(?:val|def|var)\s+(\w+)")
    return {
        found[1]
        for path, text in files.items()
        if path.endswith(_SUFFIXES)
        for found in pattern.finditer(text)
        if found[1] in names
    }


_INDEX = _Index()


def constants_in(files: Mapping[str, str] | None, migration: CompiledMigration) -> tuple[Constant, ...]:
    """The shared constants of those files of a repository that name a replaced dataset."""
    return _INDEX.of(files, migration) if files is not None else ()


def uses_constants(text: str, files: Mapping[str, str] | None, migration: CompiledMigration) -> bool:
    """Does a text use a name that one of these files gives to a replaced dataset?"""
    constants_in(files, migration)
    return files is not None and _INDEX.uses is not None and _INDEX.uses.search(text) is not None
