"""What a dbt file sees while it is rendered here: relations by their names, stand-ins for the rest."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from greylag.domain.dataset import DatasetRef
from greylag.domain.dbt import FUNCTIONS, DbtSurroundings
from greylag.mapping.compiled import CompiledMigration
from greylag.verify.dbt_macros import Library, give_back

CHOOSE = "greylag_choose"
OPAQUE = "greylag_opaque_"
THIS = DatasetRef(("greylag_dbt", "this"))
_STAND_IN = "2020-01-01"  # a date between quotes, a number outside of them
_CALL = re.compile(r"\{\{\s*(ref|source)\s*\(([^(){}]*)\)\s*\}\}")
_TEXTS = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_STAR = ("from", "relation_alias", "except", "prefix", "suffix")
_HIDDEN = frozenset({"unsafe_callable", "alters_data", "jinja_pass_arg"})


class Unrenderable(Exception):
    """The file cannot be rendered here, and why."""


class Relation:
    """What `ref`, `source` and `this` give: renders as a table name."""

    def __init__(self, dataset: DatasetRef, dialect: str) -> None:
        self.dataset = dataset
        self.identifier = self.name = dataset.name
        self.schema = dataset.parts[-2] if len(dataset.parts) > 1 else ""
        self.database = dataset.parts[-3] if len(dataset.parts) > 2 else ""
        parts = [exp.to_identifier(part, quoted=_may_quote(part, dialect) or None) for part in dataset.parts]
        self._text = ".".join(part.sql(dialect=dialect) for part in parts)

    def __str__(self) -> str:
        return self._text


def _may_quote(name: str, dialect: str) -> bool:
    """Is the quoted name the same name? Then it is quoted, as dbt does: `from {{- ref('x') }}` needs it."""
    match Dialect.get_or_raise(dialect).normalization_strategy:
        case NormalizationStrategy.LOWERCASE:
            return name == name.lower()
        case NormalizationStrategy.UPPERCASE | NormalizationStrategy.CASE_INSENSITIVE_UPPERCASE:
            return name == name.upper()
        case _:
            return True


class Opaque:
    """A macro or variable that is not known here: the same use renders as the same word, in both versions."""

    def __init__(self, spelling: str) -> None:
        self._spelling = spelling

    def __call__(self, *args: object, **kwargs: object) -> Opaque:
        told = [_spell(arg) for arg in args] + [f"{key}={_spell(value)}" for key, value in kwargs.items()]
        return Opaque(f"{self._spelling}({','.join(told)})")

    def __getattr__(self, name: str) -> Opaque:
        if name.startswith("_") or name in _HIDDEN:
            raise AttributeError(name)
        return Opaque(f"{self._spelling}.{name}")

    def __getitem__(self, key: object) -> Opaque:
        return Opaque(f"{self._spelling}[{_spell(key)}]")

    def __str__(self) -> str:
        return OPAQUE + hashlib.sha256(self._spelling.encode()).hexdigest()[:12]

    def _unknown(self, *_: object) -> NoReturn:
        raise Unrenderable(f"it depends on the value of {self._spelling}, which is not known here")

    __iter__ = __bool__ = __len__ = __eq__ = __lt__ = __gt__ = __le__ = __ge__ = _unknown
    __add__ = __radd__ = __sub__ = __mul__ = __int__ = __float__ = __contains__ = _unknown
    __hash__ = object.__hash__


def _spell(value: object) -> str:
    if isinstance(value, Opaque):
        return str(value)
    if isinstance(value, Relation):
        return f"relation {value}"
    return repr(value)


def known_relations(migration: CompiledMigration) -> Callable[[str, tuple[str, ...]], str | None]:
    """The table names that calls of `ref` and `source` render as, for the datasets of a migration."""
    known = _relations(migration)

    def relation(kind: str, args: tuple[str, ...]) -> str | None:
        dataset = known.get((kind, args))
        return str(Relation(dataset, migration.dialect)) if dataset is not None else None

    return relation


def _relations(migration: CompiledMigration) -> dict[tuple[str, tuple[str, ...]], DatasetRef]:
    return {
        (name.kind, name.args): dataset
        for dataset, names in [
            *((mapping.dataset, mapping.names) for mapping in migration.mappings),
            *migration.new_names.items(),
        ]
        for name in names.dbt
    }


class _Package:
    """`dbt` and `dbt_utils`: their names of types are known, the rest is opaque."""

    _TYPES: ClassVar[Mapping[str, str]] = {
        "type_string": "TEXT",
        "type_timestamp": "TIMESTAMP",
        "type_int": "INT",
        "type_bigint": "BIGINT",
        "type_numeric": "NUMERIC",
        "type_float": "FLOAT",
        "type_boolean": "BOOLEAN",
    }

    def __init__(
        self, name: str, dialect: str, columns: Mapping[DatasetRef, Iterable[str]] = MappingProxyType({})
    ) -> None:
        self._name = name
        self._dialect = dialect
        self._columns = columns

    def _star(self, *args: object, **kwargs: object) -> object:
        """The columns of a replaced dataset; unknown for every other relation."""
        given = {**dict(zip(_STAR, args, strict=False)), **kwargs}
        relation = given.get("from")
        columns = self._columns.get(relation.dataset) if isinstance(relation, Relation) else None
        left_out = given.get("except", [])
        if columns is None or not isinstance(left_out, list | tuple):
            return Opaque("dbt_utils.star")(*args, **kwargs)
        alias = f"{given['relation_alias']}." if given.get("relation_alias") else ""
        pieces = []
        for column in columns:
            if column.lower() not in {str(one).lower() for one in left_out}:
                called = f"{given.get('prefix') or ''}{column}{given.get('suffix') or ''}"
                name, other = (exp.to_identifier(one).sql(dialect=self._dialect) for one in (column, called))
                pieces.append(f"{alias}{name}" + (f" AS {other}" if called != column else ""))
        return ", ".join(pieces)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_") or name in _HIDDEN:
            raise AttributeError(name)
        if name in self._TYPES:
            text = exp.DataType.build(self._TYPES[name]).sql(dialect=self._dialect)
            return lambda: text
        if (self._name, name) == ("dbt_utils", "star"):
            return self._star
        letters = FUNCTIONS.get(self._name, {}).get(name)
        if letters is not None:
            return _function(f"greylag_{name}", letters)
        return Opaque(f"{self._name}.{name}")


class _Adapter:
    """`adapter`: what it dispatches to is known, the rest is not."""

    def __init__(self, world: World) -> None:
        self._world = world

    def dispatch(self, macro_name: str, macro_namespace: object = None, **_: object) -> object:
        """A macro of the project, where it is one."""
        return self._world.dispatched(macro_name)

    def __getattr__(self, name: str) -> object:
        if name.startswith("_") or name in _HIDDEN:
            raise AttributeError(name)
        return Opaque(f"adapter.{name}")


class _Config:
    """`config(...)` renders as nothing; what a file asks of it is the default."""

    def __call__(self, *_: object, **__: object) -> str:
        return ""

    def get(self, name: str, default: object = None, **_: object) -> object:
        """The default: nothing is configured here."""
        return default

    def set(self, *_: object) -> str:
        """Nothing."""
        return ""


def _function(name: str, letters: str) -> Callable[..., str]:
    """A macro that is a function of SQL expressions, as the call of a function that nobody knows."""

    def write(*args: object, **kwargs: object) -> str:
        given = [*args, *kwargs.values()]
        if letters == "*":
            flat = [one for arg in given for one in (arg if isinstance(arg, list | tuple) else [arg])]
            return f"{name}({', '.join(map(str, flat))})"
        kinds = letters.ljust(len(given), "l")
        texts = [
            str(arg) if kind == "c" or isinstance(arg, int) else "'" + str(arg).replace("'", "") + "'"
            for kind, arg in zip(kinds, given, strict=False)
        ]
        return f"{name}({', '.join(texts)})"

    return write


class World:
    """The names in sight of one rendering; `truth` answers the outside conditions by key."""

    def __init__(
        self,
        migration: CompiledMigration,
        truth: Mapping[str, bool],
        project: DbtSurroundings,
        library: Library,
    ) -> None:
        self.guessed: set[str] = set()
        self._variables = project.variables
        self._library = library
        self._dialect = migration.dialect
        self._truth = truth
        self._relations = _relations(migration)
        self._known: dict[str, object] = {
            CHOOSE: self._choose,
            "ref": self._ref,
            "source": self._source,
            "this": Relation(THIS, self._dialect),
            "config": _Config(),
            "dbt": _Package("dbt", self._dialect),
            "dbt_utils": _Package(
                "dbt_utils",
                self._dialect,
                {mapping.dataset: mapping.columns for mapping in migration.mappings},
            ),
            "var": self._var,
            "env_var": self._environment,
            "is_incremental": lambda: False,
            "should_full_refresh": lambda: False,
            "execute": True,
            "adapter": _Adapter(self),
            "return": give_back,
            "log": _silent,
            "print": _silent,
            "target": {
                "name": "dev",
                "schema": "greylag_schema",
                "database": "greylag_db",
                "type": self._dialect,
            },
            "run_started_at": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
            "invocation_id": "00000000-0000-0000-0000-000000000000",
            "modules": {"datetime": datetime},
        }

    def lookup(self, name: str) -> object:
        """What a name stands for; an Opaque when it is not known here."""
        if name in self._known:
            return self._known[name]
        return self._library.get(name, self.lookup) or Opaque(name)

    def dispatched(self, name: str) -> object:
        """What `adapter.dispatch(name)` gives."""
        return self._library.dispatched(name, self.lookup) or Opaque(f"adapter.dispatch({name!r})")

    def _choose(self, key: str) -> bool:
        return self._truth[key]

    def _ref(self, *args: str, v: object = None, version: object = None) -> Relation:
        number = v if v is not None else version
        if number is None and ("ref", args) in self._relations:
            return Relation(self._relations["ref", args], self._dialect)
        name = args[-1] if number is None else f"{args[-1]}_v{number}"
        return Relation(DatasetRef(("greylag_ref", *args[:-1], name)), self._dialect)

    def _source(self, *args: str) -> Relation:
        known = self._relations.get(("source", args))
        dataset = known or DatasetRef((f"greylag_source_{'_'.join(args[:-1])}", args[-1]))
        return Relation(dataset, self._dialect)

    def _var(self, name: str, default: object = None) -> object:
        value = self._variables.get(name, default)
        if isinstance(value, str) and value.strip().startswith("{{"):
            return self._spoken(value) or Opaque(f"var {value}")
        return self._environment(name, value)

    def _spoken(self, value: str) -> object | None:
        """A variable that holds a plain `{{ ref('x') }}`, as packages let their users write."""
        found = _CALL.fullmatch(value.strip())
        if found is None:
            return None
        args = [text or other for text, other in _TEXTS.findall(found[2])]
        return self._ref(*args) if found[1] == "ref" else self._source(*args)

    def _environment(self, name: str, default: object = None) -> object:
        if default is None:
            self.guessed.add(name)
            return _STAND_IN
        return default


def _silent(*_: Any, **__: Any) -> str:
    return ""
