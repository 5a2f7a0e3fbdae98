"""Tables that SQLAlchemy is told about: `Table("users_v1", …)`, and classes with a `__tablename__`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst
from sqlglot import exp

from greylag.domain.dataset import DatasetRef
from greylag.domain.outcome import Form
from greylag.domain.patch import Edit
from greylag.mapping.compiled import Mapping
from greylag.rewrite.python.bindings import Bindings
from greylag.rewrite.python.calls import called
from greylag.rewrite.python.naming import Named, Naming
from greylag.rewrite.python.others import others
from greylag.rewrite.python.source import Source
from greylag.rewrite.python.tables import NotRead, Reader, select_text

_HOLDERS = (cst.ClassDef, cst.FunctionDef)
_NAMED = {"key", "name", "quote"}
_READS = {"c", "columns", "select", "alias", "join", "outerjoin"}
_TAKES = {"select", "select_from", "join", "outerjoin", "query", "exists"}
_WRITES = (
    r"\.(?:add|add_all|merge|delete|bulk_\w+|commit|flush|begin|insert|update|create_all|drop_all|create|drop)\("
    r"|\b(?:insert|update|delete)\("
)
_INSTEAD = (
    'map the class to `text("SELECT …").columns(…).subquery()` with the mapping, or the queries themselves'
)


class Unmapped(NotRead):
    """A declaration lists columns without a counterpart."""

    def __init__(self, dataset: DatasetRef, columns: tuple[str, ...]) -> None:
        super().__init__("unmapped-column", f"declares {', '.join(columns)}, which has no counterpart")
        self.dataset = dataset
        self.columns = columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The edits of a declaration, the mapping behind it, the form, and the columns it lists (old names)."""

    mapping: Mapping
    edits: tuple[Edit, ...]
    form: Form
    columns: tuple[str, ...] | None


def declares(source: Source, root: cst.BaseExpression) -> bool:
    """Is this the name of a table in a declaration?"""
    return _class_of(source, root) is not None or _table_of(source, root) is not None


