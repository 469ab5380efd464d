"""The event: one leaf of the log, as canonical bytes, written and read under one strict profile (audit.md "Event").

A JSON object with ASCII keys, no floats, integers below 2^53, no null members, text in NFC, depth at most 8 and 65,535
bytes at most. Under this profile ``orjson`` with sorted keys writes the bytes of RFC 8785; outside it the two differ, so
the writer refuses what lies outside. Members::

    v 1 · id UUIDv7 · ts · act · out success|denied|failure · actor {sub, role, via, on_behalf_of?} · obj {type, id, ver}
    prev? hex of the leaf hash of the object's previous event (absent in its first) · ctx · why? · chg? · after? · wf? · bulk?
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from audit.acts import Act, workflow_act
from audit.changes import Change, change, digest_change
from models.base import parse_timestamp, timestamp
from models.canonical import canonical_bytes
from models.errors import InvalidInput

__all__ = [
    "Act",
    "Actor",
    "Change",
    "EventDraft",
    "Outcome",
    "Via",
    "change",
    "digest_change",
    "event_bytes",
    "parse_event",
    "workflow_act",
]

# C2SP tlog-tiles writes the length of an entry in 16 bits.
MAX_BYTES = 65_535
MAX_DEPTH = 8
# Integers beyond this are not exact in programs that read JSON numbers as doubles (RFC 8785 section 3.2.2.3).
_INTEGER_LIMIT = 2**53

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ACT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_HASH = re.compile(r"[0-9a-f]{64}")
_COMMITMENT = re.compile(r"[A-Za-z0-9+/]{43}=")

_REQUIRED = frozenset(("v", "id", "ts", "act", "out", "actor", "obj", "ctx"))
_MEMBERS = _REQUIRED | {"prev", "why", "chg", "after", "wf", "bulk"}
_ACTOR = frozenset(("sub", "role", "via", "on_behalf_of"))
_OBJECT = frozenset(("type", "id", "ver"))
_CHANGES = (frozenset("pon"), frozenset(("p", "oh", "nh")), frozenset(("p", "oc", "nc")))


class Outcome(StrEnum):
    """How an attempt ended; refused and failed attempts are events too."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILURE = "failure"


class Via(StrEnum):
    """The door through which an actor came."""

    WEB = "web"
    API = "api"
    CLI = "cli"
    WORKER = "worker"
    DB_TRIGGER = "db-trigger"


_OUTCOMES = frozenset(Outcome)
_DOORS = frozenset(Via)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted: account id, the role it acted in, the door, and for whom where it was a delegate."""

    sub: str
    role: str
    via: str
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What a use case says happened; id, time, version and link are added when it is recorded.

    ``ctx`` is ``{"req": …, "app": …}`` (and ``ses``, ``ip`` as a commitment); ``chg`` holds entries of ``change`` or
    ``digest_change``; ``after`` is the content hash (64 hex characters) of the text at the new version.
    """

    act: str
    out: str
    actor: Actor
    obj_type: str
    obj_id: str
    ctx: Mapping[str, Any]
    why: str | None = None
    chg: Sequence[Mapping[str, Any]] = ()
    after: str | None = None
    wf: Mapping[str, Any] | None = None
    bulk: Mapping[str, Any] | None = None


def event_bytes(draft: EventDraft, *, event_id: str, ts: datetime, ver: int, prev: bytes | None) -> bytes:
    """Canonical bytes of an event, as they are hashed and stored.

    ``ver`` counts the object's events from 1; ``prev`` is the leaf hash (32 bytes) of the one before, None for the first.
    Raises InvalidInput for everything outside the profile.
    """
    if ts.tzinfo is None:
        raise InvalidInput("事件时间缺少时区；请传入带时区的时间。")
    actor: dict[str, Any] = {"sub": draft.actor.sub, "role": draft.actor.role, "via": draft.actor.via}
    if draft.actor.on_behalf_of is not None:
        actor["on_behalf_of"] = draft.actor.on_behalf_of
    event: dict[str, Any] = {
        "v": 1,
        "id": event_id,
        "ts": timestamp(ts),
        "act": draft.act,
        "out": draft.out,
        "actor": actor,
        "obj": {"type": draft.obj_type, "id": draft.obj_id, "ver": ver},
        "ctx": draft.ctx,
    }
    if prev is not None:
        event["prev"] = prev.hex()
    if draft.why is not None:
        event["why"] = draft.why
    if draft.chg:
        event["chg"] = list(draft.chg)
    if draft.after is not None:
        event["after"] = draft.after
    if draft.wf is not None:
        event["wf"] = draft.wf
    if draft.bulk is not None:
        event["bulk"] = draft.bulk
    _check_values(event, 1)
    _check_shape(event)
    body = canonical_bytes(event)
    if len(body) > MAX_BYTES:
        raise InvalidInput(
            f"事件有 {len(body)} 字节，超过上限 {MAX_BYTES}；请把长文本存入 blob、只记摘要，或分成几次修改。",
            size=len(body),
        )
    return body


