"""The Python codemod: every string that names a replaced dataset is followed to what is done with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import libcst as cst

from greylag.domain.consumer import Framework
from greylag.domain.outcome import Edited, FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.domain.patch import Edit
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite.embedded import EmbeddedPlan, fold_plans
from greylag.rewrite.mentions import candidate_names, mentioned
from greylag.rewrite.python.bindings import Bindings, Foreign
from greylag.rewrite.python.calls import Fate, Use
from greylag.rewrite.python.carried import carried
from greylag.rewrite.python.compose import Composer
from greylag.rewrite.python.constants import Constants, NoOneName
from greylag.rewrite.python.databricks import plan_magics
from greylag.rewrite.python.naming import BARE, Naming
from greylag.rewrite.python.others import others
from greylag.rewrite.python.planning import Planned, Planner
from greylag.rewrite.python.source import NotParsed, Source
from greylag.rewrite.python.uses import Uses

_BOM = "\ufeff"
_TABLES = re.compile(r"(?i)(?:^|[._])(?:tables?|views?|classes|schemas?|catalogs?|database|db|public)$")


def rewrite_python(
    path: str,
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    siblings: Mapping[str, str] | None = None,
) -> Outcome:
    """Rewrite one Python module. Pure.

    `siblings` are the other files of its repository (path to text): constants are followed into those that
    the module imports, and constants that others import are left alone.
    """
    files = {} if siblings is None else siblings  # asking a folder whether it is empty is to walk it
    if not concerned(path, text, migration, files):
        return Unchanged()
    if path.endswith(".ipynb"):
        from greylag.rewrite.python.notebook import rewrite_notebook

        return rewrite_notebook(path, text, Naming(migration), form, files)
    if text.startswith(_BOM):
        return _with_bom(rewrite_python(path, text[1:], migration, form=form, siblings=siblings))
    return module_outcome(path, text, migration, form, files)


def concerned(path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str]) -> bool:
    """The cheap question: does the text, or one that it may import names from, name a replaced dataset?"""
    if mentioned(text, migration, {}):
        return True
    held = carried(others(siblings), candidate_names(migration))
    # The imports of a notebook stand in strings: they are looked at when its cells are read.
    return held.near(text) if path.endswith(".ipynb") else held.used(path, text) != frozenset()


def _with_bom(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Edited):
        return replace(outcome, text=_BOM + outcome.text)
    return outcome


def module_outcome(
    path: str,
    text: str,
    migration: CompiledMigration,
    form: FormChoice,
    siblings: Mapping[str, str],
) -> Outcome:
    """The outcome for a module that names a replaced dataset, or imports such a name."""
    naming = Naming(migration)
    try:
        source = Source(text)
        plans, reasons = plan_module(source, path, naming, form, siblings)
        if "# MAGIC" in text:
            more = plan_magics(source, path, naming, form)
            plans, reasons = [*plans, *more[0]], [*reasons, *more[1]]
    except NotParsed as error:
        if not naming.word.search(text):
            return Unchanged()
        return Skipped(framework=Framework.PYTHON, reasons=(told(path, error.code, str(error), error.line),))
    except RecursionError:
        return Skipped(
            framework=Framework.PYTHON,
            reasons=(told(path, "too-deep", "the program is nested too deeply", 0),),
        )
    return fold_plans(plans, text, Framework.PYTHON, reasons)


def told(path: str, code: str, message: str, line: int) -> Reason:
    """A reason at a line of the file, 0 for the whole of it."""
    return Reason(code=code, message=f"{path}:{line}: {message}" if line else f"{path}: {message}", line=line)


def plan_module(
    source: Source, path: str, naming: Naming, form: FormChoice, siblings: Mapping[str, str]
) -> tuple[list[EmbeddedPlan], list[Reason]]:
    """The plans of all that reads in a module, and the reasons to leave it alone."""
    job = Job(source, path, naming, siblings)
    planned = job.plan(form)
    if form is FormChoice.AUTO and job.clash(planned) is not None:
        planned = job.plan(FormChoice.BOUNDARY)
    reasons = [
        told(path, "not-understood", f"{source.code(node)} names a replaced dataset", line)
        for node, line in job.attributes()
    ]
    try:
        job.constants(planned)
    except NoOneName as error:
        line = source.line(source.span(error.node)[0])
        reasons.append(told(path, "dynamic-sql", str(error), line))
        return [one.plan for one in planned], reasons
    shared = job.shared(planned)
    if shared is not None:
        message = "the text is also used otherwise, where it must stay as it is"
        reasons.append(told(path, "not-rewritable", message, source.line(shared)))
    clash = job.clash(planned)
    if clash is not None:
        message = "the text of a constant would have to change in different ways for different uses"
        reasons.append(told(path, "not-rewritable", message, source.line(clash)))
    return _once([one.plan for one in planned]), reasons


def _once(plans: list[EmbeddedPlan]) -> list[EmbeddedPlan]:
    """The plans, with an edit of shared text in the first of them only."""
    seen: set[Edit] = set()
    done: list[EmbeddedPlan] = []
    for plan in plans:
        done.append(replace(plan, edits=tuple(edit for edit in plan.edits if edit not in seen)))
        seen |= set(plan.edits)
    return done


@dataclass(slots=True)
class Root:
    """A whole expression that names a dataset, all that is done with it, and the literals that name it."""

    root: cst.BaseExpression
    fates: list[Fate] = field(default_factory=list)
    atoms: set[cst.CSTNode] = field(default_factory=set)
    exported: bool = False


class Job:
    """The strings of one module that matter to a migration."""

    def __init__(self, source: Source, path: str, naming: Naming, siblings: Mapping[str, str]) -> None:
        self.source = source
        self.path = path
        self.naming = naming
        self.siblings = siblings
        self.bindings = Bindings(source, path, siblings)
        self.composer = Composer(source, self.bindings, naming.migration.dialect)
        self.uses = Uses(source, self.bindings, naming.migration.dialect)
        self.followed = carried(others(siblings), naming.words).used(path, source.text)
        self.roots = list(self._roots())

    def _roots(self) -> Iterable[Root]:
        found: dict[cst.CSTNode, Root] = {}
        for node in self.source.nodes:
            if not self._names(node):
                continue
            assert isinstance(node, cst.BaseExpression)
            for end in self.uses.ends(node):
                root = found.setdefault(end.root, Root(end.root))
                root.fates.append(end.fate)
                root.atoms.add(node)
                root.exported = root.exported or self._exported(node)
        return found.values()

    def _names(self, node: cst.CSTNode) -> bool:
        """Is this a literal, or an imported constant, that names a replaced dataset?"""
        match node:
            case cst.SimpleString():
                return self._text_names(node.value)
            case cst.TemplatedString():
                return self._text_names(self.source.code(node))
            case cst.FormattedString():
                return any(
                    isinstance(part, cst.FormattedStringText) and self._text_names(part.value)
                    for part in node.parts
                )
            case cst.Name(value=word) | cst.Attribute(attr=cst.Name(value=word)) if self._follows(word):
                above = self.source.parent(node)
                if isinstance(above, cst.ImportAlias | cst.Param | cst.Arg) and not _is_value(above, node):
                    return False
                if isinstance(above, cst.Attribute) and above.attr is node:
                    return False
                value = self.bindings.value(node)
                # Longer SQL is edited where it is written, so that it can be used here as it was.
                foreign = isinstance(value, Foreign) and BARE.fullmatch(value.text)
                return bool(foreign and isinstance(value, Foreign) and self.naming.word.search(value.text))
        return False

    def _follows(self, word: str) -> bool:
        return self.followed is None or word in self.followed

    def _text_names(self, text: str) -> bool:
        return bool(self.naming.word.search(text)) or (
            "*" in text
            and mentioned(text, self.naming.migration, {})
            and self.naming.sql_like(text.strip("'\""))
        )

    def _exported(self, node: cst.BaseExpression) -> bool:
        """Is the literal a constant that another file of the repository may import?"""
        whole = self.uses.whole(node)
        target = self.uses.target(whole)
        return target is not None and any(others(self.siblings).naming(target.value, self.path))

    def plan(self, form: FormChoice) -> list[Planned]:
        """What to do about each of them."""
        planner = Planner(self.source, self.composer, self.naming, self.path, form)
        return [self._planned(planner, one) for one in self.roots]

    def _planned(self, planner: Planner, one: Root) -> Planned:
        done = planner.plan(one.root, one.fates, exported=one.exported)
        if done.composed is None or done.mention or done.plan.skipped:
            return done
        lost = one.atoms - done.composed.atoms - done.composed.constants
        if lost:
            done.plan = planner.skip(one.root, "dynamic-sql", "the name of a replaced dataset is put in here")
        return done

    def constants(self, planned: list[Planned]) -> None:
        """Let constants take new names, in the plans. Raises NoOneName."""
        settled = Constants(self.source, self.composer, self.naming)
        settled.settle(planned)
        changed = settled.changed()
        for one in self.roots:
            if one.exported and one.atoms & changed:
                raise NoOneName(one.root, "the table's name is a constant that other files import")

    def attributes(self) -> Iterable[tuple[cst.Attribute, int]]:
        """Tables that are named as attributes: `con.tables.users_v1`."""
        for node in self.source.nodes:
            if isinstance(node, cst.Attribute) and self.naming.word.fullmatch(node.attr.value):
                owner = self.source.code(node.value)
                if _TABLES.search(owner):
                    yield node, self.source.line(self.source.span(node)[0])

    def shared(self, planned: list[Planned]) -> int | None:
        """Where a literal is edited that other expressions are made of too; None where there is none."""
        known = {one.root for one in planned}
        for one in planned:
            for atom in one.composed.atoms if one.composed is not None and one.plan.edits else ():
                start, end = self.source.span(atom)
                if not any(start <= edit.start and edit.end <= end for edit in one.plan.edits):
                    continue
                assert isinstance(atom, cst.BaseExpression)
                for place in self.uses.ends(atom):
                    if place.root not in known and place.fate.use is not Use.MENTION:
                        return start
        return None

    def clash(self, planned: list[Planned]) -> int | None:
        """Where two uses of the same text want different edits of it; None when all agree."""
        wanted: dict[tuple[int, int], set[Edit]] = {}
        for one in planned:
            if one.composed is None or one.mention or one.plan.skipped:
                continue
            for segment in one.composed.segments:
                if segment.offsets is None:
                    continue
                edits = {e for e in one.plan.edits if segment.start <= e.start and e.end <= segment.end}
                if wanted.setdefault((segment.start, segment.end), edits) != edits:
                    return segment.start
        return None


def _is_value(above: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Is the name used here, or does it only say what is imported, or which argument is meant?"""
    match above:
        case cst.Arg():
            return above.value is node
        case cst.Param():
            return above.default is node
    return False
