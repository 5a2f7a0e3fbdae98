"""Where a name that is not a column would win over one: such a SELECT keeps the names that it had."""

from __future__ import annotations

from sqlglot import exp

from greylag.mapping.compiled import Mapping
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import Scope, Source
from greylag.rewrite.sql.tables import TableNames


def keep_shadowed(scope: Scope, names: TableNames, variables: set[str]) -> None:
    """Mark the replaced sources for which only boundary form means the same for sure.

    A parameter or a variable with the name of a column: engines disagree about which wins. In ClickHouse the
    alias of an output column wins over a column, in every clause.
    """
    folding = names.folding
    aliases = _aliases(scope, folding) if folding.dialect == "clickhouse" else set()
    for source in scope.sources:
        if source.mapping is None:
            continue
        if source.mapping.dataset.name.endswith("*"):
            source.kept = "a wildcard stands for several tables"
        columns = _columns(source, source.mapping, names)
        if taken := sorted(columns & variables):
            source.kept = f"{taken[0]} is a variable or a parameter, and a column"
        elif taken := sorted(columns & aliases):
            source.kept = f"{taken[0]} is an alias, and in ClickHouse it wins over the column"


def _columns(source: Source, mapping: Mapping, names: TableNames) -> set[str]:
    """The columns of the old dataset and, as far as they are known, of the new ones."""
    found = set(source.columns or {})
    for table in mapping.query.find_all(exp.Table):
        found |= set(names.columns.get(names.key(table)) or {})
    return found | {names.folding.ident(column.this) for column in mapping.query.find_all(exp.Column)}


def _aliases(scope: Scope, folding: Folding) -> set[str]:
    """Names that the SELECT gives to something else than the column of that name."""
    found: set[str] = set()
    for item in scope.select.expressions:
        if isinstance(item, exp.Alias) and isinstance(item.args["alias"], exp.Identifier):
            name = folding.ident(item.args["alias"])
            if not (isinstance(item.this, exp.Column) and folding.ident(item.this.this) == name):
                found.add(name)
    return found
