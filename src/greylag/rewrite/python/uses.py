"""What becomes of a string: from the literal to the calls that take it, through names and expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from greylag.rewrite.python.bindings import Bindings
from greylag.rewrite.python.calls import Fate, Use, fate_of
from greylag.rewrite.python.changing import changed_by
from greylag.rewrite.python.source import Source

_KEEPS = {"strip", "lstrip", "rstrip", "format", "join"}
_DEDENTS = {"dedent", "cleandoc"}
_SQL_KEYS = {"query", "sql", "statement", "hql", "bql"}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Where a string ends up: the whole expression there, and what is done with it."""

    root: cst.BaseExpression
    fate: Fate


class Uses:
    """Follows strings of one module."""

    def __init__(self, source: Source, bindings: Bindings, dialect: str) -> None:
        self.source = source
        self.bindings = bindings
        self.dialect = dialect

    def whole(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """The largest expression that is made by joining, formatting or trimming this string."""
        current: cst.BaseExpression = node
        while (larger := self._larger(current)) is not None:
            current = larger
        return current

    def _larger(self, node: cst.BaseExpression) -> cst.BaseExpression | None:
        parent = self.source.parent(node)
        match parent:
            case cst.ConcatenatedString():
                return parent
            case cst.BinaryOperation(operator=cst.Add() | cst.Modulo()):
                return parent
            case cst.NamedExpr() if parent.value is node:
                return parent
            case cst.FormattedStringExpression() if parent.expression is node:
                held = self.source.parent(parent)
                return held if isinstance(held, cst.FormattedString) else None
            case cst.Attribute() if parent.value is node and parent.attr.value in _KEEPS:
                call = self.source.parent(parent)
                return call if isinstance(call, cst.Call) and call.func is parent else None
            case cst.Arg():
                return self._larger_call(parent)
            case cst.Element():
                return self._larger_list(parent)
            case cst.DictElement() if parent.value is node:
                held = self.source.parent(parent)
                above = self.source.parent(held) if held is not None else None
                formats = isinstance(above, cst.BinaryOperation) and isinstance(above.operator, cst.Modulo)
                return above if formats and isinstance(above, cst.BinaryOperation) else None
        return None

    def _larger_call(self, arg: cst.Arg) -> cst.BaseExpression | None:
        call = self.source.parent(arg)
        if not isinstance(call, cst.Call):
            return None
        match call.func:
            case cst.Attribute(attr=cst.Name(value="format"), value=base):
                return call if self._string(base) else None
            case cst.Attribute(attr=cst.Name(value=name)) | cst.Name(value=name) if name in _DEDENTS:
                return call
        return None

    def _larger_list(self, element: cst.Element) -> cst.BaseExpression | None:
        held = self.source.parent(element)
        above = self.source.parent(held) if held is not None else None
        if isinstance(held, cst.Tuple) and isinstance(above, cst.BinaryOperation) and above.right is held:
            return above
        if isinstance(above, cst.Arg):
            call = self.source.parent(above)
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
                return call if call.func.attr.value == "join" and self._string(call.func.value) else None
        return None

    def _string(self, node: cst.BaseExpression) -> bool:
        text = isinstance(node, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)
        return text or self.bindings.text(self.bindings.value(node)) is not None or isinstance(node, cst.Name)

    # -- where it goes ---------------------------------------------------------------------------------

    def ends(self, node: cst.BaseExpression, depth: int = 0) -> Iterator[End]:
        """Everything that is done with a string, whether through names or not."""
        root = self.whole(node)
        target = self.target(root)
        if target is None or depth > 8:
            yield End(root=root, fate=self.fate(root))
            return
        uses = list(self._uses(target, root))
        if self._added_to(target):
            yield End(root=root, fate=Fate(use=Use.PASSED_ON))
        if not uses:
            yield End(root=root, fate=Fate(use=Use.UNKNOWN))
        for use in uses:
            if not isinstance(use, cst.BaseExpression):
                yield End(root=root, fate=Fate(use=Use.UNKNOWN))
            elif self.bindings.value(use) is None and self.whole(use) is not use:
                pattern = changed_by(self.source, self.whole(use))
                kind = Use.PASSED_ON if pattern is None else Use.CHANGED
                yield End(root=root, fate=Fate(use=kind, changes=pattern))
            elif self.bindings.value(use) is None:
                yield from (End(root=root, fate=end.fate) for end in self.ends(use, depth + 1))
            else:
                yield from self.ends(use, depth + 1)

    def target(self, root: cst.BaseExpression) -> cst.Name | None:
        """The name that the expression is bound to."""
        parent = self.source.parent(root)
        match parent:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]) if parent.value is root:
                return name
            case cst.AnnAssign(target=cst.Name() as name) if parent.value is root:
                return name
            case cst.Param(name=name) if parent.default is root and self.bindings.default(parent) is root:
                return name
            case cst.DictElement() if parent.value is root:
                held = self.source.parent(parent)
                above = self.source.parent(held) if held is not None else None
                match above:
                    case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
                        return name if _key(parent) not in _SQL_KEYS else None
        return None

    def _added_to(self, target: cst.Name) -> bool:
        """Is there a `name += …`?"""
        bound = (getattr(one, "node", None) for one in self.source.bindings(target))
        return any(isinstance(self.source.parent(node), cst.AugAssign) for node in bound if node is not None)

    def _uses(self, target: cst.BaseExpression, root: cst.BaseExpression) -> Iterator[cst.CSTNode]:
        assert isinstance(target, cst.Name)
        element = self.source.parent(root)
        held = next((one for one in self.source.around(target) if isinstance(one, _SCOPES)), None)
        for use in self.source.references(target):
            if isinstance(element, cst.DictElement):
                item = self.source.parent(use)
                if isinstance(item, cst.Subscript) and item.value is use:
                    value = self.bindings.value(item)
                    if value is root or value is None:
                        yield item
                else:
                    yield element
                continue
            yield use
        if isinstance(held, cst.ClassDef):
            yield from self._members(held, target.value, root)

    def _members(self, held: cst.ClassDef, name: str, root: cst.BaseExpression) -> Iterator[cst.CSTNode]:
        """`self.name`, `cls.name` and `Class.name` where that is, or may be, the class's constant."""
        owners = {"self", "cls", held.name.value}
        for node in self.source.nodes:
            if not isinstance(node, cst.Attribute) or node.attr.value != name:
                continue
            value = self.bindings.value(node)
            mine = isinstance(node.value, cst.Name) and node.value.value in owners
            made = isinstance(node.value, cst.Call) and self.source.code(node.value.func) in owners
            if value is root or (value is None and (mine or made)):
                yield node

    def fate(self, root: cst.BaseExpression) -> Fate:
        """What is done with the value of an expression that is not bound to a name."""
        parent = self.source.parent(root)
        if (pattern := changed_by(self.source, root)) is not None:
            return Fate(use=Use.CHANGED, changes=pattern)
        match parent:
            case cst.Arg():
                return self._argument(parent)
            case cst.Expr():
                return Fate(use=Use.MENTION)
            case cst.DictElement():
                return self._item(parent)
            case cst.Return() | cst.Yield() | cst.Element() | cst.AssignTarget() | cst.Assign():
                return self._kept(root)
            case cst.Param() | cst.AnnAssign() | cst.Lambda():
                return Fate(use=Use.PASSED_ON)
        if any(isinstance(one, cst.Assert | cst.Raise) for one in self.source.around(root)):
            return Fate(use=Use.MENTION)
        return Fate(use=Use.UNKNOWN)

    def _argument(self, arg: cst.Arg) -> Fate:
        call = self.source.parent(arg)
        if not isinstance(call, cst.Call):
            return Fate(use=Use.UNKNOWN)  # the base of a class
        fate = fate_of(self.source, call, arg, self.dialect)
        if fate.use is Use.PASSED_ON and isinstance(self.source.parent(call), cst.Raise):
            return Fate(use=Use.MENTION)
        if fate.use is Use.PASSED_ON and self._asserted(call):
            return Fate(use=Use.MENTION)
        return fate

    def _asserted(self, node: cst.CSTNode) -> bool:
        return any(isinstance(one, cst.Assert) for one in self.source.around(node))

    def _item(self, element: cst.DictElement) -> Fate:
        """`configuration={"query": {"query": …}}` of an operator; other dictionaries are kept somewhere."""
        if self._asserted(element):
            return Fate(use=Use.MENTION)
        if _key(element) not in _SQL_KEYS:
            return Fate(use=Use.PASSED_ON)
        call = next((one for one in self.source.around(element) if isinstance(one, cst.Call)), None)
        from greylag.rewrite.python.calls import dialect_of

        dialect = dialect_of(self.source, call, self.dialect) if call is not None else None
        return Fate(use=Use.SQL, dialect=dialect)

    def _kept(self, root: cst.BaseExpression) -> Fate:
        parent = self.source.parent(root)
        if isinstance(parent, cst.Element):
            held = self.source.parent(parent)
            if (
                held is not None
                and isinstance(self.source.parent(held), cst.Arg)
                and isinstance(held, cst.List | cst.Set)
            ):
                arg = self.source.parent(held)
                assert isinstance(arg, cst.Arg)
                fate = self._argument(arg)
                if fate.use in (Use.SQL, Use.MENTION, Use.WRITE, Use.NAME_ONLY):
                    return fate
            if self._asserted(root):
                return Fate(use=Use.MENTION)
        return Fate(use=Use.PASSED_ON)


_SCOPES = (cst.ClassDef, cst.FunctionDef, cst.Module)


def _key(element: cst.DictElement) -> str:
    key = element.key
    value = key.evaluated_value if isinstance(key, cst.SimpleString) else None
    return value if isinstance(value, str) else ""
