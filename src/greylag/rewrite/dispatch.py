"""Which codemod a file belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from greylag.domain.consumer import Framework
from greylag.domain.outcome import FormChoice, Outcome, Reason, Skipped, Unchanged
from greylag.mapping.compiled import CompiledMigration
from greylag.rewrite import config
from greylag.rewrite.config import is_config_file, rewrite_config
from greylag.rewrite.dbt import (
    is_dbt_file,
    is_dbt_yaml,
    is_python_model,
    localised,
    read_python_model,
    rewrite_dbt,
    rewrite_yaml,
)
from greylag.rewrite.embedded import Program
from greylag.rewrite.mentions import candidate_names, mentioned
from greylag.rewrite.sql import rewrite_sql

Codemod = Callable[..., Outcome]

_SQL = {".sql", ".ddl", ".dml", ".hql", ".bq", ".bqsql", ".pgsql", ".psql", ".tsql"}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
JINJA = re.compile(r"\{\{|\{%|\{#")
_PYTHON = {".py", ".pyw", ".ipynb"}
_JVM = {".scala", ".sc", ".java"}
# What is read of one program: its parsers take a microsecond a character, each string that is SQL some
# milliseconds. Only generated programs are larger.
_MOST_CHARACTERS = 1_000_000
_MOST_MENTIONS = 1_000
# Programs that no codemod reads yet: what names a dataset there is reported.
_UNREAD = {".kt": Framework.SCALA, ".kts": Framework.SCALA}


def framework_of(path: str, siblings: Mapping[str, str] | None = None) -> Framework | None:
    """The framework that a path belongs to, None for what is no program (documents, data)."""
    if siblings is not None and is_dbt_file(path, siblings):
        return Framework.DBT
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in _SQL or path.endswith(".sql.j2"):
        return Framework.SQL
    if suffix in _PYTHON:
        return Framework.PYTHON
    if suffix in _JVM:
        return Framework.SCALA
    return Framework.CONFIG if is_config_file(path) else _UNREAD.get(suffix)


def rewrite_text(
    path: str,
    text: str,
    migration: CompiledMigration,
    *,
    form: FormChoice = FormChoice.AUTO,
    siblings: Mapping[str, str] | None = None,
) -> Outcome:
    """Rewrite one file's text with the codemod of its framework.

    `siblings` are the other files of its repository (path to text), which tell dbt projects from plain SQL.
    """
    framework = framework_of(path, siblings)
    if framework is None:
        return Unchanged()
    if _SURROGATE.search(text):
        if not mentioned(text, migration, {}):
            return Unchanged()
        message = f"{path}: half a surrogate pair, which no file in UTF-8 holds"
        return Skipped(framework=framework, reasons=(Reason(code="unparsable", message=message),))
    try:
        return _rewrite_as(framework, path, text, migration, form, siblings)
    except RecursionError:
        # Codemods follow what is nested; how deep a text is, no one but its author knows.
        reason = Reason(code="too-deep", message=f"{path}: it is nested too deeply to be followed")
        return Skipped(framework=framework, reasons=(reason,))


def _rewrite_as(
    framework: Framework,
    path: str,
    text: str,
    migration: CompiledMigration,
    form: FormChoice,
    siblings: Mapping[str, str] | None,
) -> Outcome:
    if siblings is not None and is_dbt_yaml(path, siblings):
        return rewrite_yaml(path, text, localised(path, migration, siblings), form=form, siblings=siblings)
    if framework is Framework.DBT or (framework is Framework.SQL and JINJA.search(text)):
        return rewrite_dbt(path, text, migration, form=form, siblings=siblings)
    if framework is Framework.SQL:
        return rewrite_sql(text, migration, form=form, path=path)
    if PurePosixPath(path).suffix.lower() in _UNREAD:
        return _left_alone(path, text, migration, framework)
    if siblings is not None and is_python_model(path, text, siblings):
        found = read_python_model(path, text, migration, siblings)
        if isinstance(found, Skipped):
            return found
    if (much := _too_much(path, text, migration, framework)) is not None:
        return much
    if framework is Framework.CONFIG:
        return rewrite_config(path, text, migration, form=form)
    # Their parsers are only loaded where there is something to parse.
    if framework is Framework.PYTHON:
        from greylag.rewrite.python import rewrite_python

        return rewrite_python(path, text, migration, form=form, siblings=siblings)
    from greylag.rewrite.jvm import rewrite_jvm

    return rewrite_jvm(path, text, migration, form=form, siblings=siblings)


def _too_much(
    path: str, text: str, migration: CompiledMigration, framework: Framework
) -> Skipped | Unchanged | None:
    """The answer for a program that is too large to be read; None for all others.

    A notebook's characters are mostly outputs: its codemod counts those of its cells.
    """
    lowered = text.lower()
    mentions = sum(lowered.count(name) for name in candidate_names(migration))
    if len(text) > _MOST_CHARACTERS and not path.endswith(".ipynb"):
        if mentions == 0:
            return Unchanged()
        message = f"{path}: the program has more than {_MOST_CHARACTERS:,} characters"
    elif mentions > _MOST_MENTIONS:
        message = f"{path}: it names the dataset {mentions:,} times; at most {_MOST_MENTIONS:,} are followed"
    else:
        return None
    return Skipped(framework=framework, reasons=(Reason(code="too-large", message=message),))


def read_program(
    path: str, text: str, migration: CompiledMigration, siblings: Mapping[str, str] | None = None
) -> Program | None:
    """The SQL of a program in another language, and the rest of it; None for what no codemod reads.

    `siblings` are the other files of its repository, whose constants it may use.
    """
    if PurePosixPath(path).suffix.lower() in _UNREAD:
        return None
    match framework_of(path):
        case Framework.CONFIG:
            return config.read_program(path, text, migration)
        case Framework.PYTHON:
            from greylag.rewrite import python

            return python.read_program(path, text, migration, siblings)
        case Framework.SCALA:
            from greylag.rewrite import jvm

            return jvm.read_program(path, text, migration, siblings)
        case _:
            return None


def _left_alone(path: str, text: str, migration: CompiledMigration, framework: Framework) -> Outcome:
    """Files of a framework without a codemod: named datasets are reported, nothing is touched."""
    if not mentioned(text, migration, {}):
        return Unchanged()
    reasons: list[Reason] = []
    for number, line in enumerate(text.splitlines(), start=1):
        for name in candidate_names(migration):
            if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line, re.IGNORECASE):
                message = f"{path}:{number}: names {name}; no codemod reads such files"
                reasons.append(Reason(code="no-codemod", message=message, line=number))
    return Skipped(framework=framework, reasons=tuple(reasons)) if reasons else Unchanged()
