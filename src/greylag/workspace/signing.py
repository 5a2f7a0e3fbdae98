"""Signatures of commits by ssh-keygen or gpg, as git makes them: git-scm.com/docs/gitformat-signature.

A key stands in a file that only we may read, for as long as the process lives; where it was handed over as a
text, that file is in memory where the system has such a place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from greylag.domain.errors import UsageError
from greylag.workspace.scratch import own_folder

Signer = Callable[[bytes], str]
"""Gives the armoured signature of a commit's content."""

_SECONDS = 60.0
_MEMORY = Path("/dev/shm")
_TRIED = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\ngreylag tries its key\n"


class Signing(Protocol):
    """A key that is ready to sign."""

    def __call__(self, content: bytes) -> str:
        """The signature of a content. Raises UsageError when the key does not work."""
        ...

    def try_out(self) -> None:
        """Sign something: a key that does not work is known before it is needed. Raises UsageError."""
        ...


def open_signing(format_: Literal["ssh", "gpg"], key: str) -> Signing:
    """What signs with a private key, given as the text of its file. Nothing is run yet."""
    return SshSigning(key) if format_ == "ssh" else GpgSigning(key)


class SshSigning:
    """`ssh-keygen -Y sign`. With an Ed25519 key the same content has the same signature."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._place: Path | None = None
        self._lock = threading.Lock()

    def __call__(self, content: bytes) -> str:
        """See `Signing`."""
        argv = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(self._file())]
        return _run(argv, content, "the key that commits are signed with (format: ssh)")

    def try_out(self) -> None:
        """See `Signing`."""
        self(_TRIED)

    def _file(self) -> Path:
        with self._lock:
            if self._place is None:
                self._place = _folder(self) / "key"
                _write(self._place, self._key.rstrip() + "\n")
            return self._place


class GpgSigning:
    """`gpg --detach-sign` with a keyring that holds nothing but the key. Its signatures hold the time."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._home: Path | None = None
        self._lock = threading.Lock()

    def __call__(self, content: bytes) -> str:
        """See `Signing`."""
        argv = [*self._gpg(), "--armor", "--detach-sign"]
        return _run(argv, content, "the key that commits are signed with (format: gpg)")

    def try_out(self) -> None:
        """See `Signing`."""
        self(_TRIED)

    def _gpg(self) -> list[str]:
        with self._lock:
            home = self._home
            if home is None:
                home = _folder(self, before=_end_agent)
                gpg = _command(home)
                _run([*gpg, "--import"], self._key.encode(), "the key that commits are signed with")
                self._home = home
            return _command(home)


def _command(home: Path) -> list[str]:
    return ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--quiet", "--pinentry-mode", "error"]


def _folder(owner: object, before: Callable[[str], None] = lambda _: None) -> Path:
    """A folder of ours that goes with its owner, or with the process; of a killed one, with the next key."""
    made, lock = own_folder("greylag-key-", _MEMORY if os.access(_MEMORY, os.W_OK) else None)
    weakref.finalize(owner, _remove, str(made), lock, before)
    return made


def _remove(folder: str, lock: int, before: Callable[[str], None]) -> None:
    before(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def _end_agent(home: str) -> None:
    argv = ["gpgconf", "--homedir", home, "--kill", "all"]
    if shutil.which(argv[0]) is not None:
        subprocess.run(argv, capture_output=True, check=False, timeout=_SECONDS)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)


def _run(argv: Sequence[str], given: bytes, what: str) -> str:
    """Its output. Nobody is asked for a passphrase: there is no terminal."""
    environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            argv,
            input=given,
            capture_output=True,
            env=environment,
            start_new_session=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError(f"{what}: there is no {argv[0]} on this machine: install it") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{what}: {argv[0]} did not answer for {_SECONDS:g} seconds") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
        raise UsageError(f"{what}: {argv[0]} refuses it (a key with a passphrase cannot be used): {said}")
    return done.stdout.decode("ascii", "replace").strip() + "\n"
