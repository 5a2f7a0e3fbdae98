"""Guard of Python tests: every test, mark, assertion and expected value of before is there, as strong."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from greylag.verify.guards.subject import FileDiff, Finding, Subject
from greylag.verify.guards.vocabulary import Vocabulary
from greylag.verify.guards.weak import is_test, lexed, unexplained

_ASSERTING = re.compile(r"^(?:assert|should|expect|verify|check|raises$|warns$|fail$|deprecated_call$)", re.I)
_EXPECTED = re.compile(r"(?i)expect|want|should|golden|truth|desired")
_SKIPS = re.compile(
    r"\b(?:skip|skipif|skipIf|skipUnless|skipTest|SkipTest|xfail|importorskip|expectedFailure|exit|_exit|slow|"
    r"usefixtures|flaky|timeout)\b"
)
_DOUBLES = re.compile(r"\b(?:monkeypatch|mock|Mock|MagicMock|patch|mocker|stub|side_effect|return_value)\b")
_HOOKS = re.compile(
    r"^(?:pytest_\w+|collect_ignore\w*|pytestmark|pytest_plugins|__test__|load_tests|setUpModule|addopts)$"
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_AROUND = (
    ast.If,
    ast.Try,
    ast.For,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.AsyncFor,
    ast.FunctionDef,
    ast.Lambda,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One assertion: its text, and what stands around it within its test."""

    text: str
    around: tuple[str, ...]
    line: int


@dataclass(slots=True, kw_only=True)
class Test:
    """What one test function does, as far as its strength goes."""

    line: int
    marks: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    ends: int = 0
    doubles: int = 0


def weak_python(subject: Subject) -> Iterator[Finding]:
    """No Python test deleted, renamed away, skipped, given another expectation or wrapped."""
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if not file.path.endswith(".py") or file.old_data is None or file.new_data is None:
            continue
        yield from _file(file, vocabulary)


def _file(file: FileDiff, vocabulary: Vocabulary) -> Iterator[Finding]:
    old, new = _parse(file.old), _parse(file.new)
    if new is None:
        if old is not None:
            yield Finding(path=file.path, line=0, message="it was valid Python, and is no more")
        return
    if old is None:
        if is_test(file.path):
            message = "a test that is no valid Python cannot be compared"
            yield Finding(path=file.path, line=0, message=message, doubt=True)
        return
    before, after = _tests(old), _tests(new)
    pairs = _paired(before, after, vocabulary)
    for name, test in before.items():
        found = after.get(pairs.get(name, ""))
        if found is None:
            yield Finding(
                path=file.path, line=test.line, message=f"the test `{name}` is gone or not collected"
            )
        else:
            yield from _compare(file, name, test, found, vocabulary)
    if before or is_test(file.path):
        yield from _module(file, old, new, vocabulary)


def _parse(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _paired(before: dict[str, Test], after: dict[str, Test], vocabulary: Vocabulary) -> dict[str, str]:
    """Each test's name to its name now: the same, or, in order, one that says the new names."""
    pairs = {name: name for name in before if name in after}
    gone = [name for name in before if name not in after]
    came = [name for name in after if name not in before]
    if len(gone) == len(came):
        for old, new in zip(gone, came, strict=True):
            if vocabulary.old(old.replace(".", "_")) and vocabulary.new(new.replace(".", "_")):
                pairs[old] = new
    return pairs


def _tests(tree: ast.Module) -> dict[str, Test]:
    """Every test function by its qualified name; a later one of a name takes its place."""
    found: dict[str, Test] = {}
    for prefix, node in _functions(tree, ""):
        if node.name.startswith("test"):
            name = f"{prefix}{node.name}"
            found.pop(name, None)
            found[name] = _read(node)
    return found


def _functions(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, _Function]]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _read(node: _Function) -> Test:
    test = Test(line=node.lineno, marks=[ast.unparse(mark) for mark in node.decorator_list])
    test.inputs["arguments"] = ast.unparse(node.args)
    for statement in node.body:
        _walk(statement, (), test)
    return test


def _walk(node: ast.AST, around: tuple[str, ...], test: Test) -> None:
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _ASSERTING.match(_called(node))):
        # A tuple is true whatever is in it.
        empty = isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple)
        text = "assert True" if empty else ast.unparse(node)
        test.claims.append(Claim(text=text, around=around, line=node.lineno))
    elif isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue | ast.Yield | ast.YieldFrom):
        test.ends += 1
    elif isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        test.ends += bool(_SKIPS.fullmatch(name))
        test.doubles += bool(_DOUBLES.fullmatch(name))
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        name = ", ".join(ast.unparse(target) for target in targets)
        test.inputs[f"{name}#{sum(key.startswith(name + '#') for key in test.inputs)}"] = ast.unparse(
            node.value
        )
    inner = (*around, _head(node)) if isinstance(node, _AROUND) else around
    for child in ast.iter_child_nodes(node):
        _walk(child, inner, test)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _head(node: ast.AST) -> str:
    match node:
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return "with " + ", ".join(_callee(item.context_expr) for item in items)
        case _:
            return type(node).__name__


