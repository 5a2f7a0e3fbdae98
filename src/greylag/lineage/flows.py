"""What a repository builds, and what it reads, beside any replaced dataset: as its files say it.

Names are found by their words around them, not by a parser: it has to be quick over whole repositories, and
whatever the dialect or the templates. A table that is written or read under a name put together at run time
is not seen; a name in dead code is. Both only move targets in the order of a rollout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

Name = tuple[str, ...]
"""A dataset's name, outermost part first, without quotes and in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Datasets that a repository builds and reads, each with the first place (`path:line`) that says so.

    `models` are of dbt: a name, with the words that may stand before it in the warehouse (schemas, folders,
    the project), since the profile decides.
    """

    builds: Mapping[Name, str] = field(default_factory=dict)
    reads: Mapping[Name, str] = field(default_factory=dict)
    models: Mapping[str, tuple[frozenset[str], str]] = field(default_factory=dict)

    def model_of(self, read: Name) -> str | None:
        """Where the model stands that a read means; None where there is no such model."""
        model = self.models.get(read[-1])
        return model[1] if model is not None and _stands_before(read[-2], model[0]) else None


_SUFFIXES = frozenset(
    {".sql", ".ddl", ".dml", ".hql", ".bq", ".bqsql", ".j2", ".py", ".pyw", ".ipynb"}
    | {".scala", ".sc", ".java", ".kt", ".sh", ".yml", ".yaml"}
)
_LONGEST = 1_000_000
_HOLE = r"\{\{[^{}]*\}\}|\$?\{[^{}]*\}|\$\w+"
_PART = rf"(?:{_HOLE}|[\w$*-]+)"
_NAME = rf"[`\"\[]?(?:{_PART}[`\"\]]?[.:][`\"\[]?){{1,3}}{_PART}"

_WRITES = re.compile(
    rf"""(?ix)
    \bcreate\s+(?:or\s+(?:replace|alter)\s+)?(?:transient\s+|external\s+|secure\s+|foreign\s+)?
       (?:materialized\s+|live\s+)?(?:table|view)\s+(?:if\s+not\s+exists\s+)?(?P<made>{_NAME})
  | \binsert\s+(?:into|overwrite)\s+(?:table\s+)?(?P<into>{_NAME})
  | \bmerge\s+(?:into\s+)?(?P<merged>{_NAME})\s+(?:as\s+)?\w*\s*using\b
  | \b(?:saveAsTable|insertInto|writeTo|to_gbq|to_table|load_table_from_dataframe
       |saveAs(?:Typed)?BigQuery(?:Table)?)\s*\(\s*(?:Table(?:\.\w+)?\s*\(\s*)?(?:
         [frbFRB]?[\"']{{1,3}}(?P<call>{_NAME})[\"'] | (?P<constant>[A-Za-z_]\w*)\s*[,)] )
  | \bdestination(?:_project_dataset|_dataset)?(?:_table)?\s*[=:]\s*[\"']?(?P<option>{_NAME})
    """
)
_READS = re.compile(
    rf"""(?ix)
    \b(?:from|join|using)\s+(?P<table>{_NAME})(?!\s*\()
  | \b(?:read_gbq|table|read_table|fromTable|bigQueryTable|typedBigQuery)\s*\(\s*
      (?:Table(?:\.\w+)?\s*\(\s*)?[frbFRB]?[\"'](?P<call>{_NAME})[\"']
  | \bsource\s*\(\s*[\"'](?P<source>[^\"']+)[\"']\s*,\s*[\"'](?P<of>[^\"']+)[\"']\s*\)
  | \bref\s*\(\s*[\"'](?P<project>[^\"']+)[\"']\s*,\s*[\"'](?P<model>[^\"']+)[\"']
    """
)
_WRITERS = (
    "create",
    "insert",
    "merge",
    "saveas",
    "writeto",
    "to_gbq",
    "to_table",
    "load_table",
    "destination",
)
# Where one of these begins is found more quickly than by trying the whole at each place.
_WRITE_WORDS = re.compile(
    r"(?i)\b(?:create|insert|merge|saveas|writeto|to_gbq|to_table|load_table_from_dataframe|destination)"
)
_READ_WORDS = re.compile(
    r"(?i)\b(?:from|join|using|read_gbq|table|read_table|bigquerytable|typedbigquery|source|ref)"
)
_CONSTANT = re.compile(r"(?m)\b([A-Za-z_]\w*)\s*(?::\s*\w+\s*)?=\s*[\"']([\w$-]+(?:[.:][\w$-]+){1,3})[\"']")
# Strings stand first: what looks like a comment inside of one is none.
_COMMENTS = {
    "sql": re.compile(r"'(?:[^'\\\n]|\\.|'')*'|(/\*.*?\*/|\{#.*?#\}|--[^\n]*)", re.DOTALL),
    "hash": re.compile(
        r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|(\#[^\n]*)", re.DOTALL
    ),
    "slash": re.compile(r"\"\"\".*?\"\"\"|\"(?:[^\"\\\n]|\\.)*\"|(/\*.*?\*/|//[^\n]*)", re.DOTALL),
}
_SQL_COMMENT = re.compile(r"(?m)(?:^|(?<=\s))--\s[^\n]*|/\*.*?\*/", re.DOTALL)
_CONFIG = re.compile(r"\{\{-?\s*config\s*\((?P<inside>.*?)\)\s*-?\}\}", re.DOTALL)
_SETTING = re.compile(r"\b(alias|schema|database)\s*=\s*[\"']([^\"']+)[\"']")
_PROJECT = re.compile(r"(?m)^name:\s*[\"']?([\w-]+)")
_SCHEMA = re.compile(r"(?m)^\s*\+?schema:\s*[\"']?([\w-]+)")


def same(one: Name, other: Name) -> bool:
    """Do two names mean one dataset? The shorter has two parts at least, and ends the longer."""
    length = min(len(one), len(other))
    return length > 1 and one[-length:] == other[-length:]


def name_of(text: str) -> Name | None:
    """A name as it is written somewhere; None for one part alone, or where a template stands in it.

    Parts before it that a template fills are left out: `{{ project }}.mart.users` is `mart.users`.
    """
    parts = [part.strip('`"[] ') for part in re.split(r"[.:](?![^{]*\})", text.strip())]
    while parts and _holed(parts[0]):
        parts.pop(0)
    if len(parts) < 2 or not all(parts) or any(_holed(part) for part in parts):
        return None
    last = re.sub(r"(?<=.)\$\d+$", "", parts[-1])
    return tuple(part.lower() for part in (*parts[:-1], last))


def _holed(part: str) -> bool:
    return "{" in part or part.startswith("$") or "*" in part


def flow_of(files: Mapping[str, str], paths: Iterable[str] | None = None) -> Flow:
    """What the files of a repository build and read. `paths` narrows it to some of them."""
    builds: dict[Name, str] = {}
    reads: dict[Name, str] = {}
    models: dict[str, tuple[frozenset[str], str]] = {}
    chosen = sorted(files if paths is None else paths)
    projects = _dbt_projects(chosen, files)
    for path in chosen:
        if PurePosixPath(path).suffix.lower() not in _SUFFIXES:
            continue
        text = files[path]
        if len(text) > _LONGEST:
            continue
        project = next((one for one in projects if path.startswith(f"{one}models/")), None)
        if project is not None and path.endswith((".sql", ".py")):
            model, words = _model(path, text, project, projects[project])
            models.setdefault(model, (words, f"{path}:1"))
        plain = _without_comments(path, text)
        for name, line in _written(plain):
            builds.setdefault(name, f"{path}:{line}")
        for name, line in _read(plain):
            reads.setdefault(name, f"{path}:{line}")
    return Flow(builds=builds, reads=reads, models=models)


def _dbt_projects(paths: Iterable[str], files: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The folders of dbt projects (with a slash, empty for the root), with their name and schemas."""
    found = {}
    for path in paths:
        if PurePosixPath(path).name in ("dbt_project.yml", "dbt_project.yaml"):
            words = _PROJECT.findall(files[path])[:1] + _SCHEMA.findall(files[path])
            folder = path.removesuffix(PurePosixPath(path).name)
            found[folder] = frozenset(word.lower() for word in words)
    return dict(sorted(found.items(), key=lambda one: -len(one[0])))


def _model(path: str, text: str, project: str, words: frozenset[str]) -> tuple[str, frozenset[str]]:
    config = _CONFIG.search(text)
    said = dict(_SETTING.findall(config["inside"])) if config is not None else {}
    folders = PurePosixPath(path.removeprefix(f"{project}models/")).parent.parts
    name = said.get("alias", PurePosixPath(path).stem).lower()
    more = {folder.lower() for folder in folders} | {said[key].lower() for key in ("schema",) if key in said}
    return name, words | more


def _stands_before(part: str, words: frozenset[str]) -> bool:
    """A schema as dbt makes it: a word alone, or after the profile's own schema."""
    return part in words or any(part.endswith(f"_{word}") for word in words)


def _without_comments(path: str, text: str) -> str:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in {".py", ".pyw", ".ipynb", ".sh", ".yml", ".yaml"}:
        kind = "hash"
    else:
        kind = "slash" if suffix in {".scala", ".sc", ".java", ".kt"} else "sql"
    plain = _COMMENTS[kind].sub(lambda found: _blank(found[1]) if found[1] else found[0], text)
    return plain if kind == "sql" else _SQL_COMMENT.sub(lambda found: _blank(found[0]), plain)


def _blank(text: str) -> str:
    return "\n" * text.count("\n") or " "


def _matches(words: re.Pattern[str], pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    for word in words.finditer(text):
        found = pattern.match(text, word.start())
        if found is not None:
            yield found


def _written(text: str) -> Iterator[tuple[Name, int]]:
    lower = text.lower()
    if not any(word in lower for word in _WRITERS):
        return
    constants: dict[str, str] | None = None
    for found in _matches(_WRITE_WORDS, _WRITES, text):
        said = found[found.lastgroup or 0]
        if found.lastgroup == "constant":
            if constants is None:
                constants = dict(_CONSTANT.findall(text))
            said = constants.get(said, "")
        name = name_of(said)
        if name is not None:
            yield name, text.count("\n", 0, found.start(found.lastgroup or 0)) + 1


def _read(text: str) -> Iterator[tuple[Name, int]]:
    for found in _matches(_READ_WORDS, _READS, text):
        if found["of"] is not None:
            name: Name | None = (found["source"].lower(), found["of"].lower())
        elif found["model"] is not None:
            name = (found["project"].lower(), found["model"].lower())
        else:
            name = name_of(found["table"] or found["call"])
        if name is not None:
            yield name, text.count("\n", 0, found.start()) + 1
