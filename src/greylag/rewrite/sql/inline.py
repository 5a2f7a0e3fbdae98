"""Inline form: the mapping dissolved into the SELECTs that read the old dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from greylag.domain.patch import Edit
from greylag.rewrite.sql.boundary import TableText, table_span
from greylag.rewrite.sql.clauses import Clause, extend_on, extend_where, is_loose, locate
from greylag.rewrite.sql.collisions import Collisions
from greylag.rewrite.sql.hidden import check_hidden
from greylag.rewrite.sql.model import Owner, ReadSite, Ref, Scope, Source
from greylag.rewrite.sql.outputs import item_spans
from greylag.rewrite.sql.references import Items, References
from greylag.rewrite.sql.soundness import Place, Unsound, check_refs, check_shape, nullable, place, within
from greylag.rewrite.sql.stars import expand_stars
from greylag.rewrite.sql.substitute import Pieces
from greylag.rewrite.sql.tables import TableNames
from greylag.rewrite.sql.tokens import Tokens
from greylag.rewrite.sql.using import UsingJoin


@dataclass(slots=True, kw_only=True, eq=False)
class Dissolved:
    """One read on its way into inline form.

    `qualifier` is the text by which its columns may be qualified in the new query; `alias` is set when that
    name has to be given to the new table.
    """

    site: ReadSite
    scope: Scope
    source: Source
    pieces: Pieces
    new_name: str
    new_columns: frozenset[str] | None
    declared: list[str] | None
    qualifier: str
    nullable: bool = False
    alias: str | None = None
    placed: bool = False


@dataclass(slots=True, kw_only=True)
class Inliner:
    """Makes the edits of one statement's inline reads."""

    tokens: Tokens
    names: TableNames
    scopes: Sequence[Scope]
    table_text: TableText | None
    keep_alias: bool

    def scope_edits(self, scope: Scope, sites: Sequence[ReadSite]) -> set[Edit]:
        """Edits for all inline reads of one SELECT. Raises Unsound, naming the read that cannot be inline."""
        reads = [self._dissolve(site, scope) for site in sites]
        clause = self._clause(sites[0], scope)
        edits: set[Edit] = set()
        spans: Items = {}
        for inner in within(scope):
            self._note_items(inner, spans)
        references = {id(read.source): References(self, read, spans) for read in reads}
        using = UsingJoin(self, scope, reads)
        if using.active:
            edits |= using.edits() | using.merged(references)
        for read in reads:
            edits |= Collisions(read, self, set(references), using.handled).check()
        expanded = expand_stars(self, scope, clause, reads, spans)
        edits |= expanded
        covered = [(edit.start, edit.end) for edit in expanded]
        for inner in within(scope):
            for ref in inner.refs:
                mine = references.get(id(ref.source)) if ref.owner is Owner.SOURCE else None
                if mine is not None and id(ref) not in using.handled and not _in(ref, covered):
                    edits |= mine.edits(ref)
        for read in reads:
            edits.add(self._table_edit(read, edits))
        edits |= self._predicates(scope, clause, reads)
        return edits

    def _dissolve(self, site: ReadSite, scope: Scope) -> Dissolved:
        source, inlining = site.source, site.mapping.inlining
        assert source is not None
        if inlining is None:
            raise Unsound(site, site.mapping.why_boundary or "the mapping does more than project and filter")
        check_shape(site, scope, source)
        check_refs(site, scope, source)
        folding = self.names.folding
        check_hidden(site, scope, source, folding)
        pieces = Pieces(site.mapping, inlining, folding)
        key = tuple(folding.table_part(part) for part in inlining.table.parts)
        declared = self.names.columns.get(key)
        new_name = self._implicit_name(site)
        taken = {other.name for every in self.scopes for other in every.sources if other is not source}
        read = Dissolved(
            site=site,
            scope=scope,
            source=source,
            pieces=pieces,
            new_name=new_name,
            new_columns=frozenset(declared) | pieces.new_columns() if declared else None,
            declared=list(dict.fromkeys(declared.values())) if declared else None,
            qualifier=new_name,
            nullable=nullable(scope, source),
        )
        if source.aliased:
            read.qualifier = site.table.args["alias"].this.sql(dialect=folding.dialect)
        elif self.keep_alias or folding.fold(new_name.strip('`"')) in taken:
            read.qualifier = read.alias = self._old_name(site)
        return read

    def _implicit_name(self, site: ReadSite) -> str:
        inlining = site.mapping.inlining
        assert inlining is not None
        identifier = exp.to_identifier(inlining.table.name)
        return (
            identifier.sql(dialect=self.names.folding.dialect)
            if identifier is not None
            else inlining.table.name
        )

    def _old_name(self, site: ReadSite) -> str:
        name = site.mapping.dataset.name if self.keep_alias else site.table.name.split(".")[-1]
        identifier = exp.to_identifier(name)
        return identifier.sql(dialect=self.names.folding.dialect) if identifier is not None else name

    def _clause(self, site: ReadSite, scope: Scope) -> Clause:
        span = table_span(site.table)
        clause = locate(self.tokens, span.start) if span is not None else None
        if clause is None:
            raise Unsound(site, "the SELECT is not laid out as SELECT … FROM")
        return clause

    def _note_items(self, scope: Scope, spans: Items) -> None:
        """Remember where the items of a select list stand, by the identity of its SELECT node."""
        for source in scope.sources:
            span = table_span(source.node) if isinstance(source.node, exp.Table) else None
            clause = locate(self.tokens, span.start) if span is not None and source.direct else None
            if clause is not None:
                found = item_spans(self.tokens, clause, scope.select)
                if found is not None:
                    spans[id(scope.select)] = (clause, found)
                return

    def table_name(self, read: Dissolved) -> str:
        """The new table's name, quoted as the consumer quoted the old one."""
        inlining = read.site.mapping.inlining
        assert inlining is not None
        if self.table_text is not None and (text := self.table_text(inlining.table)) is not None:
            return text
        span = table_span(read.site.table)
        assert span is not None
        old = self.tokens.text[span.start : span.end]
        if (
            old.startswith("`")
            and old.endswith("`")
            and old.count("`") == 2
            and len(inlining.table.parts) > 1
        ):
            return f"`{inlining.table}`"
        written = next(read.site.mapping.query.find_all(exp.Table))
        old_parts, new_parts = read.site.table.parts, written.parts
        if len(old_parts) != len(new_parts) or (
            old.count("`") == 2 and len(old_parts) > 1 and old[0] == old[-1]
        ):
            return self._as_mapped(read, written)
        return ".".join(self._part(*pair) for pair in zip(old_parts, new_parts, strict=True))

    def _part(self, old: exp.Expr, new: exp.Expr) -> str:
        """One part of the new name: the author's own text where it is the same, else his quotes."""
        dialect, folding = self.names.folding.dialect, self.names.folding
        same = folding.table_part(old.name, quoted=bool(old.args.get("quoted"))) == folding.table_part(
            new.name, quoted=bool(new.args.get("quoted"))
        )
        if same and "start" in old.meta and "-" not in old.name:
            return self.tokens.text[old.meta["start"] : old.meta["end"] + 1]
        # A quoted name is another name where unquoted ones are folded, unless it is folded already.
        quoted = bool(old.args.get("quoted")) and folding.fold(new.name) == new.name
        identifier = exp.to_identifier(new.name, quoted=quoted or bool(new.args.get("quoted")) or None)
        return identifier.sql(dialect=dialect) if identifier is not None else new.name

    def _as_mapped(self, read: Dissolved, written: exp.Table) -> str:
        where = table_span(written)
        if where is not None:
            return read.site.mapping.sql[where.start : where.end]
        assert read.site.mapping.inlining is not None
        return exp.to_table(str(read.site.mapping.inlining.table)).sql(dialect=self.names.folding.dialect)

    def as_word(self, read: Dissolved) -> str:
        """AS, in the case of the keyword before the read."""
        span = table_span(read.site.table)
        index = self.tokens.at(span.start) - 1 if span is not None else 0
        return self.tokens.word("AS", max(index, 0))

    def _table_edit(self, read: Dissolved, edits: set[Edit]) -> Edit:
        span = table_span(read.site.table)
        if span is None:
            raise Unsound(read.site, "the parser kept no position for its name")
        text = self.table_name(read)
        as_ = self.as_word(read)
        predicate = read.pieces.predicate
        if predicate is not None and not read.placed and place(read.scope, read.source)[0] is Place.SUBQUERY:
            inner = self.tokens.items[max(self.tokens.at(span.start) - 1, 0)].text.islower()
            made = f"SELECT * FROM {text} WHERE"
            text = f"({made.lower() if inner and text.islower() else made} {predicate.qualified(None)})"
            if not read.source.aliased:
                text += f" {as_} {read.qualifier}"
        elif read.alias is not None and self._qualified(read, edits):
            text += f" {as_} {read.alias}"
        return Edit(span.start, span.end, text)

    def _qualified(self, read: Dissolved, edits: set[Edit]) -> bool:
        """Does anything in the new query use the alias that would have to be given?"""
        if read.alias is None:
            return False
        if read.pieces.predicate is not None and len(read.scope.sources) > 1:
            return True
        used = f"{read.alias}."
        kept = any(
            ref.source is read.source and ref.index > 0 for every in within(read.scope) for ref in every.refs
        )
        return kept or any(used in edit.text for edit in edits)

    def _predicates(self, scope: Scope, clause: Clause, reads: list[Dissolved]) -> set[Edit]:
        added: list[str] = []
        edits: set[Edit] = set()
        for read in reads:
            predicate = read.pieces.predicate
            if predicate is None or read.placed:
                continue
            text = self.predicate_text(read, qualified=self._speaks_qualified(read))
            where, holder = place(scope, read.source)
            if where is Place.WHERE:
                added.append(text)
            elif where is Place.ON and holder is not None:
                edits |= self._on(read, clause, holder, text)
        if added:
            made = extend_where(self.tokens, clause, scope.select, added)
            if made is None:
                raise Unsound(reads[0].site, "the WHERE of its SELECT was not found")
            edits.update(made)
        return _in_order(edits)

    def predicate_text(self, read: Dissolved, *, qualified: bool) -> str:
        """The mapping's predicate, ready to be joined by AND."""
        inlining, predicate = read.site.mapping.inlining, read.pieces.predicate
        assert inlining is not None and inlining.predicate_expression is not None and predicate is not None
        text = predicate.qualified(read.qualifier if qualified else None)
        return f"({text})" if is_loose(inlining.predicate_expression) else text

    def alias_of(self, source: Source | None) -> str | None:
        """The text by which another source of the query can be qualified; None when it has no name."""
        if source is None or isinstance(source.node, exp.Unnest):
            return None
        dialect = self.names.folding.dialect
        alias = source.node.args.get("alias")
        if isinstance(alias, exp.TableAlias) and isinstance(alias.this, exp.Identifier):
            return alias.this.sql(dialect=dialect)
        if isinstance(source.node, exp.Table) and isinstance(source.node.this, exp.Identifier):
            quoted = source.node.this.args.get("quoted")
            name = exp.to_identifier(source.node.name.split(".")[-1], quoted=quoted)
            return name.sql(dialect=dialect) if name is not None else None
        return None

    def _speaks_qualified(self, read: Dissolved) -> bool:
        """Must, or does, the consumer qualify the columns of this table?"""
        if len(read.scope.sources) > 1:
            return True
        mine = [ref for ref in read.scope.refs if ref.source is read.source]
        return read.source.aliased and bool(mine) and all(ref.index > 0 for ref in mine)

    def _on(self, read: Dissolved, clause: Clause, holder: Source, text: str) -> set[Edit]:
        span = table_span(holder.node) if isinstance(holder.node, exp.Table) else None
        made = None
        if span is not None and holder.join is not None:
            index = self.tokens.at(span.end - 1)
            made = extend_on(self.tokens, clause, index, holder.join.args["on"], [text])
        if made is None:
            raise Unsound(read.site, "the ON of its join was not found")
        return set(made)


def _in_order(edits: set[Edit]) -> set[Edit]:
    """Insertions at one place become one: what ends an ON stands before the WHERE behind it."""
    places: dict[int, list[Edit]] = {}
    for edit in edits:
        if edit.start == edit.end:
            places.setdefault(edit.start, []).append(edit)
    merged = {edit for edit in edits if edit.start != edit.end}
    for start, found in places.items():
        ordered = sorted(found, key=lambda edit: edit.text.lstrip().lower().startswith("where "))
        merged.add(Edit(start, start, "".join(edit.text for edit in ordered)))
    return merged


def _in(ref: Ref, spans: list[tuple[int, int]]) -> bool:
    start = ref.parts[0].meta.get("start", -1)
    return any(low <= start < high for low, high in spans)
