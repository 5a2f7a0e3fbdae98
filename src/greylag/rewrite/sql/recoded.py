"""Predicates over recoded columns: `plan = 'premium'` becomes `tier = 3`, where that is surely the same.

Both sides are worked out for every key of the recoding, for NULL and for any other value. They must agree in
all three truth values, or, where only truth counts (WHERE, ON, WHEN…), in being true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from greylag.domain.patch import Edit
from greylag.mapping.compiled import Output
from greylag.rewrite.sql.atoms import Atom, atom_around, predicate_of, truth_counts
from greylag.rewrite.sql.model import Ref
from greylag.rewrite.sql.outputs import names_matter
from greylag.rewrite.sql.recoding import NULL, Kind, Recoding, Unsure, Value, literal, recoding_of
from greylag.rewrite.sql.soundness import in_aggregate
from greylag.rewrite.sql.substitute import Piece

if TYPE_CHECKING:
    from greylag.rewrite.sql.references import References

Truth = bool | None
_ODD = {"oracle"}  # '' is NULL
_DISTINCT_FROM = {"bigquery", "snowflake", "postgres", "duckdb", "trino", "spark", "databricks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A predicate over the subject: its shape, and the keys in it, in order."""

    shape: str
    keys: tuple[Value, ...] = ()

    def holds(self, key: Value) -> Truth:
        """Its truth for a subject that is one of the keys, `NULL`, or, as a Value of no kind, another."""
        among = any(key is one for one in self.keys)
        match self.shape:
            case "is null":
                return key.kind is Kind.NULL
            case "distinct":
                return not among
            case "not in":
                return None if key.kind is Kind.NULL else not among
            case _:
                return None if key.kind is Kind.NULL else among


_OTHER = Value(Kind.TRUTH, None)


