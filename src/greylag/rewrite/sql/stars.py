"""Stars over a replaced dataset become the list of the old columns, said in new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from greylag.domain.patch import Edit
from greylag.rewrite.sql.clauses import Clause
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import ReadSite, Scope, Source
from greylag.rewrite.sql.soundness import Unsound, stars_unseen
from greylag.rewrite.sql.star_changes import NotFound, StarChanges, star_changes
from greylag.rewrite.sql.tokens import Tokens

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Dissolved, Inliner
    from greylag.rewrite.sql.references import References

_WIDTH = 100


def star_of(item: exp.Expr) -> exp.Star | None:
    """The star of a select item (`*`, `t.*`), None for any other item."""
    star = item.this if isinstance(item, exp.Column) else item
    return star if isinstance(star, exp.Star) else None


def covers(item: exp.Expr, source: Source, folding: Folding) -> bool:
    """Does this star bring the columns of the source?"""
    if not isinstance(item, exp.Column):
        return not _filters(source)
    table = item.args.get("table")
    return isinstance(table, exp.Identifier) and folding.ident(table) == source.name


def _filters(source: Source) -> bool:
    """A table that only filters the rows of others, and brings no columns."""
    return source.join is not None and (source.join.kind or "").upper() in ("SEMI", "ANTI")


def expand_stars(
    inliner: Inliner,
    scope: Scope,
    clause: Clause,
    reads: list[Dissolved],
    items: dict[int, tuple[Clause, list[tuple[int, int]]]],
    references: dict[int, References],
) -> set[Edit]:
    """Edits for the stars of one SELECT that cover any of its inline reads."""
    if stars_unseen(scope):
        return set()
    edits: set[Edit] = set()
    for index, item in enumerate(scope.select.expressions):
        star = star_of(item)
        if star is None:
            continue
        covered = [read for read in reads if covers(item, read.source, inliner.names.folding)]
        if not covered or all(_same(read) for read in covered):
            continue
        site = covered[0].site
        if scope.using:
            raise Unsound(site, "a star covers it and a USING join merges columns")
        found = items.get(id(scope.select))
        if found is None:
            raise Unsound(site, "the items of the select list were not found")
        first, last = found[1][index]
        if all(inliner.tokens.kind(at) is not TokenType.STAR for at in range(first, last + 1)):
            raise Unsound(site, "the star of a FROM without SELECT stands nowhere")
        try:
            changes = star_changes(inliner, scope, star, references, first, last)
        except NotFound:
            raise Unsound(site, "a star with REPLACE or RENAME covers it") from None
        edits.add(_expand(inliner, scope, item, star, covered, changes, first, last))
    return edits


def _same(read: Dissolved) -> bool:
    """The new table has exactly the old columns, by the same names, in the same order."""
    return read.declared == list(read.site.mapping.columns) and all(
        output.text == output.name for output in read.site.mapping.outputs
    )


def _expand(
    inliner: Inliner,
    scope: Scope,
    item: exp.Expr,
    star: exp.Star,
    covered: list[Dissolved],
    changes: StarChanges,
    first: int,
    last: int,
) -> Edit:
    tokens, folding = inliner.tokens, inliner.names.folding
    begin = next(at for at in range(first, last + 1) if tokens.kind(at) is TokenType.STAR)
    if isinstance(item, exp.Column):
        begin -= 2
    gone = {folding.fold(column.name) for column in star.args.get("except_") or []}
    picks = gone or changes.replaced or changes.renamed
    if picks and not isinstance(item, exp.Column) and len(scope.sources) > 1:
        raise Unsound(covered[0].site, "a star with EXCEPT, REPLACE or RENAME covers several tables")
    listed: list[str] = []
    sources = [source for source in scope.sources if not _filters(source)]
    sources = sources if not isinstance(item, exp.Column) else [covered[0].source]
    for source in sources:
        read = next((one for one in covered if one.source is source), None)
        if read is None:
            listed.append(_other(covered[0], source, folding.dialect))
        else:
            many, as_ = len(scope.sources) > 1 or bool(read.joins), inliner.as_word(read)
            listed.extend(_columns(read, gone, changes, as_, many=many))
    start, end = tokens.items[begin].start, tokens.end(last)
    line = ", ".join(listed)
    column = tokens.position(start)[1] - 1
    if column + len(line) <= _WIDTH:
        return Edit(start, end, line)
    indent = tokens.indent(start)
    if not tokens.starts_line(begin):
        indent += "  "
        gap = len(tokens.text[:start]) - len(tokens.text[:start].rstrip(" \t"))
        return Edit(start - gap, end, f"\n{indent}" + f",\n{indent}".join(listed))
    return Edit(start, end, (",\n" + indent).join(listed))


def _other(read: Dissolved, source: Source, dialect: str) -> str:
    if not isinstance(source.node, exp.Table | exp.Subquery) or source.name is None or not source.direct:
        raise Unsound(read.site, "a star covers it together with something that has no name")
    alias = source.node.args.get("alias")
    identifier = alias.this if isinstance(alias, exp.TableAlias) and alias.this else source.node.this
    return f"{identifier.sql(dialect=dialect)}.*"


def _columns(read: Dissolved, gone: set[str], changes: StarChanges, as_: str, *, many: bool) -> list[str]:
    if any(read.pieces.folding.fold(name) not in gone for name in read.site.mapping.unmapped):
        raise Unsound(read.site, "a star covers columns that have no counterpart")
    listed: list[str] = []
    fold, dialect = read.pieces.folding.fold, read.pieces.folding.dialect
    for name in read.site.mapping.columns:
        if fold(name) in gone:
            continue
        identifier = exp.to_identifier(name)
        alias = identifier.sql(dialect=dialect) if identifier is not None else name
        alias = changes.renamed.get(fold(name), alias)
        if fold(name) in changes.replaced:
            listed.append(f"{changes.replaced[fold(name)]} {as_} {alias}")
            continue
        _, piece = read.pieces.by_column[fold(name)]
        if read.nullable and not piece.keeps_filling(dialect):
            raise Unsound(read.site, f"an outer join can fill it with NULLs, where {name} would not be NULL")
        text = piece.qualified(read.qualifier if many else None)
        same = piece.path == name and "." not in piece.text and fold(name) not in changes.renamed
        listed.append(text if same else f"{text} {as_} {alias}")
    return listed


def except_edits(tokens: Tokens, site: ReadSite, folding: Folding) -> set[Edit]:
    """Take unmapped columns out of the EXCEPT of stars: over the mapping there is nothing to leave out.

    Raises ValueError where the list is not written in parentheses.
    """
    edits: set[Edit] = set()
    unmapped = folding.columns(site.mapping.unmapped)
    if site.scope is None or site.source is None or not unmapped:
        return edits
    for item in site.scope.select.expressions:
        star = star_of(item)
        gone = star.args.get("except_") or [] if star is not None else []
        if not covers(item, site.source, folding) or all(
            folding.fold(one.name) not in unmapped for one in gone
        ):
            continue
        names = [one.this if isinstance(one, exp.Column) else one for one in gone]
        first, last = tokens.at(names[0].meta["start"]) - 1, tokens.at(names[-1].meta["start"]) + 1
        if tokens.kind(first) is not TokenType.L_PAREN or tokens.kind(last) is not TokenType.R_PAREN:
            raise ValueError("a star leaves out a column that the mapping does not give")
        kept = [name for name in names if folding.fold(name.name) not in unmapped]
        if kept:
            texts = [tokens.text[name.meta["start"] : name.meta["end"] + 1] for name in kept]
            edits.add(Edit(tokens.items[first].start, tokens.end(last), f"({', '.join(texts)})"))
        else:
            edits.add(Edit(tokens.end(first - 2), tokens.end(last), ""))
    return edits
