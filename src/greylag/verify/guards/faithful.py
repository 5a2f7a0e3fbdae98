"""Guard of the mapping: what the new version reads is what the mapping says, as far as words can tell.

The proof says this where it can run. Here it is said of every text, in a program or a configuration file too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from greylag.verify.guards.filters import conditions
from greylag.verify.guards.lexing import Kind, Token, code
from greylag.verify.guards.naming import meant
from greylag.verify.guards.scope import Replaced
from greylag.verify.guards.subject import FileDiff, Finding, Language, Subject
from greylag.verify.guards.vocabulary import stems
from greylag.verify.guards.weak import is_test

_SELECT = re.compile(r"(?is)(?:\b(\w+)|(\())?\s*\bselect\b(.*?)\bfrom\b")
_WRITES = re.compile(r"(?i)\b(?:insert|replace)\s+(?:into|overwrite)\b|\bmerge\s+into\b")
_ALIAS = re.compile(r"(?i)\bas\s+[`\"]?(\w+)")
# Before a column that must not hold; or it is only named, in a list or a SELECT.
_NOT = frozenset({"not", "~", "!", "false", "0", "isnull", "select", "as", "columns"})
_LEFT_OUT = re.compile(r"(?is)\b(?:except|exclude)\s*\(([^)]*)\)")
_DBT = re.compile(
    r"(?m)^(?:version:|models:|sources:|seeds:|snapshots:|unit_tests:|exposures:|metrics:|semantic_models:)"
)
_ITEM = re.compile(r"^\s*(?:[`\"]?\w+[`\"]?\.)?[`\"]?(\w+)[`\"]?\s*$")


def faithful(subject: Subject) -> Iterator[Finding]:
    """The mapping's filter is there, no other column of the new dataset, names of outputs are kept, and
    expressions are the mapping's.
    """
    files = [file for file in subject.files if file.old_data is not None and file.new_data is not None]
    said = {token.text.lower() for file in files for token in meant(file.new, file.language)}
    for file in files:
        if is_test(file.path):
            continue
        old = Counter(token.text.lower() for token in meant(file.old, file.language))
        new = Counter(token.text.lower() for token in meant(file.new, file.language))
        for replaced in _meant(subject.scope.replaced, old, new):
            yield from _filter(file, replaced, old, new, said)
            yield from _columns(file, replaced, old, new)
            yield from _outputs(file, replaced, new)
            yield from _unmapped(file, replaced, old)
            yield from _factors(file, replaced, old, new)
            yield from _cases(file, replaced)
            yield from _aliases(file, replaced, old, new)
            yield from _conditions(file, replaced)
            yield from _version(file, replaced, old, new)


def _meant(every: tuple[Replaced, ...], old: Counter[str], new: Counter[str]) -> Iterator[Replaced]:
    """The mappings that a file is about: those whose datasets it names; where it names none (they are put
    together at run time), those whose columns it names.
    """
    named = [
        each
        for each in every
        if any(old[name] for name in each.old_tables) or any(new[name] > old[name] for name in each.tables)
    ]
    yield from named or [
        each for each in every if any(old[column] for column in each.renamed | each.unmapped)
    ]


def _filter(
    file: FileDiff, replaced: Replaced, old: Counter[str], new: Counter[str], said: set[str]
) -> Iterator[Finding]:
    """Whoever reads the new dataset now filters as the mapping does, somewhere in the patch."""
    names = sorted(replaced.tables) + sorted(replaced.brought)
    came = [name for name in names if new[name] > old[name]]
    if not came or _describes(file):
        return
    for column in sorted(replaced.filtered - said):
        message = f"reads `{came[0]}` without the mapping's condition on `{column}`"
        yield Finding(path=file.path, line=_line(file, came[0]), message=message)


def _describes(file: FileDiff) -> bool:
    """A file of dbt's that says what tables are: it reads none."""
    return file.language is Language.YAML and _DBT.search(file.new) is not None


def _columns(file: FileDiff, replaced: Replaced, old: Counter[str], new: Counter[str]) -> Iterator[Finding]:
    for column in sorted(replaced.unused):
        if new[column] and not old[column]:
            message = f"reads the column `{column}`, which the mapping does not"
            yield Finding(path=file.path, line=_line(file, column), message=message)


def _outputs(file: FileDiff, replaced: Replaced, new: Counter[str]) -> Iterator[Finding]:
    """A query that gave out `user_id` still does, with `AS user_id`."""
    given = {match[1].lower() for item in _items(file.old) if (match := _ITEM.match(item))}
    for column in sorted(replaced.renamed & given):
        if not new[column] and _SELECT.search(file.new):
            message = f"the output `{column}` has another name now: keep it, with `AS {column}`"
            yield Finding(path=file.path, line=file.hunks[0].line, message=message)


