"""Where the keys come from: an environment variable or a file, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from greylag.domain.errors import UsageError


def read_secret(
    *, env: str | None = None, file: Path | None = None, environ: Mapping[str, str] | None = None
) -> SecretStr | None:
    """The secret in the environment variable `env`, else in `file`; None when neither is named.

    Its repr hides it. Raises UsageError when what was named is not there or is empty; the message names the
    place, never the content.
    """
    values = os.environ if environ is None else environ
    if env is not None and values.get(env, "").strip():
        return SecretStr(values[env].strip())
    if file is not None:
        return SecretStr(_first_line(file))
    if env is not None:
        raise UsageError(f"the environment variable {env} is not set: it should hold the model's API key")
    return None


def _first_line(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: the file with the model's API key cannot be read: {_why(error)}") from None
    if not lines:
        raise UsageError(f"{file}: the file with the model's API key is empty")
    return lines[0]


def _why(error: OSError | UnicodeDecodeError) -> str:
    # What a UnicodeDecodeError says of itself shows bytes of the file.
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "it is not text"
