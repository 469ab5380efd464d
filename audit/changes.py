"""Entries of an event's ``chg``: what stood at a place before and after, in words or, where it is long, as digests.

What is about a person stands there as commitments (``audit.sealing``).

The digest of a text is the SHA-256 of its UTF-8 bytes; that of any other JSON value is the SHA-256 of its canonical
bytes. These bytes go to ``blob``, so that the history can still show them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.canonical import canonical_bytes, digest
from models.errors import InvalidInput

# Longer values go to ``blob`` and only their digests into the leaf.
INLINE_CHARACTERS = 512


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of ``chg`` and the bytes that must be stored in ``blob``, by their SHA-256 in hexadecimal."""

    entry: dict[str, Any]
    blobs: Mapping[str, bytes] = field(default_factory=dict)


def stored_bytes(value: Any) -> bytes:
    """The bytes of a value that its digest is of: UTF-8 of a text, canonical JSON of anything else.

    Raises InvalidInput for a text that is not in NFC or holds a lone surrogate.
    """
    if not isinstance(value, str):
        return canonical_bytes(value)
    if not unicodedata.is_normalized("NFC", value):
        raise InvalidInput(f"文字“{value[:20]}”不是 NFC 规范形式；请先规范化。")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("文字中有不成对的代理字符；请检查其中的特殊字符。") from error


def digest_change(pointer: str, old: Any, new: Any) -> dict[str, Any]:
    """``{p, oh, nh}`` of a change; the side that does not exist (None) has no member."""
    entry: dict[str, Any] = {"p": pointer}
    if old is not None:
        entry["oh"] = digest(stored_bytes(old))
    if new is not None:
        entry["nh"] = digest(stored_bytes(new))
    return entry


def commitment_change(pointer: str, old: str | None, new: str | None) -> dict[str, Any]:
    """``{p, oc, nc}`` of a change of personal data, from the commitments of both sides; None stands for "not there"."""
    return {"p": pointer, **{key: value for key, value in (("oc", old), ("nc", new)) if value is not None}}


def change(pointer: str, old: Any, new: Any) -> Change:
    """The change of the value at a JSON pointer (RFC 6901); None stands for "not there".

    ``{p, o, n}`` where both sides are short, ``{p, oh, nh}`` otherwise, with the bytes of both sides for ``blob``: half a
    comparison is of no use to a reader. Raises InvalidInput where neither side exists.
    """
    if old is None and new is None:
        raise InvalidInput(f"位置“{pointer}”修改前后都没有内容；请不要记录没有变化的位置。")
    sides = {key: value for key, value in (("o", old), ("n", new)) if value is not None}
    if all(_length(value) <= INLINE_CHARACTERS for value in sides.values()):
        return Change({"p": pointer, **sides})
    blobs = {}
    for value in sides.values():
        data = stored_bytes(value)
        blobs[digest(data)] = data
    return Change(digest_change(pointer, old, new), blobs)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(canonical_bytes(value))
