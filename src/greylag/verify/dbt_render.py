"""Rendering a dbt file without dbt: every branch, with macros that are not known here kept as opaque words.

Conditions on the outside world (`is_incremental()`, `target.name == 'prod'`, `var('x')`) are taken both ways;
loops and variables of the file itself are run as Jinja runs them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import SandboxedEnvironment

from greylag.mapping.compiled import CompiledMigration
from greylag.verify.dbt_world import CHOOSE, Unrenderable, World

BRANCH_LIMIT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """One rendering of both versions of a file, as SQL.

    `branch` says which conditions hold in it; `guessed` names the variables without a default, for which a
    value was made up.
    """

    branch: str
    old: str
    new: str
    guessed: tuple[str, ...]


def renderings(old: str, new: str, migration: CompiledMigration) -> Iterator[Rendering]:
    """Both versions, rendered alike, for every combination of outside conditions.

    Raises Unrenderable with the reason.
    """
    environment = SandboxedEnvironment(
        extensions=["jinja2.ext.do", _Wrappers], undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    conditions: dict[str, str] = {}
    before, after = (_Version.of(environment, source, conditions) for source in (old, new))
    if 2 ** len(conditions) > BRANCH_LIMIT:
        raise Unrenderable(f"{len(conditions)} conditions combine in too many ways")
    for answers in itertools.product((False, True), repeat=len(conditions)):
        truth = dict(zip(conditions, answers, strict=True))
        world = World(migration, truth)
        yield Rendering(
            branch=", ".join(
                f"{conditions[key]}: {'yes' if holds else 'no'}" for key, holds in truth.items()
            ),
            old=before.render(world),
            new=after.render(world),
            guessed=tuple(sorted(world.guessed)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    template: jinja2.Template
    names: frozenset[str]

    @classmethod
    def of(cls, environment: jinja2.Environment, source: str, conditions: dict[str, str]) -> _Version:
        try:
            tree = environment.parse(source)
            assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"} | {"loop"}
            _take_both_ways(tree, frozenset(assigned), conditions)
            tree.set_environment(environment)
            wanted = meta.find_undeclared_variables(tree)
            return cls(template=environment.from_string(tree), names=frozenset(wanted))
        except jinja2.TemplateError as error:
            raise Unrenderable(f"its Jinja cannot be read here: {error}") from error

    def render(self, world: World) -> str:
        try:
            return self.template.render({name: world.lookup(name) for name in self.names})
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise Unrenderable(f"its Jinja cannot be rendered here: {error}") from error


class _Wrappers(Extension):
    """`{% snapshot x %}...{% endsnapshot %}` and tests: what is rendered is their body."""

    tags = {"snapshot", "test", "data_test"}  # noqa: RUF012 - the attribute that Jinja asks for

    def parse(self, parser: Parser) -> list[nodes.Node]:
        keyword = next(parser.stream).value
        while parser.stream.current.type != "block_end":
            next(parser.stream)
        return parser.parse_statements((f"name:end{keyword}",), drop_needle=True)


def _take_both_ways(tree: nodes.Node, assigned: frozenset[str], conditions: dict[str, str]) -> None:
    """Replace every condition on something that the file does not set by a question to the world."""
    for branch in tree.find_all(nodes.If):
        if isinstance(branch.test, nodes.Expr):
            branch.test = _asked(branch.test, assigned, conditions)
    for choice in tree.find_all(nodes.CondExpr):  # the same for `a if b else c`
        choice.test = _asked(choice.test, assigned, conditions)


def _asked(test: nodes.Expr, assigned: frozenset[str], conditions: dict[str, str]) -> nodes.Expr:
    match test:
        case nodes.Not():
            return nodes.Not(_asked(test.node, assigned, conditions), lineno=test.lineno)
        case nodes.And() | nodes.Or():
            left, right = (_asked(side, assigned, conditions) for side in (test.left, test.right))
            return type(test)(left, right, lineno=test.lineno)
        case nodes.Name(name="execute"):
            return nodes.Const(True, lineno=test.lineno)
    read = sorted(_names(test))
    if not read or assigned & set(read):
        return test
    key = repr(test)
    conditions.setdefault(key, f"condition on {', '.join(read)} in line {test.lineno}")
    asked = nodes.Name(CHOOSE, "load", lineno=test.lineno)
    return nodes.Call(asked, [nodes.Const(key, lineno=test.lineno)], [], None, None, lineno=test.lineno)


def _names(node: nodes.Expr) -> set[str]:
    own = {node.name} if isinstance(node, nodes.Name) else set()
    return own | {name.name for name in node.find_all(nodes.Name)}