class Declared:
    """What becomes of a declaration."""

    def __init__(self, source: Source, bindings: Bindings, naming: Naming) -> None:
        self.source = source
        self.bindings = bindings
        self.naming = naming

    def moved(self, root: cst.BaseExpression, *, inline: bool | None) -> Moved | None:
        """The declaration over the new table. `inline`: in that form only, or never; None: as is sound.

        None where another table is declared. Raises NotRead.
        """
        held = _class_of(self.source, root)
        call = _table_of(self.source, root)
        schema = self._schema(held) if held is not None else self._keyword(call)
        named = self._named(root, schema)
        if named is None:
            return None
        if named.mapping is None:
            raise NotRead("maybe-old", named.doubt or "")
        self._alone(named.mapping.dataset.name)
        if held is not None:
            self._only_read(held, named.mapping)
            return self._in_place(root, schema, named.mapping)
        assert call is not None
        self._known_uses(call)
        columns = self._columns(call, named.mapping)
        if inline is not False and _same(named.mapping):
            return self._in_place(root, schema, named.mapping)
        if inline:
            raise NotRead("not-inline", "the table is more than another name")
        return self._over_query(root, call, named.mapping, columns)

    # -- what is declared ------------------------------------------------------------------------------

    def _named(self, root: cst.BaseExpression, schema: cst.SimpleString | None) -> Named | None:
        if not isinstance(root, cst.SimpleString):
            raise NotRead("dynamic-sql", "the declared table's name is put together")
        parts = [one.evaluated_value for one in (schema, root) if one is not None]
        return self.naming.named(".".join(str(part) for part in parts))

    def _keyword(self, call: cst.Call | None) -> cst.SimpleString | None:
        for arg in call.args if call is not None else ():
            if arg.star or (arg.keyword is not None and arg.keyword.value not in ("schema", "comment")):
                raise NotRead("table-modifier", "the table is declared with further arguments")
            if arg.keyword is not None and arg.keyword.value == "schema":
                return self._literal(arg.value)
        return None

    def _schema(self, held: cst.ClassDef) -> cst.SimpleString | None:
        """The schema in `__table_args__`, alone in a dictionary or in the one at the end of a tuple."""
        value = self._arguments(held)
        last = value.elements[-1].value if isinstance(value, cst.Tuple) and value.elements else value
        for element in last.elements if isinstance(last, cst.Dict) else ():
            key = element.key if isinstance(element, cst.DictElement) else None
            if not isinstance(key, cst.SimpleString):
                raise NotRead("dynamic-sql", "`__table_args__` is put together")
            if key.evaluated_value == "schema":
                return self._literal(element.value)
        if value is not None and not isinstance(value, cst.Tuple | cst.Dict):
            raise NotRead("dynamic-sql", "`__table_args__` is put together")
        return None

    def _arguments(self, held: cst.ClassDef) -> cst.BaseExpression | None:
        found: list[cst.BaseExpression | None] = []
        for line in held.body.body:
            for one in line.body if isinstance(line, cst.SimpleStatementLine) else (line,):
                match one:
                    case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__table_args__"))]):
                        found.append(one.value)
                    case cst.AnnAssign(target=cst.Name(value="__table_args__")):
                        found.append(one.value)
                    case cst.FunctionDef(name=cst.Name(value="__table_args__")):
                        found.append(None)
        if len(found) > 1 or None in found:
            raise NotRead("dynamic-sql", "`__table_args__` is put together")
        return found[0] if found else None

    def _literal(self, node: cst.BaseExpression) -> cst.SimpleString:
        if not isinstance(node, cst.SimpleString):
            raise NotRead("dynamic-sql", "the table's schema is put in")
        return node

    def _columns(self, call: cst.Call, mapping: Mapping) -> tuple[str, ...]:
        """The columns that a Table lists. Raises NotRead for one that is unknown or has no counterpart."""
        known = {output.name.lower() for output in mapping.outputs}
        names: list[str] = []
        for arg in call.args[2:]:
            if arg.keyword is not None:
                continue
            column = arg.value
            first = column.args[0] if isinstance(column, cst.Call) and column.args else None
            if not isinstance(column, cst.Call) or called(column) != "Column" or first is None:
                raise NotRead("not-understood", "the table is declared with more than its columns")
            if not isinstance(first.value, cst.SimpleString) or first.keyword is not None:
                raise NotRead("not-understood", "a column's name is put in")
            told = {one.keyword.value for one in column.args if one.keyword is not None}
            foreign = "ForeignKey" in self.source.code(column)
            if foreign or told & _NAMED or any(one.star for one in column.args):
                raise NotRead("table-modifier", "a column is declared with more than its type")
            names.append(str(first.value.evaluated_value))
        if not names:
            raise NotRead("table-modifier", "the columns are read from the database")
        lost = tuple(one for one in mapping.unmapped if one.lower() in {name.lower() for name in names})
        if lost:
            raise Unmapped(mapping.dataset, lost)
        for name in names:
            if name.lower() not in known:
                raise NotRead("not-understood", f"declares {name}, which {mapping.dataset} does not have")
        return tuple(names)

    # -- what is done with it --------------------------------------------------------------------------

    def _alone(self, name: str) -> None:
        """Raises NotRead where the table is made, or spoken of by its name, anywhere in the repository."""
        index = others(self.bindings.siblings)
        spoken = rf"\b{re.escape(name)}[`\"\]]?\.\w"
        made = re.compile(rf"\.(?:create_all|drop_all|tables|__table(?:name)?__)\b|target_metadata|{spoken}")
        texts = ((path, index.files[path]) for path in sorted(index.paths) if path != self.bindings.path)
        for path, text in ((self.bindings.path, self.source.text), *texts):
            found = made.search(text)
            if found is not None:
                line = text.count("\n", 0, found.start()) + 1
                message = f"{path}:{line} makes the declared tables, or speaks of one by its name"
                raise NotRead("not-understood", message)

    def _known_uses(self, call: cst.Call) -> None:
        """Raises NotRead unless everything that is done with a Table is a read of it."""
        above = self.source.parent(call)
        target = (
            above.targets[0].target if isinstance(above, cst.Assign) and len(above.targets) == 1 else None
        )
        bound = isinstance(target, cst.Name) and len(self.source.bindings(target)) == 1
        held = next((one for one in self.source.around(call) if isinstance(one, _HOLDERS)), None)
        if not bound or not isinstance(target, cst.Name) or isinstance(held, cst.ClassDef):
            raise NotRead("not-understood", "what is done with the declared table is not known")
        if any(others(self.bindings.siblings).naming(target.value, self.bindings.path)):
            raise NotRead("not-understood", "other modules import the declared table")
        for use in self.source.references(target):
            if not self._reads(use):
                line = self.source.line(self.source.span(use)[0])
                raise NotRead("not-understood", f"what line {line} does with the declared table is not known")

    def _reads(self, use: cst.CSTNode) -> bool:
        parent = self.source.parent(use)
        if isinstance(parent, cst.Attribute):
            return parent.value is use and parent.attr.value in _READS
        call = self.source.parent(parent) if isinstance(parent, cst.Arg) else None
        return isinstance(call, cst.Call) and call.func is not parent and called(call) in _TAKES

    def _only_read(self, held: cst.ClassDef, mapping: Mapping) -> None:
        """Raises NotRead where objects of a class may be written, or the table has other columns now."""
        name = held.name.value
        word = re.compile(rf"\b{re.escape(name)}\b")
        index = others(self.bindings.siblings)
        texts = [self.source.text]
        texts += [text for path in sorted(index.paths) if word.search(text := index.files[path])]
        writes = re.compile(
            rf"{_WRITES}|(?<!class )\b{re.escape(name)}\(|class \w+\([^)]*\b{re.escape(name)}\b"
        )
        if any(writes.search(text) for text in texts):
            raise NotRead("writes-old", f"objects of {name} may be written")
        if not _same(mapping):
            raise NotRead("not-understood", f"{name} is mapped to {mapping.dataset}: {_INSTEAD}")

    # -- edits -----------------------------------------------------------------------------------------

    def _in_place(self, root: cst.BaseExpression, schema: cst.SimpleString | None, mapping: Mapping) -> Moved:
        """The same declaration of a table with another name."""
        assert mapping.inlining is not None
        told = [one for one in (schema, root) if isinstance(one, cst.SimpleString)]
        old = DatasetRef.parse(".".join(str(one.evaluated_value) for one in told)).parts
        new = mapping.inlining.table.parts
        if len(old) != len(new):
            raise NotRead("not-understood", "the new table's name has another number of parts")
        wanted = [".".join(new[:-1]), new[-1]] if schema is not None else [".".join(new)]
        edits = []
        for one, text in zip(told, wanted, strict=True):
            start, end = self.source.span(one)
            inner = start + len(one.prefix) + len(one.quote), end - len(one.quote)
            if one.evaluated_value != text:
                edits.append(Edit(*inner, text))
        return Moved(mapping=mapping, edits=tuple(edits), form=Form.INLINE, columns=None)

    def _over_query(
        self, root: cst.BaseExpression, call: cst.Call, mapping: Mapping, columns: tuple[str, ...]
    ) -> Moved:
        """`text("SELECT …").columns(Column(…)).subquery("users_v1")`: its readers see the old columns."""
        if re.search(r"(?<!:):\w|\\", mapping.sql):
            raise NotRead("not-rewritable", "the mapping has a colon, which `text` would read")
        function, imports = self._text(call)
        shown = [arg for arg in call.args[2:] if arg.keyword is None]
        first, last = self.source.span(shown[0].value)[0], self.source.span(shown[-1].value)[1]
        start, end = self.source.span(call)
        if "#" in self.source.text[start:first] or "#" in self.source.text[last:end]:
            raise NotRead("not-understood", "comments stand between the parts of the declaration")
        between = self.source.text[self.source.span(call.args[1].value)[1] : first].partition(",")[2]
        behind = self.source.text[last:end]
        closing = re.search(r"\n[ \t]*\)$", behind)
        sql = select_text(mapping, self.source, Reader(argument=call), mapping.dataset.name)
        name = self.source.code(root)
        edits = (
            Edit(start, first, f"{function}({sql}).columns({between.lstrip(' ')}"),
            Edit(last, end, f"{',' + closing[0] if closing else ')'}.subquery({name})"),
            *imports,
        )
        return Moved(mapping=mapping, edits=edits, form=Form.BOUNDARY, columns=columns)

    def _text(self, call: cst.Call) -> tuple[str, tuple[Edit, ...]]:
        """How SQLAlchemy's `text` is called here, and the edit that imports it."""
        if isinstance(call.func, cst.Attribute):
            return f"{self.source.code(call.func.value)}.text", ()
        for node in self.source.nodes:
            if isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
                imported = {one.evaluated_alias or one.evaluated_name: one for one in node.names}
                table = imported.get("Table")
                if table is not None and "text" in imported and imported["text"].evaluated_alias is None:
                    return "text", ()
                if table is not None and not re.search(r"\btext\b", self.source.text):
                    end = self.source.span(imported[max(imported)])[1]
                    return "text", (Edit(end, end, ", text"),)
        raise NotRead("not-understood", "`text` of SQLAlchemy has another meaning here")


def _table_of(source: Source, root: cst.BaseExpression) -> cst.Call | None:
    """The call of SQLAlchemy's `Table` of which this is the first argument."""
    arg = source.parent(root)
    call = source.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(call, cst.Call) or called(call) != "Table" or call.args[0] is not arg:
        return None
    return call if source.qualified(call).startswith("sqlalchemy.") and len(call.args) > 1 else None


def _class_of(source: Source, root: cst.BaseExpression) -> cst.ClassDef | None:
    """The class whose `__tablename__` this is."""
    above = source.parent(root)
    match above:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__tablename__"))]):
            return next((one for one in source.around(above) if isinstance(one, cst.ClassDef)), None)
    return None


def _same(mapping: Mapping) -> bool:
    """Is the old dataset one new table under another name, every row and column of it as it was?"""
    inlining = mapping.inlining
    if inlining is None or inlining.predicate is not None or inlining.joins or mapping.unmapped:
        return False
    if mapping.branches is not None or mapping.grain is not None:
        return False
    qualifier = inlining.qualifier.lower()
    return all(
        isinstance(one.expression, exp.Column)
        and [part.name.lower() for part in one.expression.parts][:-1] in ([], [qualifier])
        and one.expression.name == one.name
        for one in mapping.outputs
    )
