"""Each reference to a replaced column becomes the mapping's expression for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from greylag.domain.patch import Edit
from greylag.mapping.compiled import Output
from greylag.rewrite.sql.clauses import Clause
from greylag.rewrite.sql.model import Ref, Role, Scope
from greylag.rewrite.sql.names_out import ALIAS_CLAUSES, alias_means_other, explicit_aliases, output_names
from greylag.rewrite.sql.outputs import Unnamed, kept_name, names_matter
from greylag.rewrite.sql.recoded import Recoded
from greylag.rewrite.sql.soundness import Unsound, grouped_directly, in_aggregate, ordered_directly
from greylag.rewrite.sql.substitute import Piece

if TYPE_CHECKING:
    from greylag.rewrite.sql.inline import Dissolved, Inliner

Items = dict[int, tuple[Clause, list[tuple[int, int]]]]
_GROUPS_BY_ALIAS = {
    "bigquery",
    "duckdb",
    "postgres",
    "redshift",
    "snowflake",
    "mysql",
    "spark",
    "spark2",
    "databricks",
    "clickhouse",
    "sqlite",
}
_ALIASES_IN_STRUCT = {"bigquery", "spark", "databricks", "spark2"}


class References:
    """Edits for the references to one read."""

    def __init__(self, inliner: Inliner, read: Dissolved, items: Items) -> None:
        self.inliner = inliner
        self.read = read
        self.items = items
        self.folding = inliner.names.folding
        self.text = inliner.tokens.text
        self.recoded = Recoded(self)

    def edits(self, ref: Ref, *, merged: bool = True) -> set[Edit]:
        """The edits for one reference; empty when it may stay as it is.

        `merged`: a name that a USING merges still is merged in the new query.
        """
        output, piece = self._piece(ref)
        if self.folding.dialect == "clickhouse":
            self._check_new_alias(ref, output, piece)
        bare = len(ref.parts) == 1
        name = self.folding.ident(ref.parts[0])
        if merged and bare and name in self.read.scope.using and self.folding.fold(piece.path or "") == name:
            return set()
        if bare and ordered_directly(ref) and name in output_names(ref.scope, self.folding):
            return set()
        if ref.index == 0 and ref.clause in ALIAS_CLAUSES and alias_means_other(ref, self.folding):
            raise Unsound(self.read.site, f"{name} is a column and an output alias of the same SELECT")
        if piece.constant and (ref.clause in ("group", "distinct") or _ordered(ref)):
            raise Unsound(
                self.read.site, f"{name} is a constant now, which GROUP BY and ORDER BY take otherwise"
            )
        if bare and self._stays_alias(ref, name, piece):
            return set()
        if (pushed := self.recoded.edits(ref, output, piece)) is not None:
            return pushed
        self._check_grouping(ref, piece)
        if self.can_be_filled(ref) and not piece.keeps_filling(self.folding.dialect):
            raise Unsound(
                self.read.site,
                f"an outer join can fill it with NULLs, where {ref.column.name} would no longer be NULL",
            )
        return self._replace(ref, output, piece)

    def can_be_filled(self, ref: Ref) -> bool:
        """May the reference see NULLs that an outer join filled in?"""
        return self.read.nullable and not self._before_filling(ref)

    def _before_filling(self, ref: Ref) -> bool:
        """Is the reference in the ON of the very LEFT JOIN that fills the source with NULLs?"""
        join = self.read.source.join
        if join is None or (join.side or "").upper() != "LEFT" or join.args.get("on") is None:
            return False
        node: exp.Expr | None = ref.node
        while node is not None and node is not join:
            node = node.parent
        return node is join

    def _check_new_alias(self, ref: Ref, output: Output, piece: Piece) -> None:
        """ClickHouse takes a name for an alias first, in every clause: of the old ones, `shadows` knows."""
        name = self.folding.ident(ref.column)
        listed = ref.node.parent is ref.scope.select and not self._keeps_name(ref, output, piece)
        if listed and name in self.read.pieces.new_columns():
            raise Unsound(self.read.site, f"{name} would become an alias, which wins over the new column")

    def _piece(self, ref: Ref) -> tuple[Output, Piece]:
        found = self.read.pieces.by_column.get(self.folding.ident(ref.column))
        if found is None:
            raise Unsound(self.read.site, f"{ref.column.name} has no counterpart")
        return found

    def _stays_alias(self, ref: Ref, name: str, piece: Piece) -> bool:
        """GROUP BY plan, where the select list makes `… AS plan`: the alias says it, and says it shorter."""
        if not grouped_directly(ref) or piece.path is not None:
            return False
        if self.folding.dialect not in _GROUPS_BY_ALIAS or self.read.new_columns is None:
            return False
        if name in self.read.new_columns or ref.scope is not self.read.scope:
            return False
        if ref.scope.parent is not None:
            return False  # an outer query's column may win over the alias
        if not names_matter(ref.scope, self.folding.dialect):
            return False
        same = [
            item
            for item in ref.scope.select.expressions
            if isinstance(item, exp.Column)
            and isinstance(item.this, exp.Identifier)
            and self.folding.ident(item.this) == name
            and any(other.node is item and other.source is ref.source for other in ref.scope.refs)
        ]
        others = [
            source for source in ref.scope.sources if source is not ref.source and source.mapping is not None
        ]
        return len(same) == 1 and not others and name not in explicit_aliases(ref.scope, self.folding)

    def _behind_grouping(self, ref: Ref) -> bool:
        """Is the query that the reference stands in asked once for each group of the read's SELECT?"""
        select = self.read.scope.select
        if select.args.get("group") is None:
            return False
        node: exp.Expr | None = ref.node
        while node is not None and node.parent is not select:
            node = node.parent
        return node is not None and node.arg_key in ("expressions", "having", "qualify", "order")

    def _check_grouping(self, ref: Ref, piece: Piece) -> None:
        """What is grouped is not seen as grouped: in a nested query, and in BigQuery inside an expression."""
        if piece.path is None and ref.scope is not self.read.scope and self._behind_grouping(ref):
            raise Unsound(self.read.site, f"{ref.column.name} is grouped, and used in a query inside")
        group = ref.scope.select.args.get("group")
        if self.folding.dialect != "bigquery" or group is None or piece.path is not None:
            return
        if ref.clause not in ("expressions", "having", "qualify", "order"):
            return
        item = ref.node.parent
        whole = item is ref.scope.select or (isinstance(item, exp.Alias) and item.parent is ref.scope.select)
        if not whole and not in_aggregate(ref.node, ref.scope.select):
            raise Unsound(
                self.read.site, f"{ref.column.name} is grouped, derived, and used inside another expression"
            )

    # -- text ------------------------------------------------------------------------------------------

    def span(self, ref: Ref) -> tuple[int, int]:
        """Where the column of a reference stands, with its qualifiers."""
        if any("start" not in part.meta for part in ref.parts[: ref.index + 1]):
            raise Unsound(self.read.site, f"the parser kept no position for {ref.column.name}")
        return ref.parts[0].meta["start"], ref.column.meta["end"] + 1

    def subject(self, ref: Ref, output: Output, column: exp.Column) -> str:
        """The text of a column inside the mapping's expression, qualified as this place needs it."""
        piece = self.read.pieces.part(output, column)
        return piece.qualified(self._qualifier(ref, piece))

    def _replace(self, ref: Ref, output: Output, piece: Piece) -> set[Edit]:
        start, end = self.span(ref)
        text = piece.qualified(self._qualifier(ref, piece))
        if not self._stands_alone(ref, piece):
            text = f"({text})"
        alias, extra = self._alias(ref, output, piece)
        if alias is not None:
            text += f" {self._as()} {alias}"
        if self._same_text(text, self.text[start:end]):
            return extra
        return {Edit(start, end, text), *extra}

    def _same_text(self, new: str, old: str) -> bool:
        """The same name in other letters is left as the author wrote it."""
        if new == old:
            return True
        plain = (
            new.replace("_", "").replace(".", "").isalnum()
            and old.replace("_", "").replace(".", "").isalnum()
        )
        return plain and self.folding.fold(new) == self.folding.fold(old)

    def _as(self) -> str:
        """AS, in the case of the consumer's keywords."""
        return self.inliner.as_word(self.read)

    def _qualifier(self, ref: Ref, piece: Piece) -> str | None:
        read = self.read
        if ref.index > 0:
            if read.source.aliased:
                first, last = ref.parts[0], ref.parts[ref.index - 1]
                return self.text[first.meta["start"] : last.meta["end"] + 1]
            return read.qualifier
        needed = len(read.scope.sources) > 1 or ref.scope is not read.scope or bool(read.joins)
        needed = needed or piece.looks_qualified(read.qualifier, self.folding, fields=len(ref.parts) > 1)
        if ref.clause in ALIAS_CLAUSES and not needed:
            needed = bool(piece.columns & self._aliases_after(ref.scope))
        if not needed:
            return None
        self._check_visible(ref)
        return read.qualifier

    def _aliases_after(self, scope: Scope) -> set[str]:
        """Aliases of the select list once plain columns have got theirs."""
        names = set(explicit_aliases(scope, self.folding))
        for other in scope.refs:
            if other.node.parent is not scope.select or other.clause != "expressions":
                continue
            name = self.folding.ident(other.parts[-1])
            _, piece = self.read.pieces.by_column.get(name, (None, None))
            if piece is None or piece.text != name:
                names.add(name)
        return names

    def _check_visible(self, ref: Ref) -> None:
        """No scope in between may know another source by the same name."""
        name = self.folding.fold(self.read.qualifier.strip('`"'))
        current: Scope | None = ref.scope
        while current is not None and current is not self.read.scope:
            if any(source.name == name for source in current.sources):
                raise Unsound(self.read.site, f"{name} is hidden in a nested query")
            current = current.parent

    def _stands_alone(self, ref: Ref, piece: Piece) -> bool:
        """May the expression stand there without parentheses?"""
        if ref.index < len(ref.parts) - 1 or isinstance(ref.node.parent, exp.Dot):
            return piece.path is not None
        if piece.atomic:
            return True
        parent = ref.node.parent
        if isinstance(parent, exp.Select | exp.Alias | exp.Paren):
            return True
        loose = (exp.Binary, exp.Connector, exp.Cast, exp.Case, exp.Bracket)
        return isinstance(parent, exp.Func) and not isinstance(parent, loose)

    def _alias(self, ref: Ref, output: Output, piece: Piece) -> tuple[str | None, set[Edit]]:
        """The alias that goes right behind the expression, and an alias edit for the item around it."""
        parent = ref.node.parent
        if isinstance(parent, exp.Struct):
            # Of a path the last name becomes the field's, and it stays.
            if ref.index < len(ref.parts) - 1:
                return None, set()
            if self.folding.dialect == "duckdb" and not self._keeps_name(ref, output, piece):
                raise Unsound(self.read.site, f"a struct takes the name of {ref.column.name} for its field")
            if self.folding.dialect not in _ALIASES_IN_STRUCT:
                return None, set()
            return (None if self._keeps_name(ref, output, piece) else self._alias_text(ref, output)), set()
        around = self.items_around(ref)
        select = ref.scope.select
        if ref.clause != "expressions" or not names_matter(ref.scope, self.folding.dialect):
            return None, around
        if parent is select:
            fields = ref.index < len(ref.parts) - 1
            kept = fields or self._keeps_name(ref, output, piece)
            return (None if kept else self._alias_text(ref, output)), around
        return None, around | self.item_alias(ref.node, ref.scope)

    def items_around(self, ref: Ref) -> set[Edit]:
        """Aliases for the items of outer SELECTs that hold the subquery in which the reference stands.

        Those around the read itself are named in `autonames`.
        """
        edits: set[Edit] = set()
        scope = ref.scope
        while (
            scope is not self.read.scope
            and scope.parent is not None
            and scope.role in (Role.SCALAR, Role.IN, Role.EXISTS)
        ):
            outer = scope.parent
            if names_matter(outer, self.folding.dialect) and _in_select_list(scope.select, outer.select):
                edits |= self.item_alias(scope.select, outer)
            scope = outer
        return edits

    def _keeps_name(self, ref: Ref, output: Output, piece: Piece) -> bool:
        # A field of a struct is named after itself, but ORDER BY does not see that name in every engine.
        shown = output.name if self.folding.dialect == "duckdb" else ref.column.name
        return piece.path == shown and "." not in piece.text

    def _alias_text(self, ref: Ref, output: Output) -> str:
        meta = ref.column.meta
        if self.folding.dialect == "duckdb" and ref.column.name != output.name:
            identifier = exp.to_identifier(output.name)
            return identifier.sql(dialect="duckdb") if identifier is not None else output.name
        # A whole back-quoted path has one span: the column is its last part.
        text = self.text[meta["start"] : meta["end"] + 1]
        return text if "." not in text else f"`{ref.column.name}`"

    def item_alias(self, node: exp.Expr, scope: Scope) -> set[Edit]:
        """An unaliased item that computes: where the engine names it after its text, say its old name."""
        item = node
        while item.parent is not None and item.parent is not scope.select:
            item = item.parent
        if isinstance(item, exp.Alias | exp.Aliases) or item.is_star:
            return set()
        found = self.items.get(id(scope.select))
        if found is None:
            raise Unsound(self.read.site, "the items of the select list were not found")
        index = next(at for at, other in enumerate(scope.select.expressions) if other is item)
        first, last = found[1][index]
        tokens = self.inliner.tokens
        start, end = tokens.items[first].start, tokens.end(last)
        try:
            name = kept_name(item, self.folding.dialect, self._item_text(first, start, end))
        except Unnamed:
            raise Unsound(self.read.site, "the engine names an unaliased column after its text") from None
        return set() if name is None else {Edit(end, end, f" {self._as()} {name}")}

    def _item_text(self, first: int, start: int, end: int) -> str:
        tokens = self.inliner.tokens
        if tokens.items[first].text.upper() in ("DISTINCT", "ALL"):
            start = tokens.items[first + 1].start
        return self.text[start:end]


def _ordered(ref: Ref) -> bool:
    """Is the reference by itself what an ORDER BY orders by, be it that of a window?"""
    return isinstance(ref.node.parent, exp.Ordered)


def _in_select_list(node: exp.Expr, select: exp.Select) -> bool:
    while node.parent is not None and node.parent is not select:
        node = node.parent
    return node.arg_key == "expressions"
