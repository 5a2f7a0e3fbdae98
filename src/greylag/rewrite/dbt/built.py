"""Names that Jinja builds: `ref('users_' ~ 'v1')`, `source('core', var('t'))`, a macro that gives a relation.

Where such a name is certainly a replaced dataset's, it is written out as a plain call, in a text of as many
lines, which the codemod then rewrites. Where it may be one, that is told. Everything else stays.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from greylag.domain.outcome import Reason
from greylag.domain.patch import Edit, apply_edits
from greylag.mapping.compiled import CompiledMigration, DbtName
from greylag.rewrite.dbt.context import Project, localised, project_around
from greylag.rewrite.dbt.jinja import JinjaError, Span, SpanKind, expression, spans, statement
from greylag.rewrite.dbt.literals import known_values
from greylag.rewrite.dbt.macros import Macro
from greylag.rewrite.dbt.names import DbtCall, call, match, told_names, write_call
from greylag.rewrite.dbt.spelling import UNKNOWN, Scope, may_be
from greylag.rewrite.dbt.star import star_columns
from greylag.rewrite.dbt.trees import tree_of
from greylag.rewrite.dbt.words import word_pattern

_BUILT = re.compile(
    r"\b(?:ref|source)\s*\(\s*(?:['\"][^'\"]*['\"]\s*,\s*)?(?!['\"][^'\"]*['\"]\s*[,)])[^)\s]"
)
_STAR = re.compile(r"\bdbt_utils\s*\.\s*star\s*\(")
_MACRO = re.compile(r"\{%[-+]?\s*macro\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text with built names written out, what a reviewer should know of them, and what is in doubt."""

    text: str
    notes: tuple[str, ...] = ()
    doubts: tuple[Reason, ...] = ()


