"""Which parts of a PySpark module can be run by themselves, and what must have been run to judge a change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PURE = {
    *(
        "__future__",
        "abc",
        "argparse",
        "base64",
        "calendar",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
    ),
    *(
        "datetime",
        "decimal",
        "enum",
        "functools",
        "hashlib",
        "itertools",
        "json",
        "logging",
        "math",
        "numbers",
    ),
    *("operator", "pyspark", "random", "re", "statistics", "string", "textwrap", "time", "typing", "uuid"),
    *("warnings", "zoneinfo"),
}
# Of these modules only what looks at nothing outside.
_PARTLY = {"os": {"environ", "getenv", "path"}, "sys": {"argv", "exit", "stdout", "stderr", "version_info"}}
_FORBIDDEN = {
    *("open", "exec", "eval", "compile", "__import__", "input", "breakpoint", "globals", "locals", "vars"),
    *("getattr", "setattr", "delattr", "__builtins__", "__loader__", "__spec__", "help", "memoryview"),
}
_OUTSIDE = {
    *(
        "readStream",
        "writeStream",
        "load",
        "jdbc",
        "textFile",
        "wholeTextFiles",
        "binaryFiles",
        "binaryRecords",
    ),
    *("pipe", "addPyFile", "addFile", "addJar", "addArtifact", "addArtifacts", "hadoopFile", "hadoopRDD"),
    *(
        "newAPIHadoopFile",
        "newAPIHadoopRDD",
        "sequenceFile",
        "pickleFile",
        "saveAsTextFile",
        "saveAsPickleFile",
    ),
    *("saveAsHadoopFile", "saveAsNewAPIHadoopFile", "saveAsSequenceFile", "registerJavaFunction"),
    *("registerJavaUDAF", "setCheckpointDir", "fileConfig", "FileHandler", "basicConfig", "exists", "walk"),
}
_READERS = {"csv", "json", "parquet", "orc", "text", "xml", "format", "schema"}
_WAYS_OUT = re.compile(
    r"(?i)\b(?:try_)?reflect\s*\(|\bjava_method\s*\(|\b(?:parquet|csv|json|orc|text|binaryfile|avro|delta)\s*\.\s*`"
)
_SESSION = re.compile(
    r"(?i)^(?:spark|ss|sc_?session|spark_?session|session|sql_?context|hive_?context|sqlc)$"
)
_SAMPLES = {"str", "int", "float", "bool", "date", "datetime.date", "dt.date"}
_SILENT = (ast.Raise, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom)
_HEADS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A statement of the module's top level: the names that it binds, and those that it uses."""

    node: ast.stmt
    binds: frozenset[str]
    uses: frozenset[str]

    @property
    def function(self) -> ast.FunctionDef | None:
        """The function that it defines."""
        return self.node if isinstance(self.node, ast.FunctionDef) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something to run: a function by its name, or the module itself (no name), with the units it needs.

    `arguments` maps each parameter that must be given to `spark` or the kind of value it takes.
    """

    name: str
    units: tuple[int, ...]
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is to be run of both versions, and the lines of each that must have been reached."""

    old: tuple[Entry, ...]
    new: tuple[Entry, ...]
    old_lines: tuple[tuple[int, int], ...]
    new_lines: tuple[tuple[int, int], ...]


class NotIsolated(Exception):
    """The code cannot be run by itself; the text says why."""