def _callee(node: ast.expr) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ast.unparse(node)


def _compare(file: FileDiff, name: str, old: Test, new: Test, vocabulary: Vocabulary) -> Iterator[Finding]:
    def found(line: int, message: str) -> Finding:
        return Finding(path=file.path, line=line, message=f"test `{name}`: {message}")

    if (what := _differ(old.marks, new.marks, vocabulary)) is not None:
        yield found(new.line, f"its marks changed: {what}")
    if new.ends > old.ends:
        yield found(new.line, "it may end, or be skipped, earlier than before")
    if new.doubles > old.doubles:
        yield found(new.line, "it replaces more of what it tests than before")
    if len(new.claims) < len(old.claims):
        yield found(new.line, f"it had {len(old.claims)} assertions and has {len(new.claims)}")
    for line, message in _claims(old.claims, new.claims, vocabulary):
        yield found(line, message)
    for key, value in old.inputs.items():
        if key not in new.inputs or value == new.inputs[key]:
            continue
        strict = bool(_EXPECTED.search(key))
        what = unexplained(lexed(value), lexed(new.inputs[key]), vocabulary, wide=not strict)
        if what is not None:
            kind = "what is expected" if strict else "an input"
            yield found(new.line, f"{kind} (`{key.split('#')[0]}`) changed: {what}")


def _claims(old: list[Claim], new: list[Claim], vocabulary: Vocabulary) -> Iterator[tuple[int, str]]:
    """Each assertion of before has its own now, as strong and in the same place; more may stand between."""
    left = list(new)
    for place, claim in enumerate(old):
        same = (
            each
            for each in left
            if each.around == claim.around
            and unexplained(lexed(claim.text), lexed(each.text), vocabulary) is None
        )
        match = next(same, None)
        if match is not None:
            left.remove(match)
        elif place < len(new):
            what = unexplained(lexed(claim.text), lexed(new[place].text), vocabulary)
            said = f"an assertion changed: {what}" if what else "an assertion stands within something else"
            yield new[place].line, said


def _differ(old: list[str], new: list[str], vocabulary: Vocabulary) -> str | None:
    return unexplained(lexed(" ; ".join(old)), lexed(" ; ".join(new)), vocabulary, wide=True)


def _module(file: FileDiff, old: ast.Module, new: ast.Module, vocabulary: Vocabulary) -> Iterator[Finding]:
    """What stands outside of the test functions and decides whether and how they run."""
    had = Counter(name for name, _ in _settings(old))
    for name, line in _settings(new):
        if had[name] > 0:
            had[name] -= 1
        else:
            message = f"`{name}` decides what is tested, and was not here before"
            yield Finding(path=file.path, line=line, message=message)
    before = {key: value for key, value, _ in _values(old)}
    for key, value, line in _values(new):
        if key not in before or before[key] == value:
            continue
        strict = bool(_EXPECTED.search(key)) or _HOOKS.match(key) is not None
        what = unexplained(lexed(before[key]), lexed(value), vocabulary, wide=not strict)
        if what is not None:
            yield Finding(path=file.path, line=line, message=f"`{key}` of a test changed: {what}")


def _settings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    yield from _shadows(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and _HOOKS.match(node.name):
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            if _HOOKS.match(node.id) or node.id.startswith("test_"):
                yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            if _HOOKS.match(node.attr) or node.attr.startswith("test_"):
                yield node.attr, node.lineno
        elif isinstance(node, ast.Call | ast.Attribute):
            name = _called(node) if isinstance(node, ast.Call) else node.attr
            if name in ("skip", "xfail", "importorskip", "skipif", "exit", "_exit"):
                yield name, node.lineno


def _shadows(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Imported names and builtins that mean something else from here on: what is tested may be gone."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    known = imported | set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name in known:
            yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in known:
            yield node.id, node.lineno


def _values(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Values of module and class variables, and what fixtures and helpers return."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            continue
        owner = "" if isinstance(node, ast.Module) else f"{node.name}."
        for index, child in enumerate(node.body):
            if isinstance(child, ast.Assign):
                yield owner + ast.unparse(child.targets[0]), ast.unparse(child.value), child.lineno
            elif isinstance(child, ast.Return) and child.value is not None:
                yield f"{owner}return {index}", ast.unparse(child.value), child.lineno
