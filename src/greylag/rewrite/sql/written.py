"""How the name of a new table is written where a consumer named the old one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.mapping.compiled import Mapping
from greylag.rewrite.sql.boundary import TableText, table_span
from greylag.rewrite.sql.folding import Folding
from greylag.rewrite.sql.model import ReadSite
from greylag.rewrite.sql.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Writes names in the style of one text."""

    tokens: Tokens
    folding: Folding
    table_text: TableText | None

    def implicit(self, table: DatasetRef) -> str:
        """The name by which a table's columns are qualified when it has no alias."""
        return self.identifier(table.name)

    def identifier(self, name: str) -> str:
        """A name, quoted where the dialect needs it."""
        return exp.to_identifier(name).sql(dialect=self.folding.dialect)

    def name(self, site: ReadSite, mapping: Mapping, table: DatasetRef, node: exp.Table) -> str:
        """A new table's name, quoted as the consumer quoted the old one; `node` is it in the mapping."""
        if self.table_text is not None and (text := self.table_text(table)) is not None:
            return text
        span = table_span(site.table)
        assert span is not None
        old = self.tokens.text[span.start : span.end]
        whole = old.count("`") == 2 and old[0] == old[-1] == "`"
        if whole and len(table.parts) > 1:
            return f"`{table}`"
        old_parts, new_parts = site.table.parts, node.parts
        starts = {part.meta.get("start") for part in old_parts}
        if len(old_parts) != len(new_parts) or len(starts) < len(old_parts):  # `a.b`.c, `a.b.c`
            return self._as_mapped(mapping, table, node)
        return ".".join(self._part(*pair) for pair in zip(old_parts, new_parts, strict=True))

    def _part(self, old: exp.Expr, new: exp.Expr) -> str:
        """One part of the new name: the author's own text where it is the same, else his quotes."""
        folding = self.folding
        same = folding.table_part(old.name, quoted=bool(old.args.get("quoted"))) == folding.table_part(
            new.name, quoted=bool(new.args.get("quoted"))
        )
        if same and "start" in old.meta and "-" not in old.name:
            return self.tokens.text[old.meta["start"] : old.meta["end"] + 1]
        # A quoted name is another name where unquoted ones are folded, unless it is folded already.
        quoted = bool(old.args.get("quoted")) and folding.fold(new.name) == new.name
        identifier = exp.to_identifier(new.name, quoted=quoted or bool(new.args.get("quoted")) or None)
        return identifier.sql(dialect=folding.dialect)

    def _as_mapped(self, mapping: Mapping, table: DatasetRef, node: exp.Table) -> str:
        where = table_span(node)
        if where is not None:
            return mapping.sql[where.start : where.end]
        return exp.to_table(str(table)).sql(dialect=self.folding.dialect)
