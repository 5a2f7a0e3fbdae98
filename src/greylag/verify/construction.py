"""Right by construction: the new version is the old one with the mapping put where the old dataset was
read.
"""

from __future__ import annotations

from sqlglot import exp

from greylag.verify.names import cte_of
from greylag.verify.prepare import Names, mapping_query, placed
from greylag.verify.token_stream import same_by_tokens


def fingerprint(node: exp.Expr) -> str:
    """A text that two trees share only when they are the same tree: every name, quote and literal counts."""
    return repr(node)


def same_by_construction(old: exp.Expr, new: exp.Expr, names: Names) -> bool:
    """`old` has the mapping in the place of each read; `new` has it there too, or in a WITH entry of that
    name.
    """
    plain = _without_mapping_entries(new, old, names)
    return fingerprint(_plain_aliases(old.copy())) == fingerprint(_plain_aliases(plain))


def same_statement(one: exp.Expr, other: exp.Expr, names: Names) -> bool:
    """Whole statements of any kind: the new one is the old one with the mapping where the dataset was read.

    What the statement does with the rows does not matter. Names that it writes are the same on both sides.
    """
    if any(opaque(node) for node in (one, other)):
        dialect = names.migration.dialect
        return same_by_tokens(one.sql(dialect, comments=False), other.sql(dialect, comments=False), names)
    before = placed(one, names, old=True, made={})
    after = placed(other, names, old=False, made={})
    return same_by_construction(before, after, names)


def opaque(node: exp.Expr) -> bool:
    """Does a statement hold text that was not parsed: a command, or the body of a routine?"""
    if node.find(exp.Command) is not None:
        return True
    return not isinstance(node, exp.Query) and node.find(exp.Heredoc, exp.RawString) is not None


def _plain_aliases(node: exp.Expr) -> exp.Expr:
    """Whether the alias of a source is quoted says nothing: it names the source, and no column of the
    result.
    """
    for source in node.find_all(exp.Table, exp.Subquery):
        alias = source.args.get("alias")
        if isinstance(alias, exp.TableAlias) and isinstance(alias.this, exp.Identifier):
            alias.this.set("quoted", False)
    return node


def _without_mapping_entries(new: exp.Expr, old: exp.Expr, names: Names) -> exp.Expr:
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
