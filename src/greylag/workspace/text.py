"""From bytes to text, or the reason why not. A file that is not text is left alone."""

from __future__ import annotations

import codecs

from greylag.domain.outcome import Reason

MAX_TEXT_BYTES = 4 * 1024 * 1024
_LFS_HEADER = b"version https://git-lfs.github.com/spec/"
_CRYPT_HEADER = b"\0GITCRYPT\0"
_SNIFF = 8000


def looks_binary(data: bytes) -> bool:
    """Git's own rule: a NUL among the first 8,000 bytes."""
    return b"\0" in data[:_SNIFF]


def is_lfs_pointer(data: bytes) -> bool:
    """Whether the bytes stand for a file that Git LFS keeps elsewhere."""
    return len(data) < 1024 and data.startswith(_LFS_HEADER)


def kept_elsewhere(data: bytes) -> Reason | None:
    """Why a blob only stands for the file that a program sees; None: it is the file."""
    if is_lfs_pointer(data):
        return Reason(code="lfs-pointer", message="the content is kept by Git LFS, not in this repository")
    if data.startswith(_CRYPT_HEADER):
        return Reason(code="encrypted", message="the content is encrypted by git-crypt")
    return None


def decode_text(data: bytes) -> str | Reason:
    """The text of a file, byte order mark and line ends kept; or why it is not text that we edit.

    `text.encode()` gives the same bytes again.
    """
    elsewhere = kept_elsewhere(data)
    if elsewhere is not None:
        return elsewhere
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Reason(code="not-utf-8", message="UTF-16; convert it to UTF-8 or edit it by hand")
    if looks_binary(data):
        return Reason(code="binary", message="not a text file")
    if len(data) > MAX_TEXT_BYTES:
        megabytes = MAX_TEXT_BYTES // (1024 * 1024)
        return Reason(
            code="too-large", message=f"{len(data):,} bytes: files over {megabytes} MiB are not parsed"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Reason(code="not-utf-8", message="not UTF-8; convert it or edit it by hand", line=line)
