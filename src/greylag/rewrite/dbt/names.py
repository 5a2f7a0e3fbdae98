"""dbt's names of datasets: which calls stand for a replaced one, and how to write new ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jinja2 import nodes

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import CompiledMigration, DbtName, Names
from greylag.rewrite.dbt.jinja import constants

_OPENING = re.compile(r"\{\{([-+]?)(\s*)")
_TIGHT = re.compile(r",['\"]")
_CLOSING = re.compile(r"(\s*)([-+]?)\}\}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtCall:
    """A `ref` or `source` call. `args` is None when an argument is not a plain text or number.

    `texts` are all texts in it, wherever they stand.
    """

    kind: str
    args: tuple[str, ...] | None
    version: str | None = None
    texts: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str | None:
        """The alias of an unaliased read: the table of a source, the model of a ref (`users_v2` for v=2)."""
        if not self.args:
            return None
        return f"{self.args[-1]}_v{self.version}" if self.version else self.args[-1]


def call(node: nodes.Node | None) -> DbtCall | None:
    """The call that a tree is; None when it is no `ref` or `source` call."""
    match node:
        case nodes.Call(node=nodes.Name(name="ref" | "source" as kind)):
            pass
        case nodes.Call(node=nodes.Getattr(node=nodes.Name(name="builtins"), attr="ref" | "source" as kind)):
            pass
        case _:
            return None
    args = [_plain(arg) for arg in node.args]
    versions = [_plain(pair.value) for pair in node.kwargs if pair.key in {"v", "version"}]
    odd = node.dyn_args or node.dyn_kwargs or len(versions) != len(node.kwargs) or None in versions
    whole = None if odd or not args or None in args else tuple(arg for arg in args if arg is not None)
    version = versions[0] if versions else None
    return DbtCall(kind=kind, args=whole, version=version, texts=tuple(constants(node)))


def _plain(node: nodes.Node) -> str | None:
    return str(node.value) if isinstance(node, nodes.Const) and isinstance(node.value, str | int) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a call has to do with the migration: the replaced dataset it stands for, or why that is unsure."""

    dataset: DatasetRef | None = None
    doubt: str | None = None


def match(found: DbtCall, migration: CompiledMigration) -> Match:
    """Compare a call with the dbt names of every replaced dataset."""
    for mapping in migration.mappings:
        for name in mapping.names.dbt:
            if found.kind == name.kind and found.args == name.args and found.version is None:
                return Match(dataset=mapping.dataset)
    for mapping in migration.mappings:
        if doubt := _doubt(found, mapping.dataset, mapping.names.dbt):
            return Match(doubt=doubt)
    return Match()


def _doubt(found: DbtCall, dataset: DatasetRef, known: tuple[DbtName, ...]) -> str | None:
    """Why a call that has no exact match may still read a replaced dataset."""
    if found.args is None:
        names = {dataset.name.lower(), *(name.args[-1].lower() for name in known)}
        named = names & {text.lower() for text in found.texts}
        return f"may stand for {dataset}: its arguments are not all plain texts" if named else None
    if not found.args:
        return None
    last = found.args[-1]
    if found.version is None and any(_same_but_case(found, name) for name in known):
        return f"may stand for {dataset}: it differs from its dbt name in case only"
    if not known and last.lower() == dataset.name.lower():
        return f"may stand for {dataset}: give its dbt name under `ref:` in the migration file"
    for name in known:
        if name.kind == found.kind == "ref" and name.args[-1] == last and not _other_package(found, name):
            return f"may be another name of {dataset}: list it under `ref:` if it is"
    return None


def _same_but_case(found: DbtCall, name: DbtName) -> bool:
    return found.kind == name.kind and [*map(str.lower, found.args or ())] == [*map(str.lower, name.args)]


def _other_package(found: DbtCall, name: DbtName) -> bool:
    """True when both name a package and the packages differ: certainly another model."""
    return found.args is not None and len(found.args) == len(name.args) == 2 and found.args[0] != name.args[0]


def calls(node: nodes.Node) -> Iterator[DbtCall]:
    """Every `ref` and `source` call in a tree, the tree itself included."""
    own = call(node)
    if own is not None:
        yield own
    for inner in node.find_all(nodes.Call):
        found = call(inner)
        if found is not None:
            yield found


def told_names(migration: CompiledMigration) -> frozenset[str]:
    """Lower-case last parts of every name of a replaced dataset, in SQL and in dbt."""
    found: set[str] = set()
    for mapping in migration.mappings:
        found.update(table.name.lower() for table in mapping.names.tables)
        found.add(mapping.dataset.name.lower())
        found.update(name.args[-1].lower() for name in mapping.names.dbt if name.args)
    return frozenset(found)


def texts_outside_calls(node: nodes.Node) -> Iterator[str]:
    """The text constants of a tree that are no argument of a `ref` or `source` with plain arguments."""
    spoken = call(node)
    if spoken is not None and spoken.args is not None:
        return
    children = list(node.iter_child_nodes())
    if not children:
        yield from constants(node)
    for child in children:
        yield from texts_outside_calls(child)


def write_call(name: DbtName, like: str | None, *, controls: bool) -> str:
    """`{{ source('core', 'users_v2') }}`, in the manner of the text `{{ ... }}` that it stands in for.

    With `controls`, the `-` of `{{-` and `-}}` are kept; they trim white space around that very place only.
    """
    like = like or "{{ source('x', 'y') }}"
    opening, closing = _OPENING.match(like), _CLOSING.search(like)
    quote = '"' if '"' in like else "'"
    comma = "," if _TIGHT.search(like) else ", "
    arguments = comma.join(f"{quote}{arg}{quote}" for arg in name.args)
    return "".join(
        (
            "{{",
            opening[1] if opening and controls else "",
            " " if not opening or opening[2] else "",
            f"{name.kind}({arguments})",
            " " if not closing or closing[1] else "",
            closing[2] if closing and controls else "",
            "}}",
        )
    )


def dbt_name(names: Names | None, kind: str | None) -> DbtName | None:
    """The dbt name to write for a new dataset: of the same kind as the old one's where there is one."""
    if names is None or not names.dbt:
        return None
    return next((name for name in names.dbt if name.kind == kind), names.dbt[0])
