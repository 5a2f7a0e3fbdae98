"""Guards of what stands in the text: secrets, letters that nobody sees, what a prompt left behind."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from greylag.verify.guards.subject import FileDiff, Finding, Subject

_SECRETS = (
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})\b")),
    ("a GitLab token", re.compile(r"\bgl(?:pat|ptt|dt|rt|cbt|oas)-[A-Za-z0-9_-]{16,}")),
    ("an API key of a model", re.compile(r"\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{20,}")),
    ("a Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{30,}")),
    ("a Google OAuth token", re.compile(r"\bya29\.[A-Za-z0-9_-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/\S+")),
    ("a Stripe key", re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")),
    ("a SendGrid key", re.compile(r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}")),
    ("an npm or PyPI token", re.compile(r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,})")),
    ("a Databricks token", re.compile(r"\bdapi[a-f0-9]{32}\b")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{5,}")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]+://[^\s/:@{}$<]+:[^\s/@{}$<]{3,}@")),
    (
        "a secret in plain text",
        re.compile(
            r"(?i)(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)"
            r"[\"']?\s*(?:=|:|=>)\s*[\"']([^\"'\s{}$<>]{8,})[\"']"
        ),
    ),
)
_LONG = re.compile(r"[\"']([A-Za-z0-9+/=_-]{32,})[\"']")
_BITS = 4.2

_RESIDUE = (
    ("words of an assistant", re.compile(r"(?i)\bas an? (?:ai|large)(?: language)?(?: model| assistant)\b")),
    ("words of an assistant", re.compile(r"(?i)\b(?:here(?:'s| is) the (?:updated|corrected|fixed|new))\b")),
    (
        "words of an assistant",
        re.compile(r"(?i)\bi(?:'ve| have| will|'ll) (?:updated?|changed?|replaced?)\b"),
    ),
    ("words of an assistant", re.compile(r"(?i)\b(?:certainly|sure)! |\bI cannot (?:help|assist)\b")),
    (
        "code left out",
        re.compile(
            r"(?i)\.\.\.\s*(?:existing|rest of|remaining|other|unchanged|same)\b|"
            r"\b(?:rest of (?:the )?(?:code|file)|existing code|code) (?:remains|unchanged|stays|here)\b"
        ),
    ),
    ("a conflict marker", re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)|^={7}$")),
    ("a mark of an edit tool", re.compile(r"^\*\*\* (?:Begin|End|Update|Add) (?:Patch|File)|^@@ .* @@")),
    ("a mark of an edit tool", re.compile(r"</?(?:tool_use|function_calls?|antml|invoke|old_str|new_str)\b")),
    (
        "an instruction to a model",
        re.compile(
            r"(?i)\b(?:ignore|disregard|forget) (?:all |any )?(?:the )?(?:previous|prior|above|earlier) "
            r"(?:instructions?|prompts?|rules?)|\bsystem prompt\b|</?(?:system|assistant)>"
        ),
    ),
    (
        "words to a reviewer",
        re.compile(
            r"(?i)\b(?:ai|llm)\s+(?:tools?|agents?|assistants?|reviewers?|models?|judges?)\b|"
            r"\b(?:reviewers?|judges?|graders?|verifiers?|assistants?|agents?)\s*:|\banswer (?:yes|no)\b|"
            r"\b(?:reply|say|answer|report) (?:with )?(?:passed|yes|no|ok)\b|"
            r"\b(?:do not|don't|skip)[ -](?:run|the|verif\w+|check\w*)\b.{0,30}"
            r"(?:check|verif|proof|test|approved)|"
            r"\b(?:all )?checks? (?:have )?(?:been )?passed\b|\bnote to (?:the )?(?:ai|agents?|review|judge)"
        ),
    ),
    (
        "words to a reviewer",
        re.compile(
            r"(?i)\b(?:reviewer|judge|verifier|grader)s?\b.{0,40}\b(?:approve|pass|accept|lgtm)\b|"
            r"\b(?:approve|pass|accept) this (?:patch|change|diff)\b"
        ),
    ),
)
_FENCE = re.compile(r"^\s*```")
_PROSE = (".md", ".rst", ".txt", ".adoc", ".ipynb")
_INVISIBLE = frozenset(
    {"\u00ad", "\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0"}
)
_MIXED = re.compile(r"\w+")
_CODING = re.compile(r"^[ \t\f]*(?:#|//|/\*|--|<!--).*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")


def secrets(subject: Subject) -> Iterator[Finding]:
    """No secret added. The secret itself is not told."""
    for file in subject.files:
        for line, text in file.added:
            kind = _secret(text)
            if kind is not None and not any(_same_secret(text, old) for _, old in file.removed):
                yield Finding(path=file.path, line=line, message=f"it looks like {kind} was added")


def _secret(text: str) -> str | None:
    for kind, pattern in _SECRETS:
        if pattern.search(text):
            return kind
    for match in _LONG.finditer(text):
        if _entropy(match.group(1)) > _BITS and re.search(r"\d", match.group(1)):
            return "a key (a long random text)"
    return None


def _same_secret(new: str, old: str) -> bool:
    """The line held it already: the renaming stands elsewhere in it."""
    for _, pattern in _SECRETS:
        if match := pattern.search(new):
            return match.group() in old
    return all(match.group() in old for match in _LONG.finditer(new))


def _entropy(text: str) -> float:
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def unseen(subject: Subject) -> Iterator[Finding]:
    """No invisible or direction-changing characters added, no word of letters from two scripts."""
    for file in subject.files:
        had = set(file.old)
        if _declared(file.new) not in {"utf-8", _declared(file.old)}:
            yield Finding(path=file.path, line=1, message="it says to be in another encoding than UTF-8")
        for line, text in file.added:
            for letter in text:
                if _unseen(letter) and not (
                    letter in had and file.old.count(letter) >= file.new.count(letter)
                ):
                    name = unicodedata.name(letter, "no name")
                    message = f"a character that is not seen was added: U+{ord(letter):04X} ({name})"
                    yield Finding(path=file.path, line=line, message=message)
            for word in _MIXED.findall(text):
                if _two_scripts(word) and word not in file.old:
                    message = f"`{word}` mixes letters that look alike but are not the same"
                    yield Finding(path=file.path, line=line, message=message)


def _declared(text: str) -> str:
    """The encoding by which Python, and editors, read a file that is UTF-8 to everybody else (PEP 263)."""
    for line in text.split("\n", 2)[:2]:
        found = _CODING.search(line)
        if found:
            return found.group(1).lower().replace("_", "-").replace("utf8", "utf-8")
    return "utf-8"


def _unseen(letter: str) -> bool:
    if letter.isascii():
        return (ord(letter) < 32 and letter not in "\t\f") or ord(letter) == 127
    category = unicodedata.category(letter)
    return (
        category in ("Cf", "Cc", "Co", "Cn", "Zl", "Zp", "Cs")
        or letter in _INVISIBLE
        or (category == "Zs")
        or 0xFE00 <= ord(letter) <= 0xFE0F
        or 0xE0100 <= ord(letter) <= 0xE01EF
    )


def _two_scripts(word: str) -> bool:
    if word.isascii():
        return False
    plain = any(letter.isascii() and letter.isalpha() for letter in word)
    scripts = {unicodedata.name(letter, "?").split(" ")[0] for letter in word if letter.isalpha()}
    return plain and bool(
        scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL"}
    )


def residue(subject: Subject) -> Iterator[Finding]:
    """Nothing of the brief, of an edit tool or of a conversation is left in the files."""
    for file in subject.files:
        for line, text in file.added:
            if text in {old for _, old in file.removed}:
                continue
            for what, pattern in _RESIDUE:
                if pattern.search(text):
                    yield Finding(path=file.path, line=line, message=f"{what} stands in the file")
            if _FENCE.match(text) and not file.path.lower().endswith(_PROSE) and not _fenced(file):
                yield Finding(path=file.path, line=line, message="a Markdown fence stands in the file")
            for told in subject.scope.residue:
                if told and told in text and told not in file.old:
                    yield Finding(path=file.path, line=line, message="a text of the brief stands in the file")


def _fenced(file: FileDiff) -> bool:
    return any(_FENCE.match(text) for text in file.old.splitlines())
