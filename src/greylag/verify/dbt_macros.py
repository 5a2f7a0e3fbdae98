"""The project's own macros, as far as a rendering without dbt reaches them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import jinja2
from jinja2 import meta, nodes

Lookup = Callable[[str], object]
# sqlglot's name of a dialect to the adapters whose macros dbt tries, first to last.
_ADAPTERS = {
    "redshift": ("redshift", "postgres"),
    "databricks": ("databricks", "spark"),
    "tsql": ("sqlserver",),
}


class Returned(Exception):
    """What `{{ return(x) }}` raises: a macro's value that is no text."""

    def __init__(self, value: object) -> None:
        super().__init__("return")
        self.value = value


def give_back(value: object = None) -> object:
    """dbt's `return`."""
    raise Returned(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    template: jinja2.Template
    wanted: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Library:
    """Macros by name, compiled when they are reached; `prepare` may change a macro's tree before that."""

    environment: jinja2.Environment
    sources: Mapping[str, str]
    dialect: str
    prepare: Callable[[nodes.Template], None]
    compiled: dict[str, _Compiled] = field(default_factory=dict)

    def reach(self, wanted: Collection[str], tree: nodes.Template) -> None:
        """Compile every macro that a template may call, directly or through others."""
        for name in sorted({*wanted, *self._dispatched(tree)} & self.sources.keys()):
            if name not in self.compiled:
                self._compile(name)

    def _compile(self, name: str) -> None:
        try:
            tree = self.environment.parse(self.sources[name])
        except jinja2.TemplateError:
            return  # then it stays unknown
        self.prepare(tree)
        tree.set_environment(self.environment)
        wanted = frozenset(meta.find_undeclared_variables(tree))
        template = self.environment.from_string(tree)
        self.compiled[name] = _Compiled(template=template, wanted=wanted)
        self.reach(wanted, tree)

    def _dispatched(self, tree: nodes.Template) -> Iterator[str]:
        for node in tree.find_all(nodes.Call):
            match node:
                case nodes.Call(node=nodes.Getattr(attr="dispatch"), args=[nodes.Const(value=str(name)), *_]):
                    yield from self.candidates(name)

    def candidates(self, name: str) -> tuple[str, ...]:
        """What `adapter.dispatch(name)` tries, first to last."""
        adapters = _ADAPTERS.get(self.dialect, (self.dialect,))
        return (*(f"{adapter}__{name}" for adapter in adapters), f"default__{name}")

    def dispatched(self, name: str, lookup: Lookup) -> object | None:
        """The macro that `adapter.dispatch(name)` gives; None when it is not the project's."""
        found = next((one for one in self.candidates(name) if one in self.compiled), None)
        return self.get(found, lookup) if found is not None else None

    def get(self, name: str, lookup: Lookup) -> Callable[..., object] | None:
        """A macro to call; None when it is not known. `lookup` gives what its text names."""
        known = self.compiled.get(name)
        if known is None:
            return None

        def run(*args: object, **kwargs: object) -> object:
            module = known.template.make_module({one: lookup(one) for one in known.wanted})
            try:
                result: object = getattr(module, name)(*args, **kwargs)
            except Returned as returned:
                return returned.value
            return result

        return run
