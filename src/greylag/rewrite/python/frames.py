"""Which columns of a table that is read whole the program goes on to use."""

from __future__ import annotations

import libcst as cst

from greylag.rewrite.python.calls import called
from greylag.rewrite.python.source import Source


def columns_read(source: Source, call: cst.Call) -> tuple[str, ...] | None:
    """The columns that are picked at once from what `call` reads; None when all of them may be used.

    `.select("a", col("b"))` and `[["a", "b"]]` directly behind the read are understood.
    """
    above = source.parent(call)
    if isinstance(above, cst.Subscript) and above.value is call and len(above.slice) == 1:
        index = above.slice[0].slice
        picked = index.value if isinstance(index, cst.Index) else None
        return _texts(picked.elements) if isinstance(picked, cst.List) else None
    if isinstance(above, cst.Attribute) and above.value is call and above.attr.value == "select":
        select = source.parent(above)
        if isinstance(select, cst.Call) and select.func is above and select.args:
            return _picked(select)
    return None


def _picked(select: cst.Call) -> tuple[str, ...] | None:
    found: list[str] = []
    for arg in select.args:
        name = _column(arg.value) if not arg.star and arg.keyword is None else None
        if name is None or name == "*":
            return None
        found.append(name)
    return tuple(found)


def _column(node: cst.BaseExpression) -> str | None:
    """`"a"`, `col("a")`, `F.col("a")`."""
    if isinstance(node, cst.Call) and called(node) in ("col", "column") and len(node.args) == 1:
        node = node.args[0].value
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _texts(elements: object) -> tuple[str, ...] | None:
    assert isinstance(elements, tuple | list)
    names = [_column(one.value) for one in elements]
    return tuple(name for name in names if name is not None) if None not in names else None