def _aliases(file: FileDiff, replaced: Replaced, old: Counter[str], new: Counter[str]) -> Iterator[Finding]:
    """Names of outputs are kept all, or none: nothing is called by the new dataset's name that was not."""
    had = {name.lower() for name in _ALIAS.findall(file.old)}
    has = {name.lower() for name in _ALIAS.findall(file.new)} - had
    for name in sorted(has & replaced.brought):
        if not old[name]:
            message = f"an output is called `{name}` now, as in the new dataset"
            yield Finding(path=file.path, line=_line(file, name), message=message)
    if has & replaced.renamed:
        for column in sorted(replaced.renamed):
            if old[column] and not new[column] and _listed(file, column):
                message = f"`{column}` has another name now, where others keep theirs: add `AS {column}`"
                yield Finding(path=file.path, line=file.hunks[0].line, message=message)


def _listed(file: FileDiff, column: str) -> bool:
    """Whether a column stood alone in a list: in quotes, or as an item of YAML."""
    if file.language is Language.SQL:
        return False
    item = rf"(?im)(?:[\[,{{]\s*|^\s*)['\"]{column}['\"]\s*(?:[,\]}}]|$)|^\s*-\s*{column}\s*$"
    return re.search(item, file.old) is not None


def _conditions(file: FileDiff, replaced: Replaced) -> Iterator[Finding]:
    """The mapping's condition is not turned round, nor compares it with something else."""
    had = {condition for condition, _ in conditions(file.old, file.language)}
    for condition, line in conditions(file.new, file.language):
        asked = replaced.conditions.get(condition.left)
        said = (condition.sign, condition.right.lower().strip("\\ "))
        if asked and condition.sign in ("=", "!=") and condition not in had and said not in asked:
            wanted = " or ".join(" ".join((condition.left, *each)) for each in sorted(asked))
            message = f"`{condition}` is not the mapping's condition: {wanted}"
            yield Finding(path=file.path, line=line, message=message)
    stream = code(file.new, file.language)
    for index, token in enumerate(stream):
        if token.text.lower() in replaced.negated and token.text not in file.old:
            near = {each.text.lower() for each in stream[max(0, index - 6) : index + 5]}
            if not near & _NOT:
                message = f"`{token.text}` is not negated, as the mapping has it"
                yield Finding(path=file.path, line=token.line, message=message)


def _items(text: str) -> Iterator[str]:
    """What stands between commas in a SELECT whose names are seen outside: none of a subquery, of a later
    part of a union, or of what is written by position. Functions with several arguments come in pieces.
    """
    if _WRITES.search(text):
        return
    for word, bracket, part in _SELECT.findall(text):
        if not bracket and word.lower() not in ("union", "all", "distinct", "except", "intersect"):
            yield from part.split(",")


def _unmapped(file: FileDiff, replaced: Replaced, old: Counter[str]) -> Iterator[Finding]:
    for column in sorted(replaced.unmapped):
        left_out = any(column in part.lower() for part in _LEFT_OUT.findall(file.old))
        if old[column] and not left_out:
            message = f"it used `{column}`, which has no counterpart: that is a question for a person"
            yield Finding(path=file.path, line=file.hunks[0].line, message=message)


def _factors(file: FileDiff, replaced: Replaced, old: Counter[str], new: Counter[str]) -> Iterator[Finding]:
    """A column that the mapping computes with a number is read with that number."""
    for column, numbers in sorted(replaced.factors.items()):
        if new[column] <= old[column]:
            continue
        for number in numbers:
            if new[number] <= old[number]:
                message = f"reads `{column}` without the `{number}` that the mapping computes it with"
                yield Finding(path=file.path, line=_line(file, column), message=message)


def _cases(file: FileDiff, replaced: Replaced) -> Iterator[Finding]:
    """A CASE of the mapping's words is the mapping's: no value left out, none in another's place."""
    had = {case for case, _ in _all_cases(code(file.old, file.language))}
    for case, line in _all_cases(code(file.new, file.language)):
        alike = any(case[:2] == known[:2] and set(case) <= set(known) for known in replaced.cases)
        if alike and case not in replaced.cases and case not in had:
            yield Finding(path=file.path, line=line, message="a CASE is not the mapping's")


def _all_cases(stream: Sequence[Token]) -> Iterator[tuple[tuple[str, ...], int]]:
    words = [token for token in stream if token.kind in (Kind.WORD, Kind.NUMBER)]
    for index, token in enumerate(words):
        if token.text.lower() == "case":
            end = next((at for at in range(index, len(words)) if words[at].text.lower() == "end"), None)
            if end is not None:
                yield tuple(each.text.lower() for each in words[index : end + 1]), token.line


def _version(file: FileDiff, replaced: Replaced, old: Counter[str], new: Counter[str]) -> Iterator[Finding]:
    """A name that is built at run time is built of the new name's parts."""
    if any(old[name] for name in replaced.old_tables):
        return
    for name in sorted(replaced.old_tables):
        for other in sorted(replaced.tables):
            before, after = stems(name), stems(other)
            if len(before) < 2 or before[:-1] != after[:-1] or before == after:
                continue
            part = "".join(before[-2:])
            if old[part] and new[part] >= old[part] and not new[other]:
                message = f"`{part}`, of which the old name is made, still stands here"
                yield Finding(path=file.path, line=_line(file, part), message=message)


def _line(file: FileDiff, word: str) -> int:
    lines = (token.line for token in meant(file.new, file.language) if token.text.lower() == word)
    added = {line for line, _ in file.added}
    found = list(lines)
    return next((line for line in found if line in added), found[0] if found else 0)
