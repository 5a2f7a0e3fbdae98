"""Guard of reach: no new way to the network, to processes, to files, or to code made at run time."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.tables import words

_MODULES = words("modules")
_URL = re.compile(
    r"(?i)\b(?:https?|s?ftps?|wss?|ssh|s3a?|gs|wasbs?|abfss?|file|jdbc:\w+|ldap)://[^\s\"'`)>]*"
)
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_CODE = (
    ("runs code made at run time", re.compile(r"(?<![\w.])(?:eval|exec|compile|execfile)\s*\(")),
    ("runs code made at run time", re.compile(r"(?i)\bEXECUTE\s+IMMEDIATE\b|\bsp_executesql\b|\bEXEC\s*\(")),
    (
        "reaches behind names",
        re.compile(
            r"\b(?:getattr|setattr|delattr|globals|locals|vars|__import__)\s*\(|"
            r"__(?:builtins|class|bases|mro|subclasses|globals|dict|code|loader|spec|getattribute)__|"
            r"\b(?:import_module|attrgetter|methodcaller)\b|\bClass\.forName\b|\.getDeclaredMethod\b|\.invoke\s*\("
        ),
    ),
    (
        "starts a process",
        re.compile(
            r"\bos\.(?:system|popen|exec\w*|spawn\w*|fork|posix_spawn)\b|\bsubprocess\b|\bPopen\b|"
            r"\bgetRuntime\b|\bProcessBuilder\b|\bsys\.process\b|\bBashOperator\b|\bxp_cmdshell\b|"
            r"(?:^|[\s\"'`;|&])(?:bash|sh|zsh|cmd|powershell)\s+-c\b|\$\([^)]*\)|"
            r"(?:^|[\s\"'`;|&])(?:curl|wget|nc|ncat|ssh|scp|socat|rm)\s+[-\w/.]|\bCOPY\b.*\bPROGRAM\b"
        ),
    ),
    (
        "talks to the network",
        re.compile(
            r"\b(?:requests|urllib\w*|httpx|aiohttp|http\.client|socket|smtplib|ftplib|paramiko)\b\s*\.|"
            r"\bjava\.net\b|\bfromURL\b|\bHttpClient\b|\bokhttp|\bSimpleHttpOperator\b|\bhttpfs\b|"
            r"\burlopen\b|\bfetch\s*\(\s*[\"'`]http"
        ),
    ),
    (
        "reads or writes files",
        re.compile(
            r"(?<![\w.])open\s*\(|\b(?:write_text|write_bytes|read_bytes|unlink|rmtree|copyfile|copytree)\b|"
            r"\bos\.(?:remove|rename|chmod|symlink|link|makedirs|environ|getenv|putenv)\b|"
            r"\bsys\.(?:modules|path)\b|"
            r"\bnew File(?:Writer|OutputStream|InputStream|Reader)?\s*\(|"
            r"\bFiles\.(?:write|delete|copy|read)\w*|"
            r"/etc/(?:passwd|shadow)|~/\.(?:ssh|aws|config)|/proc/"
        ),
    ),
    (
        "loads objects",
        re.compile(r"\b(?:pickle|marshal|dill|shelve|joblib)\.\w*loads?\b|!!python|yaml\.load\s*\("),
    ),
    (
        "hides its text",
        re.compile(r"\bb64decode\b|\bfromhex\b|\brot_?13\b|\bBase64\b|\bunhexlify\b|\bFROM_BASE64\b"),
    ),
    (
        "knows that it is tested",
        re.compile(
            r"\bPYTEST_CURRENT_TEST\b|[\"']pytest[\"']\s*(?:in|not in)\s+sys|\b(?:under_test|is_testing)\b"
        ),
    ),
    (
        "reaches out of the template",
        re.compile(
            r"\brun_query\b|\bmodules\.\w+|\badapter\.(?:execute|drop|dispatch)\w*|\benv_var\s*\(|"
            r"\b(?:pre|post)[-_]hook\b|\bon-run-(?:start|end)\b|\{%-?\s*call\s+statement"
        ),
    ),
)
_STATEMENTS = re.compile(
    r"(?i)\b(?:(DROP|ALTER|TRUNCATE)\s+(?:TABLE|VIEW|SCHEMA|DATABASE|COLUMN|USER|ROLE)|(DELETE)\s+FROM|"
    r"(INSERT)\s+(?:INTO|OVERWRITE)|(MERGE)\s+INTO|(UPDATE)\s+[\w.`\"]+\s+SET|(GRANT|REVOKE)\s+\w+|"
    r"(EXPORT)\s+DATA|(UNLOAD)\s*\(|(COPY)\s+(?:INTO|\()|(CREATE)\s+(?:OR\s+REPLACE\s+)?(?:TEMP\w*\s+)?\w+|"
    r"(ATTACH|DETACH|INSTALL|PRAGMA)\s+\w+|(LOAD)\s+DATA|(CALL)\s+\w+)"
)
_REPLACED = re.compile(r"^\s*([a-zA-Z_]\w*(?:\.\w+)+)\s*=\s*(?:lambda\b|[A-Za-z_][\w.]*\s*$)")
_PYTHON_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import|import\s+([\w.]+))")


def reach(subject: Subject) -> Iterator[Finding]:
    """No import, call, address or statement that was not there before and reaches further than a read."""
    for file in subject.files:
        if file.new_data is None:
            continue
        yield from _imports(file)
        yield from _replacements(file)
        yield from _patterns(file)
        yield from _addresses(file)
        yield from _statements(file)


def _imports(file: FileDiff) -> Iterator[Finding]:
    if file.language is not Language.PYTHON:
        return
    had = {module for module, _ in _modules(file.old)}
    for module, line in _modules(file.new):
        heads = {module, module.split(".")[0]}
        if module not in had and heads & _MODULES:
            yield Finding(path=file.path, line=line, message=f"a new import: `{module}`")


def _modules(text: str) -> list[tuple[str, int]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        found = []
        for number, line in enumerate(text.splitlines(), 1):
            if match := _PYTHON_IMPORT.match(line):
                found.append((match.group(1) or match.group(2), number))
        return found
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.extend((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found.append((base, node.lineno))
            found.extend((f"{base}.{alias.name}", node.lineno) for alias in node.names)
    return found


def _replacements(file: FileDiff) -> Iterator[Finding]:
    """`spark.table = lambda …`: what others call does something else from here on."""
    if file.language is not Language.PYTHON:
        return
    for line, text in file.added:
        match = _REPLACED.match(text)
        if match and f"{match[1]} =" not in file.old:
            yield Finding(path=file.path, line=line, message=f"`{match[1]}` is replaced")


def _patterns(file: FileDiff) -> Iterator[Finding]:
    for what, pattern in _CODE:
        had = Counter(match.group().strip() for match in pattern.finditer(file.old))
        has: Counter[str] = Counter()
        for match in pattern.finditer(file.new):
            said = match.group().strip()
            has[said] += 1
            if has[said] == had[said] + 1:
                line = file.new.count("\n", 0, match.start()) + 1
                yield Finding(path=file.path, line=line, message=f"new code that {what}: `{said[:40]}`")


def _addresses(file: FileDiff) -> Iterator[Finding]:
    for pattern in (_URL, _ADDRESS):
        had = set(pattern.findall(file.old))
        for line, text in file.added:
            for address in pattern.findall(text):
                if address not in had:
                    yield Finding(path=file.path, line=line, message=f"a new address: {address[:60]}")


def _statements(file: FileDiff) -> Iterator[Finding]:
    def verbs(text: str) -> list[tuple[str, int]]:
        return [
            (next(group for group in match.groups() if group).upper(), text.count("\n", 0, match.start()) + 1)
            for match in _STATEMENTS.finditer(text)
        ]

    had = Counter(verb for verb, _ in verbs(file.old))
    has: Counter[str] = Counter()
    for verb, line in verbs(file.new):
        has[verb] += 1
        if has[verb] == had[verb] + 1:
            yield Finding(path=file.path, line=line, message=f"one more {verb} statement than before")
