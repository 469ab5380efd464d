"""Canonical JSON bytes and their hash.

Under our profile (objects with text keys, text, integers, booleans, arrays; no floats, no null members) ``orjson`` with
sorted keys gives the bytes of RFC 8785. Outside the profile the two differ (orjson writes NaN as null and sorts by UTF-8
instead of UTF-16), so the audit log refuses what lies outside before it comes here.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from models.errors import InvalidInput


def canonical_bytes(value: Any) -> bytes:
    """Bytes of ``value`` in canonical form (UTF-8, sorted keys, no blanks).

    Raises InvalidInput for what JSON can't hold, such as a lone surrogate.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"内容不能写成 JSON（{error}）；请检查其中的特殊字符。") from error


def digest(data: bytes) -> str:
    """SHA-256 of ``data`` as 64 lower-case hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()


def without_empty(value: Any) -> Any:
    """Copy of a JSON value whose objects have no members that hold nothing (null, "", [], {}).

    Array elements stay, since their position means something.
    """
    if isinstance(value, dict):
        pairs = ((key, without_empty(member)) for key, member in value.items())
        return {key: member for key, member in pairs if member is not None and member != "" and member not in ([], {})}
    if isinstance(value, list):
        return [without_empty(member) for member in value]
    return value
