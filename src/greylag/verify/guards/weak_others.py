"""Guards of tests in SQL, in Scala and Java, and of what configures test tools."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from greylag.verify.guards.lexing import Kind, code
from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.vocabulary import Vocabulary
from greylag.verify.guards.weak import is_test, unexplained

_JVM_CLAIMS = re.compile(
    r"\b(?:assert\w*|should\w*|must\w*|expect\w*|verify\w*|intercept\w*|fail|containInAnyOrder|"
    r"containSingleValue|inOrder|beEmpty|haveSize|satisfy|forAll|check|thrownBy|isEqualTo|hasSize)\b"
)
_JVM_TESTS = re.compile(
    r'@(?:Parameterized)?Test\b|\b(?:test|it|in|property|describe|scenario|feature)\s*[({]|"\s+(?:in|should)\b'
)
_JVM_OFF = re.compile(
    r"@(?:Ignore|Disabled\w*|Tag|EnabledIf\w*|DisabledIf\w*|Flaky)\b|\bignore\b|\bpending\b|\bcancel\b|\bassume\w*\b|"
    r"\btaggedAs\b|\bsucceed\b|\bpendingUntilFixed\b"
)
_OFF_SWITCHES = re.compile(
    r"(?i)\b(?:addopts|deselect|--ignore|ignore-glob|norecursedirs|testpaths|collect_ignore|fail_under|fail-under|"
    r"omit|per-file-ignores|extend-ignore|ignore_errors|disable_error_code|exclude\w*|extend-exclude|skipTests|"
    r"maven\.test\.skip|testFailureIgnore|Test\s*/\s*(?:test|skip)|testOptions|ignoreFailures|xfail_strict|"
    r"filterwarnings|markers|python_files|python_functions|python_classes|min-coverage|coverageMinimum\w*|"
    r"coverageFailOnMinimum|-k|-m|warn_error|severity|enabled|strict|disallow_\w+|check_untyped_defs)\b"
)
_TOOL_FILES = re.compile(
    r"(?i)(?:^|/)(?:pyproject\.toml|setup\.cfg|tox\.ini|pytest\.(?:ini|toml)|\.pytest\.ini|\.coveragerc|mypy\.ini|\.mypy\.ini|"
    r"\.?ruff\.toml|\.flake8|\.sqlfluff|build\.sbt|pom\.xml|build\.gradle(?:\.kts)?|dbt_project\.yml|noxfile\.py)$"
)
_SQL_OFF = re.compile(
    r"(?i)\benabled\s*=\s*false\b|\bseverity\s*=\s*['\"]warn|\b(?:warn_if|error_if|fail_calc|limit|where)\s*="
)


def weak_others(subject: Subject) -> Iterator[Finding]:
    """No SQL, Scala or Java test weakened, no test tool told to look away."""
    vocabulary = Vocabulary.of(subject.scope)
    for file in subject.files:
        if file.old_data is None or file.new_data is None:
            continue
        if file.language is Language.SQL:
            yield from _sql(file, vocabulary)
        elif file.language is Language.JVM and is_test(file.path):
            yield from _jvm(file, vocabulary)
        if _TOOL_FILES.search(file.path):
            yield from _tools(file)


def _sql(file: FileDiff, vocabulary: Vocabulary) -> Iterator[Finding]:
    for line, text in file.added:
        match = _SQL_OFF.search(text)
        if match and match.group() not in file.old:
            yield Finding(
                path=file.path, line=line, message=f"`{match.group()}` switches a model or test off"
            )
    if not is_test(file.path):
        return
    what = unexplained(code(file.old, file.language), code(file.new, file.language), vocabulary, wide=True)
    if what is not None and not _only_grammar(file, vocabulary):
        yield Finding(path=file.path, line=_line(file), message=f"a test's query changed: {what}")


def _only_grammar(file: FileDiff, vocabulary: Vocabulary) -> bool:
    """The mapping put in as a subquery or predicate: words of SQL came, and nothing went."""
    had = Counter(t.text for t in code(file.old, file.language) if t.kind is not Kind.OPERATOR)
    has = Counter(t.text for t in code(file.new, file.language) if t.kind is not Kind.OPERATOR)
    lost = had - has
    more = has - had
    safe = {
        "as",
        "with",
        "select",
        "from",
        "and",
        "on",
        "case",
        "when",
        "then",
        "else",
        "end",
        "where",
        "join",
    }
    return not any(not vocabulary.old(word) for word in lost) and all(
        vocabulary.new(word) or vocabulary.old(word) or vocabulary.said(word) or word.lower() in safe
        for word in more
    )


def _jvm(file: FileDiff, vocabulary: Vocabulary) -> Iterator[Finding]:
    old, new = _bare(file.old), _bare(file.new)
    for what, pattern in (("assertions", _JVM_CLAIMS), ("tests", _JVM_TESTS)):
        had, has = len(pattern.findall(old)), len(pattern.findall(new))
        if has < had:
            yield Finding(path=file.path, line=_line(file), message=f"it had {had} {what} and has {has}")
    off = Counter(_JVM_OFF.findall(new)) - Counter(_JVM_OFF.findall(old))
    if off:
        names = ", ".join(f"`{name}`" for name in sorted(off))
        yield Finding(path=file.path, line=_line(file), message=f"tests are switched off: {names}")
    for hunk in file.hunks:
        before = "\n".join(text for _, text in hunk.removed)
        after = "\n".join(text for _, text in hunk.added)
        if not _JVM_CLAIMS.search(_bare(before)):
            continue
        changed = unexplained(code(before, Language.JVM), code(after, Language.JVM), vocabulary)
        if changed is not None:
            yield Finding(path=file.path, line=hunk.line, message=f"an assertion changed: {changed}")


def _bare(text: str) -> str:
    """Without comments: an assertion that was commented out is gone."""
    return re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", " ", text, flags=re.DOTALL)


def _tools(file: FileDiff) -> Iterator[Finding]:
    for hunk in file.hunks:
        for line, text in (*hunk.added, *((hunk.line, gone) for _, gone in hunk.removed)):
            if match := _OFF_SWITCHES.search(text):
                message = f"`{match.group()}` configures a test tool, and this line changed"
                yield Finding(path=file.path, line=line, message=message)


def _line(file: FileDiff) -> int:
    return file.hunks[0].line if file.hunks else 0