class Recoded:
    """Pushes recodings into the predicates over one read's columns."""

    def __init__(self, references: References) -> None:
        self.references = references
        self.read = references.read
        self.dialect = references.folding.dialect
        self._known: dict[str, Recoding | None] = {}

    def edits(self, ref: Ref, output: Output, piece: Piece) -> set[Edit] | None:
        """Edits for the predicate around a reference; None where the recoding stays as it is."""
        recoding = self._recoding(output)
        if recoding is None or ref.index != len(ref.parts) - 1 or not self._may_move(ref):
            return None
        if self.dialect in _ODD or (self.dialect == "clickhouse" and self.references.can_be_filled(ref)):
            return None
        try:
            found = self._switch(ref, output, recoding) or self._predicate(ref, output, recoding, piece)
        except Unsure:
            return None
        return None if found is None else found | self._names(ref)

    def _recoding(self, output: Output) -> Recoding | None:
        if output.name not in self._known:
            self._known[output.name] = recoding_of(output.expression)
        return self._known[output.name]

    def _names(self, ref: Ref) -> set[Edit]:
        """The alias of the item around it, and of items around that."""
        edits = self.references.items_around(ref)
        if ref.clause == "expressions" and names_matter(ref.scope, self.dialect):
            edits |= self.references.item_alias(ref.node, ref.scope)
        return edits

    def _may_move(self, ref: Ref) -> bool:
        """Behind GROUP BY, what is grouped must stay the same expression wherever it is used."""
        select = ref.scope.select
        if select.args.get("distinct") and ref.clause == "order":
            return False
        home = self.read.scope
        if ref.scope is not home and (home.select.args.get("group") or home.select.args.get("having")):
            return False
        if not select.args.get("group") or _before_grouping(ref):
            return True
        name = self.references.folding.ident(ref.column)
        return all(
            _truth_counts(other)
            for other in ref.scope.refs
            if other.source is ref.source
            and self.references.folding.ident(other.column) == name
            and not _before_grouping(other)
        )

    # -- comparisons -----------------------------------------------------------------------------------

    def _predicate(self, ref: Ref, output: Output, recoding: Recoding, piece: Piece) -> set[Edit] | None:
        atom = atom_around(ref, self.references.inliner.tokens, self.dialect)
        if atom is None:
            return None
        truth = _evaluator(atom.node, ref.node)
        form = self._form(atom, recoding, truth, truth_counts(atom.node), self.references.can_be_filled(ref))
        if form is None:
            return None
        subject = self.references.subject(ref, output, recoding.subject)
        text = self._text(form, subject, output, atom)
        if text is None or len(text) > len(atom.text) + len(piece.text):
            return None
        return set(self._minimal(form, subject, output, atom)) or {Edit(atom.start, atom.end, text)}

    def _form(
        self, atom: Atom, recoding: Recoding, truth: Callable[[Value], Truth], loose: bool, filled: bool
    ) -> _Form | None:
        """The predicate over the subject that says the same; None when there is none of a simple shape."""
        old = {id(key): truth(result) for key, result in zip(recoding.keys, recoding.results, strict=True)}
        of_null, of_others = truth(recoding.of_null), truth(recoding.of_others)
        yes = tuple(key for key in recoding.keys if old[id(key)])
        no = tuple(key for key in recoding.keys if not old[id(key)])
        form: _Form | None = None
        match (bool(of_others), bool(of_null)):
            case (False, False) if yes:
                form = _Form(shape="in", keys=_in_order(yes, recoding, atom))
            case (False, True) if not yes:
                form = _Form(shape="is null")
            case (True, False) if no:
                form = _Form(shape="not in", keys=no)
            case (True, True) if len(no) == 1 and not atom.equality and self.dialect in _DISTINCT_FROM:
                form = _Form(shape="distinct", keys=no)
        if form is None:
            return None
        pairs = [(old[id(key)], form.holds(key)) for key in recoding.keys]
        pairs += [(of_null, form.holds(NULL)), (of_others, form.holds(_OTHER))]
        if filled:
            # An outer join fills the old column with NULL itself, whatever the recoding makes of NULL.
            pairs.append((truth(NULL), form.holds(NULL)))
        same = all(bool(left) is bool(right) if loose else left is right for left, right in pairs)
        return form if same else None

    def _text(self, form: _Form, subject: str, output: Output, atom: Atom) -> str | None:
        truths = [key for key in form.keys if key.kind is Kind.TRUTH]
        if truths:
            if len(truths) > 1 or form.shape != "in":
                return None
            return subject if truths[0].value else f"{atom.word('NOT')} {subject}"
        keys = [self.key_text(output, key) for key in form.keys]
        listed, single = ", ".join(keys), len(keys) == 1 and not atom.listed
        match form.shape:
            case "is null":
                return f"{subject} {atom.word('IS NULL')}"
            case "distinct":
                return f"{subject} {atom.word('IS DISTINCT FROM')} {listed}"
            case "in":
                return f"{subject} = {listed}" if single else f"{subject} {atom.word('IN')} ({listed})"
            case _:
                sign = atom.sign if atom.sign == "!=" else "<>"
                spelled = f"{subject} {atom.word('NOT IN')} ({listed})"
                return f"{subject} {sign} {listed}" if single else spelled

    def _minimal(self, form: _Form, subject: str, output: Output, atom: Atom) -> Iterator[Edit]:
        """The same operator on both sides: only the column and the literals change."""
        kept = (form.shape == "in" and atom.positive) or (form.shape == "not in" and atom.negative)
        if not kept or any(key.kind is Kind.TRUTH for key in form.keys):
            return
        if not atom.listed and len(form.keys) != 1:
            return
        yield Edit(atom.column[0], atom.column[1], subject)
        yield Edit(atom.values[0], atom.values[1], ", ".join(self.key_text(output, key) for key in form.keys))

    def key_text(self, output: Output, key: Value) -> str:
        """A key as the mapping writes it."""
        node = key.node
        assert node is not None
        start = node.meta.get("start")
        if isinstance(node, exp.Literal) and start is not None:
            low = start - output.start
            return output.text[low : node.meta["end"] + 1 - output.start]
        return node.sql(dialect=self.dialect)

    # -- CASE plan WHEN 'premium' ----------------------------------------------------------------------

    def _switch(self, ref: Ref, output: Output, recoding: Recoding) -> set[Edit] | None:
        case = ref.node.parent
        if not isinstance(case, exp.Case) or ref.node.arg_key != "this":
            return None
        edits: set[Edit] = set()
        for arm in case.args["ifs"]:
            value = literal(arm.this)
            keys = [
                key
                for key, result in zip(recoding.keys, recoding.results, strict=True)
                if result.equals(value)
            ]
            start = arm.this.meta.get("start")
            if len(keys) != 1 or keys[0].kind is Kind.TRUTH or start is None:
                return None
            if recoding.of_null.equals(value) or recoding.of_others.equals(value):
                return None
            if not isinstance(arm.this, exp.Literal):
                return None
            edits.add(Edit(start, arm.this.meta["end"] + 1, self.key_text(output, keys[0])))
        start, end = self.references.span(ref)
        return edits | {Edit(start, end, self.references.subject(ref, output, recoding.subject))}


