"""What a string of a program is: SQL, the name of a table that is read, a mention, or not understood."""

from __future__ import annotations

import re
from dataclasses import replace

from tree_sitter import Node

from greylag.rewrite.jvm.literals import Unreadable
from greylag.rewrite.jvm.model import Definition, File, Mention, Place, Refusal, SqlSite, Unknown
from greylag.rewrite.jvm.names import Naming, column_qualifier, naming
from greylag.rewrite.jvm.scio import scio_place
from greylag.rewrite.jvm.spark import spark_place, sql_site
from greylag.rewrite.jvm.strings import LITERALS, Expression
from greylag.rewrite.jvm.syntax import Call, Source, around, call_of

_LOGS = re.compile(
    r"info|warn|warning|debug|error|trace|log|fatal|severe|fine|finer|finest|println|print|printf"
    r"|require|assume|fail|describe|it|test|should|must|in|when|can|ignore|setAppName|appName"
    r"|setJobName|withName|setName|setJobGroup|setJobDescription|setCallSite|counter|gauge|timer"
    r"|histogram|distribution|named|clue|withClue|debugf|infof|deprecated|Deprecated|description"
    r"|DisplayName|Description|SuppressWarnings|nowarn|Tag"
)
_COMPARES = re.compile(
    r"==|!=|===|=!=|equals|contentEquals|equalsIgnoreCase|contains|startsWith|endsWith|assertEquals"
    r"|assertThat|isEqualTo|shouldBe|shouldEqual|mustBe|replace|replaceAll|indexOf|matches|split"
    r"|include|be|equal|verify|eq"
)
# Calls that run the SQL that they are given, as it is.
_RUNS = re.compile(
    r"sql|query|execute|executeQuery|executeUpdate|executeLargeUpdate|executeSql|sqlQuery|prepareStatement"
    r"|prepareCall|nativeSQL|createNativeQuery|createSQLQuery|queryFor\w+|fetch\w*|resultQuery|fromQuery"
    r"|bigQuerySelect|bigQueryStorage|Query"
)
_SQL_ANNOTATIONS = re.compile(
    r"NamedNativeQuery|Select|Insert|Update|Delete|SqlQuery|SqlUpdate|SqlBatch|Sql|Subselect|Formula"
)
_KEEPING = re.compile(r"trim|strip|stripIndent|stripMargin|format|formatted|stripLeading|stripTrailing")
_CHANGES = re.compile(
    r"replace|replaceAll|replaceFirst|replaceAllLiterally|concat|toUpperCase|toLowerCase|substring|subSequence"
    r"|split|splitAt|repeat|take|takeRight|takeWhile|drop|dropRight|dropWhile|slice|patch|updated|map|flatMap"
    r"|filter|filterNot|reverse|head|tail|init|last|capitalize|translateEscapes|linesIterator|lines|chars"
)
FILES = Refusal(
    code="file-path",
    message="names files of the dataset: a mapping is a query over tables; read the table instead",
)
_DYNAMIC = "it names the dataset, and what becomes of it is not understood"


def root_of(source: Source, node: Node) -> Node:
    """The whole string expression that a literal or a name is a part of."""
    top = node
    while (wider := _wider(source, top)) is not None:
        top = wider
    return top


def _wider(source: Source, node: Node) -> Node | None:
    parent = node.parent
    if parent is None:
        return None
    match parent.type:
        case "infix_expression" | "binary_expression":
            operator = parent.child_by_field_name("operator")
            return parent if operator is not None and source.of(operator) == "+" else None
        case "parenthesized_expression":
            return parent
        case "interpolation":
            return parent.parent.parent if parent.parent is not None else None
        case "block" if parent.named_child_count == 1 and parent.parent is not None:
            inside = parent.parent.type == "interpolation"
            return parent.parent.parent.parent if inside and parent.parent.parent is not None else None
        case "field_expression" | "field_access":
            return _attribute(source, node, parent)
        case "method_invocation" if parent.child_by_field_name("object") == node:
            name = parent.child_by_field_name("name")
            return parent if name is not None and _KEEPING.fullmatch(source.of(name)) else None
        case "arguments" | "argument_list":
            return _formatted(source, parent)
        case _:
            return None


