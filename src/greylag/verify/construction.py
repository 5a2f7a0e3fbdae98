"""Right by construction: the new version is the old one with the mapping put where the old dataset was
read.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.names import cte_of
from greylag.verify.prepare import Names, mapping_query


def fingerprint(node: exp.Expr) -> str:
    """A text that two trees share only when they are the same tree: every name, quote and literal counts."""
    return repr(node)


def same_by_construction(old: exp.Query, new: exp.Query, names: Names) -> bool:
    """`old` has the mapping in the place of each read; `new` has it there too, or in a WITH entry of that
    name.
    """
    plain = _without_mapping_entries(new, old, names)
    return fingerprint(_plain_aliases(old.copy())) == fingerprint(_plain_aliases(plain))


def _plain_aliases(node: exp.Expr) -> exp.Expr:
    """Whether the alias of a source is quoted says nothing: it names the source, and no column of the
    result.
    """
    for source in node.find_all(exp.Table, exp.Subquery):
        alias = source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and isinstance(alias.this, exp.Identifier):
            alias.this.set("quoted", False)
    return node


def _without_mapping_entries(new: exp.Query, old: exp.Query, names: Names) -> exp.Query:
    """`new` with those WITH entries dissolved that hold nothing but a mapping and are not in `old`."""
    holder = exp.Subquery(this=new.copy())
    mappings = {fingerprint(mapping_query(mapping, names)) for mapping in names.migration.mappings}
    known = {entry.alias.lower() for entry in old.find_all(exp.CTE)}
    for entry in list(holder.find_all(exp.CTE)):
        if entry.alias.lower() in known or fingerprint(entry.this) not in mappings or _renames(entry):
            continue
        for table in list(holder.find_all(exp.Table)):
            if cte_of(table) is entry:
                alias = table.args["alias"].copy() if table.args.get("alias") else None
                alias = alias or exp.TableAlias(this=exp.to_identifier(table.name))
                subquery = exp.Subquery(this=entry.this.copy(), alias=alias)
                if table.args.get("joins"):
                    subquery.set("joins", table.args["joins"])
                table.replace(subquery)
        with_ = entry.parent
        entry.pop()
        if isinstance(with_, exp.With) and not with_.expressions:
            with_.pop()
    return holder.this  # type: ignore[no-any-return]


def _renames(entry: exp.CTE) -> bool:
    alias = entry.args.get("alias")
    return bool(isinstance(alias, exp.TableAlias) and alias.args.get("columns"))