def parse_event(body: bytes) -> dict[str, Any]:
    """The event in stored bytes; accepts only what ``event_bytes`` can write.

    Raises InvalidInput where the bytes are not an event in the one canonical spelling, so that nobody can hide a second
    reading (duplicate keys, other escapes, blanks) under one hash.
    """
    if len(body) > MAX_BYTES:
        raise InvalidInput(f"事件有 {len(body)} 字节，超过上限 {MAX_BYTES}；这不是本日志写下的事件。", size=len(body))
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"事件不是有效的 JSON（{error}）；请核对日志。") from error
    if not isinstance(event, dict):
        raise InvalidInput("事件不是 JSON 对象；请核对日志。")
    _check_values(event, 1)
    _check_shape(event)
    try:
        parsed = parse_timestamp(event["ts"])
    except (TypeError, ValueError) as error:
        raise InvalidInput("事件时间的写法不对，应为 YYYY-MM-DDTHH:MM:SS.ffffffZ；请核对日志。") from error
    if timestamp(parsed) != event["ts"] or canonical_bytes(event) != body:
        raise InvalidInput("事件不是规范写法（键序、空格、转义或重复键）；请核对日志。")
    return event


def _check_values(value: Any, depth: int) -> None:
    # Texts come first, since nearly every value is one; the order costs or saves a third of the writing of an event.
    if isinstance(value, str):
        if not value.isascii() and not unicodedata.is_normalized("NFC", value):
            raise InvalidInput(f"事件中的文字“{value[:20]}”不是 NFC 规范形式；请先规范化。")
    elif isinstance(value, dict | list | tuple):
        if depth > MAX_DEPTH:
            raise InvalidInput(f"事件嵌套超过 {MAX_DEPTH} 层；请改存摘要。")
        if isinstance(value, dict):
            _check_members(value, depth + 1)
        else:
            for member in value:
                _check_values(member, depth + 1)
    elif not isinstance(value, int):
        raise InvalidInput(f"事件不接受 {type(value).__name__} 类型的值；金额请用十进制文字，时间请用规范文字。")
    elif not -_INTEGER_LIMIT < value < _INTEGER_LIMIT:
        raise InvalidInput(f"事件中的整数 {value} 超出 2^53；请改用文字。")


def _check_members(members: dict[Any, Any], depth: int) -> None:
    for key, member in members.items():
        if not (isinstance(key, str) and key.isascii()):
            raise InvalidInput(f"事件的键“{key}”不是 ASCII 文字；请改用英文键名。")
        if member is None:
            raise InvalidInput(f"事件的成员“{key}”是空值 null；请去掉这个成员。")
        if not (isinstance(member, str) and member.isascii()):
            _check_values(member, depth)


def _refuse(what: str) -> None:
    raise InvalidInput(f"事件的“{what}”不合格式；请按审计事件的格式填写。", member=what)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _is_commitment(value: Any) -> bool:
    return isinstance(value, str) and _COMMITMENT.fullmatch(value) is not None


def _check_shape(event: dict[str, Any]) -> None:
    keys = event.keys()
    if not (keys >= _REQUIRED and keys <= _MEMBERS) or event["v"] != 1 or event["v"] is True:
        _refuse("成员")
    if not (isinstance(event["id"], str) and _ID.fullmatch(event["id"])):
        _refuse("id")
    if not (isinstance(event["act"], str) and _ACT.fullmatch(event["act"])):
        _refuse("act")
    if not isinstance(event["out"], str) or event["out"] not in _OUTCOMES:
        _refuse("out")
    _check_actor(event["actor"])
    _check_object(event["obj"], event.get("prev"))
    for member in ("ctx", "wf", "bulk"):
        if member in event and not isinstance(event[member], dict):
            _refuse(member)
    if not isinstance(event.get("why", ""), str):
        _refuse("why")
    if "after" in event and not _is_hash(event["after"]):
        _refuse("after")
    if "chg" in event:
        _check_changes(event["chg"])


def _check_actor(actor: Any) -> None:
    if not isinstance(actor, dict) or not (actor.keys() <= _ACTOR and len(actor) >= len(_ACTOR) - 1):
        _refuse("actor")
    for member in actor.values():
        if not (isinstance(member, str) and member):
            _refuse("actor")
    if actor.get("via") not in _DOORS:
        _refuse("actor.via")


def _check_object(obj: Any, prev: Any) -> None:
    if not isinstance(obj, dict) or obj.keys() != _OBJECT:
        _refuse("obj")
    if not (isinstance(obj["type"], str) and obj["type"] and isinstance(obj["id"], str) and obj["id"]):
        _refuse("obj")
    if isinstance(obj["ver"], bool) or not isinstance(obj["ver"], int) or obj["ver"] < 1:
        _refuse("obj.ver")
    # Only the first event of an object has nothing to link to.
    if (prev is None) != (obj["ver"] == 1) or not (prev is None or _is_hash(prev)):
        _refuse("prev")


def _check_changes(changes: Any) -> None:
    if not isinstance(changes, list) or not changes:
        _refuse("chg")
    for entry in changes:
        if not isinstance(entry, dict) or len(entry) < 2 or not any(entry.keys() <= form for form in _CHANGES):
            _refuse("chg")
        pointer = entry.get("p")
        if not isinstance(pointer, str) or not (pointer == "" or pointer.startswith("/")):
            _refuse("chg.p")
        if not all(_is_hash(entry[key]) for key in ("oh", "nh") if key in entry):
            _refuse("chg.oh")
        if not all(_is_commitment(entry[key]) for key in ("oc", "nc") if key in entry):
            _refuse("chg.oc")