def write_out(path: str, text: str, migration: CompiledMigration, project: Project | None) -> Written:
    """Write out what certainly names a replaced dataset. Raises JinjaError when the text is no template."""
    builder = _Builder.of(path, text, migration, project)
    if not builder.may_build():
        return Written(text=text)
    edits: list[Edit] = []
    notes: dict[str, None] = {}
    doubts: dict[Reason, None] = {}
    found = spans(text)
    scope = Scope(values=known_values(found), variables=project.variables if project is not None else {})
    for span in found:
        if span.kind not in (SpanKind.EXPRESSION, SpanKind.STATEMENT):
            continue
        for one in builder.look(span, scope):
            match one:
                case Edit():
                    edits.append(one)
                    notes[f"{path}:{span.line}: {{{{ {span.code} }}}} is written out: {one.text}"] = None
                case Reason():
                    doubts[one] = None
    return Written(text=apply_edits(text, edits), notes=tuple(notes), doubts=tuple(doubts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Builder:
    path: str
    text: str
    migration: CompiledMigration
    project: Project | None
    words: re.Pattern[str]

    @classmethod
    def of(cls, path: str, text: str, migration: CompiledMigration, project: Project | None) -> _Builder:
        return cls(
            path=path,
            text=text,
            migration=migration,
            project=project,
            words=word_pattern(told_names(migration)),
        )

    def may_build(self) -> bool:
        """The cheap question: is there a call of another kind than the plain ones?"""
        if _BUILT.search(self.text):
            return True
        if _STAR.search(self.text):
            return True
        if self.project is None:
            return False
        named = [name for name, value in self.project.variables.items() if self.words.search(str(value))]
        named += self._relation_macros()
        return any(name in self.text for name in named)

    def _relation_macros(self) -> list[str]:
        macros = self.project.macros.values() if self.project is not None else ()
        return [one.name for one in macros if self.words.search(one.body) and _relation(one) is not None]

    def look(self, span: Span, scope: Scope) -> Iterator[Edit | Reason]:
        tree = tree_of(span)
        if tree is None:
            return
        if span.kind is SpanKind.EXPRESSION:
            known = self._whole(tree, span, scope)
            if known is not None:
                yield known
                return
        for node in (tree, *tree.find_all(nodes.Call)):
            spoken = call(node)
            if spoken is not None and spoken.args is None and isinstance(node, nodes.Call):
                yield from self._inside(node, spoken, span, scope)

    # -- an expression that is a relation as a whole -------------------------------------------------------

    def _whole(self, tree: nodes.Node, span: Span, scope: Scope) -> Edit | None:
        columns = star_columns(tree, self.migration)
        if columns is not None and "\n" not in span.code:
            return Edit(span.start, span.end, columns)
        spoken = call(tree)
        if spoken is not None and isinstance(tree, nodes.Call):
            return self._certain(self._calls(tree, spoken, scope), span) if spoken.args is None else None
        match tree:
            case nodes.Call(node=nodes.Name(name="var"), args=[nodes.Const(), *_]):
                return self._variable(span, scope.spellings(tree))
            case nodes.Call(node=nodes.Name(name=name), args=[], kwargs=[]):
                macro = self.project.macros.get(name) if self.project is not None else None
                given = _relation(macro) if macro is not None else None
                return self._certain([given], span) if given is not None else None
        return None

    def _variable(self, span: Span, values: frozenset[str]) -> Edit | None:
        """A variable of the project that holds a `{{ ref(...) }}`, or a table's own name."""
        (value,) = values if len(values) == 1 else ("",)
        if UNKNOWN in value or not self.words.search(value):
            return None
        bare = value.strip()
        if bare.startswith("{{") and bare.endswith("}}"):
            spoken = call(expression(bare[2:-2].strip()))
            return self._certain([spoken], span) if spoken is not None else None
        return Edit(span.start, span.end, value) if "{" not in value and "\n" not in value else None

    def _certain(self, spoken: list[DbtCall] | None, span: Span) -> Edit | None:
        found = {match(one, self.migration).dataset for one in spoken or ()}
        if not spoken or len(found) != 1 or None in found or spoken[0].args is None:
            return None
        like = self.text[span.start : span.end]
        new = write_call(DbtName(kind=spoken[0].kind, args=spoken[0].args), like, controls=True)
        lines = like.count("\n")
        return Edit(span.start, span.end, new[:-2] + "\n" * lines + new[-2:] if lines else new)

    # -- calls anywhere ------------------------------------------------------------------------------------

    def _calls(self, node: nodes.Call, spoken: DbtCall, scope: Scope) -> list[DbtCall] | None:
        """Every call that it may come out as; None when a piece is not known."""
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            return None
        spelled = [sorted(scope.spellings(argument)) for argument in node.args]
        if any(UNKNOWN in text for texts in spelled for text in texts):
            return None
        return [
            DbtCall(kind=spoken.kind, args=args)
            for args in itertools.islice(itertools.product(*spelled), 200)
        ]

    def _inside(self, node: nodes.Call, spoken: DbtCall, span: Span, scope: Scope) -> Iterator[Reason]:
        known = self._calls(node, spoken, scope)
        if known is not None:
            hit = next((d for one in known if (d := match(one, self.migration).dataset) is not None), None)
            if hit is not None:
                message = f"{span.code} is {hit} in some rounds or cases"
                yield self._doubt("built-name", message, span)
            return
        last = node.args[-1] if node.args else None
        spelled = scope.spellings(last)
        names = self._names(spoken.kind)
        near = [text for text in spelled if may_be(text, names)]
        if not near:
            return
        if all(text == UNKNOWN for text in near):
            # Nothing is known of the name. In a macro its callers say it, and they are read themselves.
            inside = bool(_MACRO.search(self.text, 0, span.start))
            if inside or self.project is None or not self.project.names(self.migration):
                return
        message = f"{span.code} may be {' or '.join(names)}: its name is built from what is not known here"
        yield self._doubt("built-name", message, span)

    def _names(self, kind: str) -> list[str]:
        found = {
            name.args[-1]
            for mapping in self.migration.mappings
            for name in mapping.names.dbt
            if name.kind == kind
        }
        return sorted(found)

    def _doubt(self, code: str, message: str, span: Span) -> Reason:
        return Reason(code=code, message=f"{self.path}:{span.line}: {message}", line=span.line)


def _relation(macro: Macro) -> DbtCall | None:
    """The one call that a macro gives, when that is all: `{{ ref('x') }}`, `{{ return(ref('x')) }}`."""
    try:
        parts = [
            part
            for part in spans(macro.body)
            if part.kind is not SpanKind.COMMENT and (part.kind is not SpanKind.DATA or part.code.strip())
        ]
    except JinjaError:
        return None
    if len(parts) != 1:
        return None
    (part,) = parts
    tree = expression(part.code) if part.kind is SpanKind.EXPRESSION else statement(part.code)
    if isinstance(tree, nodes.ExprStmt):
        tree = tree.node
    match tree:
        case nodes.Call(node=nodes.Name(name="return"), args=[inner]):
            tree = inner
    spoken = call(tree)
    return spoken if spoken is not None and spoken.args is not None else None


def builders(
    named: Collection[str], files: Mapping[str, str], migration: CompiledMigration
) -> frozenset[str]:
    """SQL files of dbt projects that may build the name of a replaced dataset without saying it.

    `named` are the files that name one; only projects with such a file are looked through.
    """
    found: set[str] = set()
    for project in {one.root: one for path in named if (one := project_around(path, files))}.values():
        for path, text in project.sql.items():
            builder = _Builder.of(path, text, localised(path, migration, files), project)
            if path not in named and builder.may_build():
                found.add(path)
    return frozenset(found)