def units_of(text: str) -> tuple[Unit, ...]:
    """The top level of a module. Raises NotIsolated where Python cannot read it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NotIsolated(f"Python cannot read it: {error}") from None
    return tuple(
        Unit(node=node, binds=frozenset(_bound(node)), uses=frozenset(_used(node))) for node in tree.body
    )


def plan(old: tuple[Unit, ...], new: tuple[Unit, ...]) -> Judged:
    """Which entries of two versions show what changed between them. Raises NotIsolated where none does."""
    before, after = _changed(old, new), _changed(new, old)
    if not before and not after:
        raise NotIsolated("the two versions are the same code")
    olds_given, news_given = _entries(old), _entries(new)
    runnable = {name for name in olds_given if olds_given[name] == news_given.get(name)}
    touched_old, touched_new = _touched(old, before, runnable), _touched(new, after, runnable)
    faults: list[str] = []
    olds: list[Entry] = []
    news: list[Entry] = []
    for name in _chosen((old, touched_old), (new, touched_new), runnable):
        units = _of(old, name), _of(new, name)
        why = _outside(old, units[0]) or _outside(new, units[1])
        if why is not None:
            faults.append(why)
            continue
        olds.append(Entry(name=name, units=units[0], arguments=olds_given[name]))
        news.append(Entry(name=name, units=units[1], arguments=news_given[name]))
    if not olds:
        why = (
            faults[0] if faults else "no function takes or makes a session and nothing that is not known here"
        )
        raise NotIsolated(why)
    return Judged(
        old=tuple(olds),
        new=tuple(news),
        old_lines=tuple(_lines(old, touched_old)),
        new_lines=tuple(_lines(new, touched_new)),
    )


_Side = tuple[tuple[Unit, ...], set[int]]


def _chosen(old: _Side, new: _Side, runnable: set[str]) -> list[str]:
    """Functions that are touched themselves; what none of them needs, with all that can be run."""
    chosen = {
        name
        for units, touched in (old, new)
        for number in touched
        for name in units[number].binds
        if name in runnable and units[number].function is not None
    }
    left = False
    for units, touched in (old, new):
        met = {number for name in chosen for number in _of(units, name)}
        left = left or bool(touched - met)
    if left:
        chosen |= {
            name for name in runnable for units, touched in (old, new) if set(_of(units, name)) & touched
        }
    return sorted(chosen)


# -- names --------------------------------------------------------------------------------------------------


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds in its own scope."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            yield from (name for one in ast.walk(node) if isinstance(one, ast.Global) for name in one.names)
            return
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.Name() if isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        case ast.Import() | ast.ImportFrom():
            yield from ((one.asname or one.name).split(".")[0] for one in node.names)
        case ast.ExceptHandler() if node.name:
            yield node.name
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


def _used(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            yield one.id
        elif isinstance(one, ast.Global):
            yield from one.names


def _closed(units: tuple[Unit, ...], start: set[int]) -> tuple[int, ...]:
    """The units with all that they need; calls on the top level that may change what they use come along."""
    chosen = set(start)
    while True:
        names = frozenset[str]().union(*(units[number].uses for number in chosen))
        data = {
            name
            for number in chosen
            if isinstance(units[number].node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.With)
            for name in units[number].binds
        }
        more = {
            number
            for number, unit in enumerate(units)
            if unit.binds & names or (_acts(unit.node) and unit.uses & data)
        }
        if more <= chosen:
            return tuple(sorted(chosen))
        chosen |= more


def _acts(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    return isinstance(node, ast.For | ast.While | ast.If | ast.With | ast.Try | ast.Delete | ast.Assert) or (
        isinstance(node, ast.Assign) and any(not isinstance(one, ast.Name) for one in node.targets)
    )


def _of(units: tuple[Unit, ...], name: str) -> tuple[int, ...]:
    if not name:
        return tuple(range(len(units)))
    return _closed(units, {number for number, unit in enumerate(units) if name in unit.binds})


# -- entries ------------------------------------------------------------------------------------------------


def _entries(units: tuple[Unit, ...]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The functions that can be called here, with what they are given; the module itself if it acts."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    if any(_acts(unit.node) for unit in units):
        found[""] = ()
    bound = [name for unit in units for name in unit.binds]
    for unit in units:
        function = unit.function
        if function is None or function.decorator_list or bound.count(function.name) > 1:
            continue
        given = _given(function.args)
        if given is not None:
            found[function.name] = given
    return found


def _given(args: ast.arguments) -> tuple[tuple[str, str], ...] | None:
    if args.posonlyargs:
        return None
    positional = args.args[: len(args.args) - len(args.defaults)]
    keywords = [
        one for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True) if default is None
    ]
    found: list[tuple[str, str]] = []
    for one in (*positional, *keywords):
        said = ast.unparse(one.annotation).strip("'\"") if one.annotation is not None else ""
        if said.endswith("SparkSession") or (not said and _SESSION.match(one.arg)):
            found.append((one.arg, "spark"))
        elif said in _SAMPLES:
            found.append((one.arg, said.rsplit(".", 1)[-1]))
        else:
            return None
    return tuple(found)


# -- what changed -------------------------------------------------------------------------------------------


def _changed(units: tuple[Unit, ...], others: tuple[Unit, ...]) -> set[int]:
    """The units that the other version does not have, by what they say."""
    known = [ast.dump(unit.node) for unit in others]
    found: set[int] = set()
    for number, unit in enumerate(units):
        said = ast.dump(unit.node)
        if said in known:
            known.remove(said)
        else:
            found.add(number)
    return found


def _touched(units: tuple[Unit, ...], changed: set[int], runnable: set[str]) -> set[int]:
    """The changed units and what uses them, except behind a function that is compared by itself."""
    found, edge = set(changed), set(changed)
    while edge:
        names = {
            name
            for number in edge
            for name in units[number].binds
            if units[number].function is None or name not in runnable
        }
        edge = {number for number, unit in enumerate(units) if unit.uses & names} - found
        found |= edge
    return found


def _lines(units: tuple[Unit, ...], touched: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last line of every statement that must have run for the comparison to mean something."""
    for number in sorted(touched):
        unit = units[number].node
        for node in ast.walk(unit):
            if isinstance(node, ast.stmt) and not isinstance(node, (*_SILENT, *_HEADS)) and not _mere(node):
                yield node.lineno, _head_end(node)


