"""What a name stands for: constants of a module, its classes, dictionaries, and the modules it imports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import Assignment, ImportAssignment

from greylag.rewrite.python.others import others
from greylag.rewrite.python.source import NotParsed, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A constant string of another module: its value is known, its place is not in this file."""

    text: str
    path: str


Value = cst.BaseExpression | Foreign


class Bindings:
    """Follows names of one module. `siblings` are the other files of its repository, path to text."""

    def __init__(self, source: Source, path: str, siblings: Mapping[str, str], depth: int = 0) -> None:
        self.source = source
        self.path = path
        self.siblings = siblings
        self.depth = depth
        self._modules: dict[str, Bindings | None] = {}

    def value(self, node: cst.BaseExpression) -> Value | None:
        """The one value that an expression can have; None when that is not certain."""
        match node:
            case cst.Name():
                return self._name(node)
            case cst.Attribute():
                return self._attribute(node)
            case cst.Subscript():
                return self._subscript(node)
        return None

    def _name(self, node: cst.Name) -> Value | None:
        bound = self.source.bindings(node)
        if len(bound) != 1:
            return None
        only = bound[0]
        if isinstance(only, ImportAssignment):
            return self._imported(only)
        return self._assigned(only.node) if isinstance(only, Assignment) else None

    def _assigned(self, target: cst.CSTNode) -> cst.BaseExpression | None:
        """The value of a plain assignment to one name, or the default that nobody overrides."""
        parent = self.source.parent(target)
        if isinstance(target, cst.Param):
            return self.default(target)
        if isinstance(parent, cst.AssignTarget):
            statement = self.source.parent(parent)
            if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
                return statement.value
        if isinstance(parent, cst.AnnAssign) and parent.target is target:
            return parent.value
        if isinstance(parent, cst.NamedExpr) and parent.target is target:
            return parent.value
        return None

    def default(self, param: cst.Param) -> cst.BaseExpression | None:
        """A parameter's default, where every call of its function is seen, and none gives another value."""
        function = next((one for one in self.source.around(param) if isinstance(one, cst.FunctionDef)), None)
        if param.default is None or function is None or function.decorators:
            return None
        if not isinstance(self.source.parent(function), cst.Module) or self._used_elsewhere(function.name):
            return None
        names = [one.name.value for one in (*function.params.posonly_params, *function.params.params)]
        index = names.index(param.name.value) if param.name.value in names else len(names)
        calls = [self.source.parent(use) for use in self.source.references(function.name)]
        for call in calls:
            if not isinstance(call, cst.Call) or any(arg.star for arg in call.args):
                return None
            given = {arg.keyword.value for arg in call.args if arg.keyword is not None}
            if param.name.value in given or sum(arg.keyword is None for arg in call.args) > index:
                return None
        return param.default if calls else None

    def _used_elsewhere(self, name: cst.Name) -> bool:
        """Is the word found in another file of the repository? Without the files: it may be."""
        held = others(self.siblings)
        return not held.known or any(held.naming(name.value, self.path))

    # -- other modules ---------------------------------------------------------------------------------

    def _imported(self, binding: ImportAssignment) -> Foreign | None:
        statement = binding.node
        if not isinstance(statement, cst.ImportFrom) or isinstance(statement.names, cst.ImportStar):
            return None
        for alias in statement.names:
            if alias.evaluated_alias == binding.name or (
                alias.evaluated_alias is None and alias.evaluated_name == binding.name
            ):
                module = _dotted(statement.module)
                return self._constant(module, len(statement.relative), alias.evaluated_name)
        return None

    def _constant(self, module: str, dots: int, name: str) -> Foreign | None:
        other = self._module(module, dots)
        if other is None:
            return None
        for scope in {other.source.scope(other.source.module)} - {None}:
            assert scope is not None
            bound = tuple(scope[name])
            if len(bound) != 1:
                return None
            only = bound[0]
            if isinstance(only, ImportAssignment):
                return other._imported(only)
            value = other._assigned(only.node) if isinstance(only, Assignment) else None
            text = other.text(value) if value is not None else None
            return Foreign(text=text, path=other.path) if text is not None else None
        return None

    def text(self, value: Value | None) -> str | None:
        """The text of a constant string; None where it is not fully known."""
        from greylag.rewrite.python.compose import Composer

        if isinstance(value, Foreign):
            return value.text
        composed = Composer(self.source, self, "").compose(value) if value is not None else None
        return None if composed is None or composed.unknown else composed.sql

    def _module(self, module: str, dots: int) -> Bindings | None:
        path = others(self.siblings).sibling(self.path, module, dots)
        if path is None or path == self.path or self.depth > 3:
            return None
        if path not in self._modules:
            try:
                source = Source(self.siblings[path])
            except NotParsed:
                self._modules[path] = None
            else:
                self._modules[path] = Bindings(source, path, self.siblings, self.depth + 1)
        return self._modules[path]

    # -- attributes and items --------------------------------------------------------------------------

    def _attribute(self, node: cst.Attribute) -> Value | None:
        owner = node.value
        if not isinstance(owner, cst.Name):
            return None
        if owner.value in ("self", "cls"):
            held = next((one for one in self.source.around(node) if isinstance(one, cst.ClassDef)), None)
            return self._member(held, node.attr.value) if held is not None else None
        bound = self.source.bindings(owner)
        if len(bound) != 1:
            return None
        only = bound[0]
        if isinstance(only, ImportAssignment):
            return self._of_module(only, node.attr.value)
        if isinstance(only, Assignment) and isinstance(only.node, cst.ClassDef):
            return self._member(only.node, node.attr.value)
        return None

    def _of_module(self, binding: ImportAssignment, name: str) -> Foreign | None:
        """`config.TABLE`, of `import config` or `from pipelines import config`."""
        if self._set_from_outside(name):
            return None
        statement = binding.node
        if isinstance(statement, cst.Import):
            for alias in statement.names:
                if (alias.evaluated_alias or alias.evaluated_name) == binding.name:
                    return self._constant(alias.evaluated_name, 0, name)
        elif isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar):
            for alias in statement.names:
                if (alias.evaluated_alias or alias.evaluated_name) == binding.name:
                    module = ".".join(
                        part for part in (_dotted(statement.module), alias.evaluated_name) if part
                    )
                    return self._constant(module, len(statement.relative), name)
        return None

    def _member(self, held: cst.ClassDef, name: str) -> cst.BaseExpression | None:
        """A constant of a class, which nothing sets from outside and no subclass says otherwise."""
        if held.decorators or self._set_from_outside(name) or self._subclassed(held):
            return None
        # Fields of data classes and settings are given when an object is made; members of enumerations are
        # objects of their own.
        if any("Enum" in self.source.code(base.value) for base in held.bases):
            return None
        found: list[cst.BaseExpression] = []
        for line in held.body.body:
            for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                match statement:
                    case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=bound))]) if (
                        bound == name
                    ):
                        found.append(statement.value)
                    case cst.AnnAssign(target=cst.Name(value=bound), value=value) if (
                        bound == name and value and not held.bases
                    ):
                        found.append(value)
        return found[0] if len(found) == 1 else None

    def _set_from_outside(self, name: str) -> bool:
        setting = re.compile(
            rf"\.{re.escape(name)}\s*(?:[+]?=(?!=)|:)|setattr\(|for\s+\S*\.{re.escape(name)}\s+in"
        )
        return any(setting.search(text) for text in (self.source.text, *self._others(name)))

    def _subclassed(self, held: cst.ClassDef) -> bool:
        below = re.compile(rf"^\s*class\s+\w+\s*\([^)]*\b{re.escape(held.name.value)}\b", re.MULTILINE)
        return any(below.search(text) for text in (self.source.text, *self._others(held.name.value)))

    def _others(self, word: str) -> list[str]:
        return [*others(self.siblings).naming(word, self.path)]

    def _subscript(self, node: cst.Subscript) -> Value | None:
        """`QUERIES["users"]`, of a dictionary that is written once and never changed."""
        key = _key(node)
        if key is None or not isinstance(node.value, cst.Name):
            return None
        bound = self.source.bindings(node.value)
        if len(bound) != 1 or not isinstance(bound[0], Assignment):
            return None
        held = self._assigned(bound[0].node)
        if not isinstance(held, cst.Dict) or not isinstance(bound[0].node, cst.Name):
            return None
        uses = self.source.references(bound[0].node)
        if not all(self._only_read(use) for use in uses):
            return None
        values = [
            element.value
            for element in held.elements
            if isinstance(element, cst.DictElement)
            and isinstance(element.key, cst.SimpleString)
            and element.key.evaluated_value == key
        ]
        plain = all(isinstance(element, cst.DictElement) for element in held.elements)
        return values[0] if len(values) == 1 and plain else None

    def _only_read(self, use: cst.CSTNode) -> bool:
        item = self.source.parent(use)
        if not isinstance(item, cst.Subscript) or item.value is not use or _key(item) is None:
            return False
        return not isinstance(self.source.parent(item), cst.AssignTarget | cst.AugAssign | cst.Del)


def _key(node: cst.Subscript) -> str | None:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    index = node.slice[0].slice.value
    value = index.evaluated_value if isinstance(index, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _dotted(node: cst.BaseExpression | None) -> str:
    match node:
        case cst.Name():
            return node.value
        case cst.Attribute():
            return f"{_dotted(node.value)}.{node.attr.value}"
    return ""