def _before_grouping(ref: Ref) -> bool:
    return ref.clause in ("where", "on") or in_aggregate(ref.node, ref.scope.select)


def _truth_counts(ref: Ref) -> bool:
    """Is the reference part of a predicate of which only the truth counts?"""
    if isinstance(ref.node.parent, exp.Case) and ref.node.arg_key == "this":
        return True
    found = predicate_of(ref.node)
    return found is not None and truth_counts(found)


def _in_order(keys: tuple[Value, ...], recoding: Recoding, atom: Atom) -> tuple[Value, ...]:
    """The keys in the order in which the consumer lists their results."""
    result = {id(key): value for key, value in zip(recoding.keys, recoding.results, strict=True)}

    def rank(key: Value) -> int:
        return next(
            (at for at, value in enumerate(atom.literals) if result[id(key)].equals(value)),
            len(atom.literals),
        )

    return tuple(sorted(keys, key=rank))


def _evaluator(node: exp.Expr, column: exp.Expr) -> Callable[[Value], Truth]:
    """What the predicate says of a value of the column."""

    def evaluate(value: Value) -> Truth:
        return _evaluate(node, column, value)

    return evaluate


def _evaluate(node: exp.Expr, column: exp.Expr, value: Value) -> Truth:
    """Three-valued truth of a predicate for one value of the column. Raises Unsure."""
    match node:
        case _ if node is column:
            if value.kind not in (Kind.BOOLEAN, Kind.NULL):
                raise Unsure
            return value.value if isinstance(value.value, bool) else None
        case exp.Paren():
            return _evaluate(node.this, column, value)
        case exp.Not():
            inner = _evaluate(node.this, column, value)
            return None if inner is None else not inner
        case exp.EQ() | exp.NEQ() | exp.NullSafeEQ() | exp.NullSafeNEQ():
            other = literal(node.expression if node.this is column else node.this)
            return _compared(node, value, other)
        case exp.In():
            each = [value.equals(literal(one)) for one in node.expressions]
            return True if True in each else None if None in each else False
        case exp.Is(expression=exp.Null()):
            return value.kind is Kind.NULL
        case exp.Is(expression=exp.Boolean() as wanted):
            return value.kind is not Kind.NULL and value.equals(literal(wanted)) is True
    raise Unsure


def _compared(node: exp.Expr, value: Value, other: Value) -> Truth:
    if isinstance(node, exp.EQ | exp.NEQ):
        equal = value.equals(other)
        return equal if equal is None or isinstance(node, exp.EQ) else not equal
    nulls = (value.kind is Kind.NULL, other.kind is Kind.NULL)
    same = all(nulls) if any(nulls) else value.equals(other) is True
    return same if isinstance(node, exp.NullSafeEQ) else not same