def _attribute(source: Source, node: Node, parent: Node) -> Node | None:
    field = parent.child_by_field_name("field")
    if field is None:
        return None
    if field == node:
        return parent
    if not _KEEPING.fullmatch(source.of(field)):
        return None
    outer = parent.parent
    if (
        outer is not None
        and outer.type == "call_expression"
        and outer.child_by_field_name("function") == parent
    ):
        return outer
    return parent


def _formatted(source: Source, arguments: Node) -> Node | None:
    """The call whose format these are the arguments of."""
    call = call_of(source, arguments.parent) if arguments.parent is not None else None
    if (
        call is None
        or call.kind != "call"
        or call.name not in ("format", "formatted")
        or call.receiver is None
    ):
        return None
    literal = call.receiver.type in LITERALS or ".stripMargin" in source.of(call.receiver)
    return call.node if literal or source.of(call.receiver) in ("String", "java.lang.String") else None


def place_of(file: File, node: Node) -> Place:
    """What a string expression (as `root_of` gives it) is in its program."""
    span = file.source.span(node)
    call = around(file.source, node) or _on_the_left(file.source, node)
    if call is not None and _told(file, call, node):
        return Mention(span=span)
    broken = file.source.broken(node)
    if broken is not None:
        message = f"the syntax around it is not understood (line {broken})"
        return Unknown(span=span, refusal=Refusal(code="unparsable", message=message))
    try:
        expression = file.read(node, file.dialect)
    except Unreadable as why:
        return Unknown(span=span, refusal=Refusal(code="dynamic-sql", message=f"not understood: {why}"))
    if call is not None:
        found = spark_place(file, call, node, expression) or scio_place(file, call, node, expression)
        found = found or _refused(file, call, node, expression)
        if isinstance(found, Unknown) and not found.sure and _another(file, expression):
            return Mention(span=span)
        if found is not None:
            return found
    return _by_look(file, node, expression, call)


def _another(file: File, expression: Expression) -> bool:
    """Is it the name of another table, which has a word in common with a replaced one?"""
    if not expression.whole or expression.is_query:
        return False
    return naming(expression.text, file.migration) in (Naming.NONE, Naming.PROSE)


def _on_the_left(source: Source, node: Node) -> Call | None:
    """`"…" should …`, `"…" == x`: what is done with a string that stands before an operator or a dot."""
    parent = node.parent
    if parent is None:
        return None
    if parent.type == "infix_expression" and parent.child_by_field_name("left") == node:
        call = call_of(source, parent)
        told = call is not None and (_LOGS.fullmatch(call.name) or _COMPARES.fullmatch(call.name))
        return call if told else None
    return None


def _by_look(file: File, node: Node, expression: Expression, call: Call | None) -> Place:
    """Nobody that we know takes it: is it a constant, or SQL by its look?"""
    span = file.source.span(node)
    if expression.is_query:
        if (changed := _changed(file, node)) is not None:
            message = f"`{changed}` changes the text of the query"
            return Unknown(span=span, refusal=Refusal(code="dynamic-sql", message=message))
        site = sql_site(file, expression, _constant_dialect(file, node))
        return replace(site, open=not _taken_whole(file, node, call))
    name = _defines(file, node)
    if name is not None and expression.whole:
        return Definition(name=name, span=span)
    if column_qualifier(expression.text, file.migration):
        message = f"{expression.text!r} names a column by its table, which a query is not"
        return Unknown(span=span, refusal=Refusal(code="not-understood", message=message))
    match naming(expression.text, file.migration):
        case Naming.NONE | Naming.PROSE:
            return Mention(span=span)
        case Naming.BARE:
            if call is None or not re.search(r"(?i)table|dataset|read|load|from|into|view|source", call.name):
                return Mention(span=span)
            message = f"{expression.text!r} may be the dataset"
            return Unknown(span=span, refusal=Refusal(code="maybe-old", message=message))
        case Naming.FILES:
            return Unknown(span=span, refusal=FILES)
        case Naming.FULL:
            return Unknown(span=span, refusal=Refusal(code="dynamic-sql", message=_DYNAMIC))


