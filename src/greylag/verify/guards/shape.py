"""Guards of form: no churn, no comment lost, no linter silenced."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from greylag.verify.guards.lexing import Token, comments
from greylag.verify.guards.subject import FileDiff, Finding, Hunk, Subject
from greylag.verify.guards.vocabulary import Vocabulary

_NEAR = 4
_SILENCERS = re.compile(
    r"(?i)\bnoqa\b|\btype:\s*ignore|\bpylint:\s*(?:disable|skip)|\bpyright:\s*ignore|\bmypy:|\bruff:\s*noqa|"
    r"\bnosec\b|\bnosemgrep\b|\bfmt:\s*(?:off|skip)|\bpragma:\s*no\s*cover|\bscalastyle:off|\bscalafix:off|"
    r"@SuppressWarnings|@nowarn|\bNOSONAR\b|\bNOLINT|\bsqlfluff:|\bisort:\s*skip|\bcoverage:|\bspotless:off|"
    r"\bformat:\s*off|\beslint-disable|\bts-ignore|\byamllint disable|\bskipcq\b|\bgitleaks:allow|"
    r"\bwarnings\.(?:filterwarnings|simplefilter)\b"
)
_WORDS = re.compile(r"\w+")


def churn(subject: Subject) -> Iterator[Finding]:
    """No lines whose layout alone changed, or that only moved, away from what had to change."""
    for file in subject.files:
        if file.old_data is None or file.new_data is None:
            continue
        blank = [hunk for hunk in file.hunks if _same_but_blanks(hunk)]
        real = [hunk for hunk in file.hunks if hunk not in blank]
        for hunk in blank:
            if not real or min(abs(hunk.line - other.line) for other in real) > _NEAR + len(hunk.added):
                yield Finding(
                    path=file.path, line=hunk.line, message="only the layout of these lines changed"
                )
        if real and _moved(file):
            yield Finding(path=file.path, line=real[0].line, message="lines were moved, and nothing else")


def _same_but_blanks(hunk: Hunk) -> bool:
    old = "".join(text for _, text in hunk.removed)
    new = "".join(text for _, text in hunk.added)
    return _plain(old) == _plain(new)


def _plain(text: str) -> str:
    return "".join(text.split()).replace("'", '"')


def _moved(file: FileDiff) -> bool:
    old = Counter(text.strip() for _, text in file.removed if text.strip())
    new = Counter(text.strip() for _, text in file.added if text.strip())
    return bool(old) and old == new


def kept_comments(subject: Subject) -> Iterator[Finding]:
    """No comment deleted. One that speaks of the old names may be said anew."""
    for file in subject.files:
        if file.old_data is None or file.new_data is None:
            continue
        vocabulary = Vocabulary.of(subject.scope)
        old, new = comments(file.old, file.language), comments(file.new, file.language)
        left = Counter(_WORDS.sub(_lower, _said(token)) for token in new)
        gone: list[Token] = []
        for token in old:
            said = _WORDS.sub(_lower, _said(token))
            if left[said] > 0:
                left[said] -= 1
            elif _WORDS.search(said):
                gone.append(token)
        fresh = sum(left.values())
        for token in gone:
            about = any(vocabulary.old(word) for word in _WORDS.findall(token.text))
            if about and fresh > 0:
                fresh -= 1
                continue
            said = " ".join(token.text.split())[:60]
            yield Finding(
                path=file.path,
                line=token.line,
                message=f"a comment of the old version is gone: {said}",
                doubt=about,
            )


def _said(token: Token) -> str:
    return " ".join(token.text.strip("#-/*{} \t").split())


def _lower(match: re.Match[str]) -> str:
    return match.group().lower()


def silencers(subject: Subject) -> Iterator[Finding]:
    """No linter, type checker or coverage silenced that was not before."""
    for file in subject.files:
        had = Counter(match.group().lower() for match in _SILENCERS.finditer(file.old))
        now = Counter(match.group().lower() for match in _SILENCERS.finditer(file.new))
        for line, text in file.added:
            for match in _SILENCERS.finditer(text):
                word = match.group().lower()
                if now[word] > had[word]:
                    message = f"`{match.group()}` silences a tool that spoke before"
                    yield Finding(path=file.path, line=line, message=message)
