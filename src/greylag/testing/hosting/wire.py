"""Git over HTTP: `git http-backend`, as a CGI program."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response


def token_of(header: str) -> str:
    """The token in an Authorization header: bearer, `token`, or the password of a basic one."""
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value).decode("utf-8", "replace").partition(":")[2]
    except ValueError:
        return ""


async def backend(request: Request, repository: Path, rest: str, user: str) -> Response:
    """One request of a git client for a bare repository; whoever comes here may do what they ask.

    `rest` is the path below the repository's: `info/refs`, `git-upload-pack`, `git-receive-pack`.
    """
    body = await request.body()
    if request.headers.get("content-encoding") == "gzip":
        env_encoding = {"HTTP_CONTENT_ENCODING": "gzip"}
    else:
        env_encoding = {}
    env = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_CONFIG_KEY_1": "http.receivepack",
        "GIT_CONFIG_VALUE_1": "true",
        "GIT_CONFIG_KEY_2": "uploadpack.allowFilter",
        "GIT_CONFIG_VALUE_2": "true",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": f"/{repository.name}/{rest}",
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        **env_encoding,
    }
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(body)
    if process.returncode:
        return Response(errors, 500, media_type="text/plain")
    return _response(output)


def _response(output: bytes) -> Response:
    head, _, body = output.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    status = int(headers.pop("status", "200").split()[0])
    return Response(body, status, headers=_without_length(headers))


def _without_length(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "content-length"}
