"""What name resolution finds: scopes, their sources, and every column reference in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sqlglot import exp

from greylag.mapping.compiled import Mapping


class Role(StrEnum):
    """Where a SELECT stands; decides who sees the names of its output columns."""

    ROOT = "root"
    CTE = "cte"
    DERIVED = "derived"
    SET_OPERATION = "set_operation"
    SCALAR = "scalar"
    IN = "in"
    EXISTS = "exists"


@dataclass(slots=True, kw_only=True, eq=False)
class Source:
    """One item of a FROM clause.

    `columns` maps folded to declared names and is None when they are not known; `name` is the folded alias or
    table name; `direct` is False inside a parenthesised join. `kept` says why only boundary form fits here.
    """

    name: str | None
    node: exp.Expr
    columns: dict[str, str] | None
    mapping: Mapping | None = None
    join: exp.Join | None = None
    aliased: bool = False
    direct: bool = True
    kept: str | None = None
    origin: Scope | None = None


class Owner(StrEnum):
    """How sure we are about who owns a referenced name."""

    SOURCE = "source"
    UNCERTAIN = "uncertain"
    AMBIGUOUS = "ambiguous"
    ELSEWHERE = "elsewhere"
    WHOLE_ROW = "whole_row"
    NOWHERE = "nowhere"


@dataclass(slots=True, kw_only=True, eq=False)
class Ref:
    """One column reference: where it stands, and which source owns it.

    `parts` are its identifiers from the left; `index` is the part that names the column (parts before it
    qualify it, parts behind it are fields). `home` is the scope of the owning source.
    """

    node: exp.Column
    parts: tuple[exp.Identifier, ...]
    scope: Scope
    clause: str
    owner: Owner
    source: Source | None = None
    home: Scope | None = None
    index: int = 0

    @property
    def column(self) -> exp.Identifier:
        """The identifier that names the column."""
        return self.parts[self.index]


@dataclass(slots=True, kw_only=True, eq=False)
class Scope:
    """One SELECT: what it reads, and what it refers to. `parent` is set where outer names are visible.

    `positional` is set where whoever reads the output columns goes by their order, not by their names. While
    an ON is resolved, `in_sight` holds the sources that it can see, and `beyond` those behind a comma, which
    some engines hide.
    """

    select: exp.Select
    role: Role
    parent: Scope | None
    sources: list[Source] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)
    children: list[Scope] = field(default_factory=list)
    readers: list[Scope] = field(default_factory=list)
    pivoted: bool = False
    positional: bool = False
    in_sight: list[Source] | None = None
    beyond: list[Source] = field(default_factory=list)
    using: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True, eq=False)
class ReadSite:
    """One place where a replaced dataset is read. `scope` and `source` are None outside a SELECT's FROM."""

    table: exp.Table
    mapping: Mapping
    scope: Scope | None
    source: Source | None
    statement: exp.Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something at `offset` because of which the file is left alone."""

    code: str
    message: str
    offset: int