def _taken_whole(file: File, node: Node, call: Call | None) -> bool:
    """Is a query run as it stands? What is kept under a name, or handed to who knows what, may grow."""
    if call is not None:
        return _RUNS.fullmatch(call.name) is not None
    name = _defines(file, node)
    if name is None:
        return False
    if not file.constants.is_private(name):
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        others = (text for path, text in file.siblings.items() if path != file.source.path)
        if any(word.search(text) for text in others):
            return False
    for use in file.source.words(name):
        if use.parent == node.parent:
            continue
        taker = around(file.source, use)
        if taker is None or not _RUNS.fullmatch(taker.name):
            return False
    return True


def _told(file: File, call: Call, node: Node) -> bool:
    """Is it only told: logged, thrown, the name of a step or of a test?"""
    thrown = call.kind == "new" and call.name.endswith(("Exception", "Error", "Throwable"))
    if thrown or _LOGS.fullmatch(call.name):
        return True
    if call.name in ("assert", "ensure") and call.arguments[0].value != node:
        return True
    return call.name == "apply" and len(call.arguments) > 1 and call.arguments[0].value == node


def _refused(file: File, call: Call, node: Node, expression: Expression) -> Place | None:
    span = file.source.span(node)
    if _COMPARES.fullmatch(call.name):
        message = f"it is compared or changed by `{call.name}`"
        return Unknown(span=span, refusal=Refusal(code="dynamic-sql", message=message))
    if call.kind != "annotation":
        return None
    if call.name in ("Table", "SecondaryTable", "JoinTable", "CollectionTable", "Entity", "Document"):
        message = (
            f"@{call.name} maps an entity to the table: make the mapping a view, or the entity a @Subselect"
        )
        return Unknown(span=span, refusal=Refusal(code="table-only", message=message))
    native = call.name == "Query" and re.search(r"nativeQuery\s*=\s*true", file.source.of(call.node))
    if native or _SQL_ANNOTATIONS.fullmatch(call.name):
        return sql_site(file, expression, None)
    named = naming(expression.text, file.migration)
    if named in (Naming.NONE, Naming.PROSE, Naming.BARE):
        return Mention(span=span)
    if named is Naming.FILES:
        return Unknown(span=span, refusal=FILES)
    message = f"@{call.name} is not known to take SQL"
    return Unknown(span=span, refusal=Refusal(code="dynamic-sql", message=message))


def _changed(file: File, node: Node) -> str | None:
    """The method that changes a query's text, where it stands or under its name."""
    name = _method_on(file, node)
    if name is not None and (_CHANGES.fullmatch(name) or _COMPARES.fullmatch(name)):
        return name
    # What is read from a constant is not changed: only methods that make another text count.
    bound = _bound_name(file, node)
    uses = file.source.words(bound) if bound is not None else ()
    methods = (_method_on(file, use) for use in uses)
    return next((one for one in methods if one is not None and _CHANGES.fullmatch(one)), None)


def _method_on(file: File, node: Node) -> str | None:
    """The method or field that is asked of an expression."""
    parent = node.parent
    if parent is None or parent.type not in ("field_expression", "field_access", "method_invocation"):
        return None
    field = parent.child_by_field_name("field") or parent.child_by_field_name("name")
    owner = parent.child_by_field_name("value") or parent.child_by_field_name("object")
    return file.source.of(field) if field is not None and owner == node else None


def _defines(file: File, node: Node) -> str | None:
    """The name that is bound to an expression for good."""
    text = _bound_name(file, node)
    return text if text is not None and file.constants.value(text) == node else None


def _bound_name(file: File, node: Node) -> str | None:
    """The name that an expression is bound to where it stands."""
    parent = node.parent
    name = (
        (parent.child_by_field_name("pattern") or parent.child_by_field_name("name"))
        if parent is not None
        else None
    )
    if name is None or name.type != "identifier":
        return None
    return file.source.of(name)


def _constant_dialect(file: File, node: Node) -> str | None:
    """The dialect of a constant's SQL: that of the calls which take it, if they agree."""
    name = _defines(file, node)
    if name is None:
        return file.dialect
    dialects: set[str | None] = set()
    for use in file.source.words(name):
        call = around(file.source, use)
        if call is None:
            continue
        place = place_of(file, use) if use != node and use.parent != node.parent else None
        if isinstance(place, SqlSite):
            dialects.add(place.dialect)
    return dialects.pop() if len(dialects) == 1 else file.dialect
