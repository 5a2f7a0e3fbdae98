"""What changes a string's own text: a mapping that is put into the string would be changed with it."""

from __future__ import annotations

import re

import libcst as cst

from greylag.rewrite.python.source import Source

# Nothing of the text is lost, or nothing but its ends; or it is only looked at.
_HARMLESS = {
    *("strip", "lstrip", "rstrip", "format", "format_map", "join", "encode", "ljust", "rjust"),
    *("count", "find", "index", "rfind", "rindex", "startswith", "endswith"),
    *("isspace", "isupper", "islower", "isalpha", "isascii", "isdigit", "isidentifier"),
}
# What is looked for is the first argument.
_SEARCHES = {"replace", "split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix"}
# Functions that are told a pattern and then the text.
_PATTERNS = {"sub", "subn", "split"}
_REWRAPS = {"shorten", "fill", "wrap"}
ANYTHING = r"(?s:.)"


def changed_by(source: Source, root: cst.BaseExpression) -> str | None:
    """A pattern of what is changed in a string by what is done with it; None where nothing is.

    Where the pattern is found in what is put into the string, the program would do to it what it did to the
    rest.
    """
    parent = source.parent(root)
    match parent:
        case cst.Attribute() if parent.value is root:
            call = source.parent(parent)
            called = isinstance(call, cst.Call) and call.func is parent
            return _by_method(parent.attr.value, call) if called and isinstance(call, cst.Call) else None
        case cst.Subscript() if parent.value is root:
            return ANYTHING
        case cst.Arg():
            call = source.parent(parent)
            return _by_function(call, parent) if isinstance(call, cst.Call) else None
    return None


def _by_method(name: str, call: cst.Call) -> str | None:
    if name in _HARMLESS:
        return None
    if name == "splitlines":
        return r"[\r\n]"
    text = _text(call.args[0]) if name in _SEARCHES and call.args else None
    return re.escape(text) if text else ANYTHING


def _by_function(call: cst.Call, arg: cst.Arg) -> str | None:
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    name = call.func.value if isinstance(call.func, cst.Name) else name
    if name in _REWRAPS and call.args[0] is arg:
        return ANYTHING
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    if name not in _PATTERNS or call.args[0] is arg:
        return None
    module = isinstance(owner, cst.Name) and owner.value in {"re", "regex"}
    pattern = _text(call.args[0]) if module or owner is None else None
    try:
        re.compile(pattern or "(")
    except re.error:
        return ANYTHING
    return pattern


def _text(arg: cst.Arg) -> str | None:
    value = arg.value.evaluated_value if isinstance(arg.value, cst.SimpleString) else None
    return value if isinstance(value, str) and arg.keyword is None else None
