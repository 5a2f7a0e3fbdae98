"""Inline form: the mapping dissolved into the SELECTs that read the old dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from greylag.domain.patch import Edit
from greylag.rewrite.sql.boundary import TableText, table_span
from greylag.rewrite.sql.clauses import Clause, extend_on, extend_where, is_loose, locate
from greylag.rewrite.sql.collisions import Collisions
from greylag.rewrite.sql.decided import Region, on_region, where_region, whole, without
from greylag.rewrite.sql.dissolve import Dissolved, dissolve
from greylag.rewrite.sql.joined import join_edit
from greylag.rewrite.sql.model import Owner, ReadSite, Ref, Scope, Source
from greylag.rewrite.sql.outputs import item_spans
from greylag.rewrite.sql.owners import Owners
from greylag.rewrite.sql.references import Items, References
from greylag.rewrite.sql.soundness import Place, Unsound, place, within
from greylag.rewrite.sql.stars import expand_stars
from greylag.rewrite.sql.tables import TableNames
from greylag.rewrite.sql.tokens import Tokens
from greylag.rewrite.sql.using import UsingJoin
from greylag.rewrite.sql.written import Written

__all__ = ["Dissolved", "Inliner"]


@dataclass(slots=True, kw_only=True)
class Inliner:
    """Makes the edits of one statement's inline reads.

    `most_qualified` is how many names of other tables may be qualified in one SELECT, None for any number.
    """

    tokens: Tokens
    names: TableNames
    scopes: Sequence[Scope]
    table_text: TableText | None
    keep_alias: bool
    given: dict[int, set[str]] = field(default_factory=dict)
    most_qualified: int | None = None
    _owners: Owners | None = None

    @property
    def owners(self) -> Owners:
        """Whose the names of tables without declared columns are."""
        if self._owners is None:
            self._owners = Owners(self.scopes, self.names)
        return self._owners

    @property
    def written(self) -> Written:
        """Names of new tables, in the style of the text."""
        return Written(tokens=self.tokens, folding=self.names.folding, table_text=self.table_text)

    def scope_edits(self, scope: Scope, sites: Sequence[ReadSite]) -> set[Edit]:
        """Edits for all inline reads of one SELECT. Raises Unsound, naming the read that cannot be inline."""
        try:
            return self._scope_edits(scope, sites)
        except Unsound as unsound:
            # Reads are dissolved by what is left of their mapping: name the one that was given.
            site = next(one for one in sites if one.table is unsound.site.table)
            raise Unsound(site, str(unsound)) from unsound

    def _scope_edits(self, scope: Scope, sites: Sequence[ReadSite]) -> set[Edit]:
        self.given[id(scope)] = set()
        reads = [dissolve(self, site, scope) for site in sites]
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
        expanded = expand_stars(self, scope, clause, reads, spans, references)
        edits |= expanded
        gone, everything = self._decided(scope, clause, reads)
        edits |= gone
        covered = [(edit.start, edit.end) for edit in expanded | gone]
        if everything is not None:
            covered.append(everything.span(self.tokens))
        for inner in within(scope):
            for ref in inner.refs:
                mine = references.get(id(ref.source)) if ref.owner is Owner.SOURCE else None
                if mine is not None and id(ref) not in using.handled and not _in(ref, covered):
                    edits |= mine.edits(ref)
        for read in reads:
            edits.add(self._table_edit(read, edits))
            if read.joins:
                edits.add(join_edit(self, read, clause))
        edits |= self._predicates(scope, clause, reads, everything)
        return _in_order(edits)

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

    def as_word(self, read: Dissolved) -> str:
        """AS, in the case of the keyword before the read."""
        span = table_span(read.site.table)
        index = self.tokens.at(span.start) - 1 if span is not None else 0
        return self.tokens.word("AS", max(index, 0))

    def _table_edit(self, read: Dissolved, edits: set[Edit]) -> Edit:
        span = table_span(read.site.table)
        if span is None:
            raise Unsound(read.site, "the parser kept no position for its name")
        inlining = read.site.mapping.inlining
        assert inlining is not None and inlining.node is not None
        text = self.written.name(read.site, read.site.mapping, inlining.table, inlining.node)
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
        if read.joins or (len(read.scope.sources) > 1 and not self.keep_alias):
            return True
        if read.pieces.predicate is not None and len(read.scope.sources) > 1:
            return True
        used = f"{read.alias}."
        hidden = self.names.folding.fold(read.new_name.strip('`"'))
        for ref in (ref for every in within(read.scope) for ref in every.refs):
            if ref.source is read.source:
                if ref.index > 0:
                    return True
            elif self.names.folding.ident(ref.parts[0]) == hidden:
                return True  # a table further out has the name that the new one would go by
        return any(used in edit.text for edit in edits)

    def _decided(
        self, scope: Scope, clause: Clause, reads: list[Dissolved]
    ) -> tuple[set[Edit], Region | None]:
        """Take out conditions that hold anyway; the WHERE of which nothing is left is returned."""
        dialect = self.names.folding.dialect
        edits: set[Edit] = set()
        decided = {id(node) for read in reads for node in read.decided}
        for read in reads if decided else ():
            span = table_span(read.site.table)
            region = on_region(self.tokens, clause, read.source, self.tokens.at(span.end - 1) if span else 0)
            if region is not None:
                edits |= set(without(self.tokens, region, decided, dialect)[0])
        region = where_region(self.tokens, clause, scope.select) if decided else None
        if region is None:
            return edits, None
        made, nothing_left = without(self.tokens, region, decided, dialect)
        return edits | set(made), region if nothing_left else None

    def _predicates(
        self, scope: Scope, clause: Clause, reads: list[Dissolved], everything: Region | None
    ) -> set[Edit]:
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
        if everything is not None:
            word_and = self.tokens.word("AND", clause.from_)
            edits.add(whole(self.tokens, everything, f" {word_and} ".join(added)))
        elif added:
            made = extend_where(self.tokens, clause, scope.select, added)
            if made is None:
                raise Unsound(reads[0].site, "the WHERE of its SELECT was not found")
            edits.update(made)
        return edits

    def predicate_text(self, read: Dissolved, *, qualified: bool) -> str:
        """The mapping's predicate, ready to be joined by AND."""
        inlining, predicate = read.site.mapping.inlining, read.pieces.predicate
        assert inlining is not None and inlining.predicate_expression is not None and predicate is not None
        qualified = qualified or predicate.looks_qualified(read.qualifier, self.names.folding)
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
        if len(read.scope.sources) > 1 or read.joins:
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
        ordered = sorted(found, key=lambda edit: (_rank(edit.text.lstrip().lower()), edit.text))
        merged.add(Edit(start, start, "".join(edit.text for edit in ordered)))
    return merged


def _rank(text: str) -> int:
    """The order of clauses: what ends an ON, a further join, a WHERE."""
    if text.startswith(("join ", "left join ", "cross join ")):
        return 1
    return 2 if text.startswith("where ") else 0


def _in(ref: Ref, spans: list[tuple[int, int]]) -> bool:
    start = ref.parts[0].meta.get("start", -1)
    return any(low <= start < high for low, high in spans)
