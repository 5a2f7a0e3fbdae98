"""Rendering a dbt file without dbt: every branch, with macros that are not known here kept as opaque words.

Conditions on the outside world (`is_incremental()`, `target.name == 'prod'`, `var('x')`) are taken both ways;
loops and variables of the file itself are run as Jinja runs them.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from greylag.domain.dbt import DbtSurroundings
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.dbt_bounds import BoundedEnvironment, bound
from greylag.verify.dbt_macros import Library, Returned
from greylag.verify.dbt_world import CHOOSE, Unrenderable, World

BRANCH_LIMIT = 32
NOTHING = DbtSurroundings()
_LAST_END = re.compile(r"\n;\n\s*\Z")  # what `_Wrappers` puts behind a file's only snapshot
_FAULTS = (TypeError, ValueError, ArithmeticError, LookupError, RecursionError)


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


def renderings(
    old: str, new: str, migration: CompiledMigration, project: DbtSurroundings = NOTHING
) -> Iterator[Rendering]:
    """Both versions, rendered alike, for every combination of outside conditions.

    `project` gives variables and macros their meaning; a macro that is changed is rendered by itself, with
    its parameters unknown. Raises Unrenderable with the reason.
    """
    environment = BoundedEnvironment(
        extensions=["jinja2.ext.do", _Wrappers], undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    try:
        trees = environment.parse(old), environment.parse(new)
    except jinja2.TemplateError as error:
        raise Unrenderable(f"its Jinja cannot be read here: {error}") from error
    pairs = [trees, *changed_macros(*trees)]
    for before, after in pairs:
        yield from _alike(environment, before, after, migration, project)


def changed_macros(
    old: nodes.Template, new: nodes.Template
) -> Iterator[tuple[nodes.Template, nodes.Template]]:
    """The bodies of macros that are not the same in both versions, as templates of their own."""
    before, after = (
        {node.name: node for node in tree.body if isinstance(node, nodes.Macro)} for tree in (old, new)
    )
    if list(before) != list(after):
        raise Unrenderable("the versions define other macros")
    for name, one in before.items():
        other = after[name]
        if (one.args, one.defaults) != (other.args, other.defaults):
            raise Unrenderable(f"macro {name} takes other arguments")
        if one.body != other.body:
            # Rendering changes the trees.
            first, second = (nodes.Template(copy.deepcopy(side.body), lineno=1) for side in (one, other))
            yield first, second


def _alike(
    environment: BoundedEnvironment,
    old: nodes.Template,
    new: nodes.Template,
    migration: CompiledMigration,
    project: DbtSurroundings,
) -> Iterator[Rendering]:
    conditions: dict[str, str] = {}
    library = Library(
        environment=environment,
        sources=project.macros,
        dialect=migration.dialect,
        prepare=lambda tree: _prepare(tree, conditions),
    )
    before, after = (_Version.of(environment, tree, conditions, library) for tree in (old, new))
    if 2 ** len(conditions) > BRANCH_LIMIT:
        raise Unrenderable(f"{len(conditions)} conditions combine in too many ways")
    for answers in itertools.product((False, True), repeat=len(conditions)):
        truth = dict(zip(conditions, answers, strict=True))
        world = World(migration, truth, project, library)
        environment.start()
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
    def of(
        cls,
        environment: jinja2.Environment,
        tree: nodes.Template,
        conditions: dict[str, str],
        library: Library,
    ) -> _Version:
        try:
            _prepare(tree, conditions)
            tree.set_environment(environment)
            wanted = meta.find_undeclared_variables(tree)
            library.reach(wanted, tree)
            return cls(template=environment.from_string(tree), names=frozenset(wanted))
        except jinja2.TemplateError as error:
            raise Unrenderable(f"its Jinja cannot be read here: {error}") from error

    def render(self, world: World) -> str:
        try:
            text = self.template.render({name: world.lookup(name) for name in self.names})
            return _LAST_END.sub("", text)
        except Returned as error:
            raise Unrenderable("it returns from outside of a macro") from error
        except (jinja2.TemplateError, *_FAULTS) as error:
            raise Unrenderable(f"its Jinja cannot be rendered here: {error}") from error


class _Wrappers(Extension):
    """`{% snapshot x %}...{% endsnapshot %}` and tests: what is rendered is their body."""

    tags = {"snapshot", "test", "data_test"}  # noqa: RUF012 - the attribute that Jinja asks for

    def parse(self, parser: Parser) -> list[nodes.Node]:
        keyword = next(parser.stream).value
        while parser.stream.current.type != "block_end":
            next(parser.stream)
        body: list[nodes.Node] = parser.parse_statements((f"name:end{keyword}",), drop_needle=True)
        # A file may hold several: they are statements of their own.
        return [*body, nodes.Output([nodes.TemplateData("\n;\n")])]


def _assigned(tree: nodes.Template) -> frozenset[str]:
    """What the template sets itself, parameters of its macros included."""
    return frozenset({name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"} | {"loop"})


def _prepare(tree: nodes.Template, conditions: dict[str, str]) -> None:
    _take_both_ways(tree, _assigned(tree), conditions)
    bound(tree)


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
