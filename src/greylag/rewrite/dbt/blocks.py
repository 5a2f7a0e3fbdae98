"""Control flow of a dbt file: which stretches can be part of one rendering.

Branches that share a condition go together (`is_incremental()` is the same everywhere in a file), loops are
looked at with one round, where `loop.first` and `loop.last` hold, and macro bodies are never part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from greylag.rewrite.dbt.jinja import JinjaError, Span, SpanKind, condition, expression, names, statement

VARIANT_LIMIT = 64
_HIDDEN = frozenset({"macro", "call", "filter", "materialization", "docs"})
_QUERIES = frozenset({"snapshot", "test", "data_test"})
_SHOWN = _QUERIES | {"with", "block"}
# Also when the file never ends them: then it is broken, and not to be edited.
_BODIES = _HIDDEN | _SHOWN | {"set"}
_ARMS = frozenset({"else", "elif"})
_ONE_ROUND = {"loop.first": True, "loop.last": True}


@dataclass(frozen=True, slots=True)
class Arm:
    """One body of a block: `start..end` without its tags; `test` is its condition, None for `else`."""

    start: int
    end: int
    test: str | None
    children: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A statement with bodies; `keyword` says which."""

    keyword: str
    start: int
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way through the branches: what is not rendered. `optional` variants may fail to parse.

    `body` is the place of the one body that is looked at alone (a macro's, a snapshot's among several); then
    `owner` says what it is called, and `macro` that its text becomes part of others.
    """

    hidden: tuple[tuple[int, int], ...]
    optional: bool = False
    body: tuple[int, int] | None = None
    owner: str = ""
    macro: bool = False

    def shows(self, start: int, end: int) -> bool:
        """True when no part of `start..end` is hidden."""
        return not any(low <= start and end <= high for low, high in self.hidden)


class TooManyVariants(Exception):
    """The branches of a file combine in more ways than are looked at."""


@dataclass(slots=True)
class _Open:
    keyword: str
    start: int
    arm_start: int
    test: str | None
    arms: list[Arm] = field(default_factory=list)
    children: list[Block] = field(default_factory=list)


def blocks(spans: tuple[Span, ...]) -> tuple[Block, ...]:
    """The blocks of a file, nested. Raises JinjaError when tags do not pair up."""
    ends = {span.keyword for span in spans if span.kind is SpanKind.STATEMENT} | {"endif", "endfor"}
    stack = [_Open(keyword="", start=0, arm_start=0, test=None)]
    for span in spans:
        if span.kind is not SpanKind.STATEMENT:
            continue
        if span.keyword.startswith("end"):
            _close(stack, span)
        elif span.keyword in _ARMS:
            _turn(stack, span)
        elif (f"end{span.keyword}" in ends or span.keyword in _BODIES) and _has_body(span):
            stack.append(_Open(keyword=span.keyword, start=span.start, arm_start=span.end, test=_test(span)))
    if len(stack) > 1:
        raise JinjaError(f"{{% {stack[-1].keyword} %}} is never ended", _line(spans, stack[-1].start))
    return tuple(stack[0].children)


def _unseen(block: Block) -> Block:
    return Block("macro", block.start, block.arms)


def _has_body(span: Span) -> bool:
    return span.keyword != "set" or statement(span.code) is None


def _test(span: Span) -> str | None:
    return span.code.split(None, 1)[1] if span.keyword in {"if", "elif"} and " " in span.code else None


def _line(spans: tuple[Span, ...], start: int) -> int:
    return next(span.line for span in spans if span.start == start)


def _close(stack: list[_Open], span: Span) -> None:
    top = stack[-1]
    if len(stack) == 1 or span.keyword != f"end{top.keyword}":
        raise JinjaError(f"{{% {span.keyword} %}} ends nothing that is open here", span.line)
    stack.pop()
    top.arms.append(Arm(top.arm_start, span.start, top.test, tuple(top.children)))
    stack[-1].children.append(Block(top.keyword, top.start, tuple(top.arms)))


def _turn(stack: list[_Open], span: Span) -> None:
    top = stack[-1]
    if top.keyword not in {"if", "for"}:
        raise JinjaError(f"{{% {span.keyword} %}} stands outside of if and for", span.line)
    top.arms.append(Arm(top.arm_start, span.start, top.test, tuple(top.children)))
    top.arm_start, top.test, top.children = span.end, _test(span), []


def alone(tree: tuple[Block, ...], spans: tuple[Span, ...], text: str) -> tuple[Variant, ...]:
    """Every way through each body that is a program of its own: macros, and snapshots or tests of a file.

    Raises TooManyVariants.
    """
    changing = _assigned(spans)
    found: list[Variant] = []
    tags = {span.start: span.code for span in spans}
    for block in tree:
        if block.keyword != "macro" and not (block.keyword in _QUERIES and _several(tree)):
            continue
        (arm,) = block.arms
        outside = ((0, arm.start), (arm.end, len(text)))
        for one in _distinct(arm.children, changing, loops=True):
            found.append(
                Variant(
                    hidden=tuple(sorted((*outside, *one.hidden))),
                    body=(arm.start, arm.end),
                    owner=_owner(tags[block.start]),
                    macro=block.keyword == "macro",
                )
            )
    return tuple(found)


def _several(tree: tuple[Block, ...]) -> bool:
    return sum(block.keyword in _QUERIES for block in tree) > 1


def _owner(code: str) -> str:
    words = code.partition("(")[0].split()
    return words[-1] if words else code


def variants(tree: tuple[Block, ...], spans: tuple[Span, ...]) -> tuple[Variant, ...]:
    """Every way through the branches, up to VARIANT_LIMIT (TooManyVariants beyond)."""
    changing = _assigned(spans)
    if _several(tree):
        tree = tuple(_unseen(block) if block.keyword in _QUERIES else block for block in tree)
    found = _distinct(tree, changing, loops=True)
    if any(span.keyword == "for" for span in spans):
        known = {variant.hidden for variant in found}
        empty = _distinct(tree, changing, loops=False)
        found += tuple(
            Variant(hidden=variant.hidden, optional=True) for variant in empty if variant.hidden not in known
        )
    return found


def _distinct(tree: tuple[Block, ...], changing: frozenset[str], *, loops: bool) -> tuple[Variant, ...]:
    seen: dict[tuple[tuple[int, int], ...], None] = {}
    for hidden, _ in _Walk(changing=changing, loops=loops).sequence(tree, _ONE_ROUND):
        seen[tuple(sorted(hidden))] = None
        if len(seen) > VARIANT_LIMIT:
            raise TooManyVariants
    return tuple(Variant(hidden=hidden) for hidden in seen)


def _assigned(spans: tuple[Span, ...]) -> frozenset[str]:
    """Variables that change within the file: a condition on them may change its answer."""
    found = {"loop"}
    for span in spans:
        if span.keyword == "set":
            left = span.code.split(None, 1)[-1].split("=", 1)[0]
            found.update(part.strip().split(".")[0] for part in left.split(","))
        elif span.keyword == "for":
            left = span.code.split(None, 1)[-1].split(" in ", 1)[0]
            found.update(part.strip(" ()") for part in left.split(","))
    return frozenset(found)


_Known = Mapping[str, bool]
_Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    changing: frozenset[str]
    loops: bool

    def sequence(self, tree: tuple[Block, ...], known: _Known) -> Iterator[tuple[_Ranges, _Known]]:
        if not tree:
            yield (), known
            return
        for hidden, after in self.block(tree[0], known):
            for rest, last in self.sequence(tree[1:], after):
                yield hidden + rest, last

    def block(self, block: Block, known: _Known) -> Iterator[tuple[_Ranges, _Known]]:
        if block.keyword == "if":
            yield from self.branch(block, known)
        elif block.keyword == "for":
            shown = 0 if self.loops else 1
            yield from self.only(block, shown, known)
        elif block.keyword in _SHOWN:
            yield from self.only(block, 0, known)
        else:
            yield from self.only(block, -1, known)

    def only(self, block: Block, shown: int, known: _Known) -> Iterator[tuple[_Ranges, _Known]]:
        """Show one body (none when there is no such), hide the others."""
        hidden = tuple((arm.start, arm.end) for at, arm in enumerate(block.arms) if at != shown)
        children = block.arms[shown].children if 0 <= shown < len(block.arms) else ()
        for inner, after in self.sequence(children, known):
            yield hidden + inner, after

    def branch(self, block: Block, known: _Known) -> Iterator[tuple[_Ranges, _Known]]:
        for at, arm in enumerate(block.arms):
            if arm.test is None:
                yield from self.only(block, at, known)
                return
            key, positive = self.key(block, at, arm.test)
            truth = known.get(key)
            if truth is None or truth == positive:
                yield from self.only(block, at, {**known, key: positive})
            if truth is not None and truth == positive:
                return
            known = {**known, key: not positive}
        yield from self.only(block, -1, known)

    def key(self, block: Block, at: int, test: str) -> tuple[str, bool]:
        """What a condition is called, and whether it holds when that does."""
        code = " ".join(test.split())
        positive = True
        while code.startswith("not ") and isinstance(expression(code), nodes.Not):
            code, positive = code.removeprefix("not ").strip(), not positive
        tree = condition(f"if {code}")
        if code in _ONE_ROUND:
            return code, positive
        if tree is None or names(tree) & self.changing:
            return f"{block.start}:{at}:{code}", positive
        return code, positive


def loop_truth(node: nodes.Node | None) -> bool | None:
    """What `loop.first`, `loop.last` and their negations are in a loop's only round; None for the rest."""
    match node:
        case nodes.Not():
            inner = loop_truth(node.node)
            return None if inner is None else not inner
        case nodes.Getattr(node=nodes.Name(name="loop"), attr="first" | "last"):
            return True
        case _:
            return None