def _mere(node: ast.stmt) -> bool:
    """Constants as statements (docstrings), annotations without a value."""
    if isinstance(node, ast.AnnAssign):
        return node.value is None
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _head_end(node: ast.stmt) -> int:
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
    return max(last, node.lineno)


# -- ways out -----------------------------------------------------------------------------------------------


def _outside(units: tuple[Unit, ...], chosen: tuple[int, ...]) -> str | None:
    """What in these units reaches further than Spark's tables; not a wall, which the sandbox is."""
    for number in chosen:
        for node in ast.walk(units[number].node):
            why = _way_out(node)
            if why is not None:
                return f"line {getattr(node, 'lineno', 0)}: {why}: it is not run here"
    return None


def _way_out(node: ast.AST) -> str | None:
    match node:
        case ast.Import():
            bad = [one.name for one in node.names if one.name.split(".")[0] not in _PURE | _PARTLY.keys()]
            return f"it imports {bad[0]}" if bad else None
        case ast.ImportFrom():
            return _import(node)
        case ast.Name() if node.id in _FORBIDDEN:
            return f"`{node.id}` is used"
        case ast.Attribute():
            return _attribute(node)
        case ast.Constant() if isinstance(node.value, str) and _WAYS_OUT.search(node.value):
            return "SQL that reads files or calls Java"
        case _:
            return None


def _import(node: ast.ImportFrom) -> str | None:
    module = (node.module or "").split(".")[0]
    if node.level or (module not in _PURE and module not in _PARTLY):
        return f"it imports {'.' * node.level}{node.module or ''}"
    allowed = _PARTLY.get(module)
    bad = [one.name for one in node.names if one.name == "*" and module != "pyspark"]
    bad += [one.name for one in node.names if allowed is not None and one.name not in allowed]
    return f"it imports {module}.{bad[0]}" if bad else None


def _attribute(node: ast.Attribute) -> str | None:
    name, owner = node.attr, node.value
    if name.startswith("_") and not (
        isinstance(owner, ast.Name) and owner.id in ("self", "cls") and name[:2] != "__"
    ):
        return f"`.{name}` is used"
    if isinstance(owner, ast.Name) and owner.id in _PARTLY and name not in _PARTLY[owner.id]:
        return f"`{owner.id}.{name}` is used"
    if name in _OUTSIDE:
        return f"`.{name}` reads or writes something else than a table"
    if name in _READERS and any(
        isinstance(one, ast.Attribute) and one.attr == "read" for one in ast.walk(owner)
    ):
        return f"`.read….{name}` reads something else than a table"
    return None
