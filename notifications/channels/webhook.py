"""Web hooks: Standard Webhooks headers, one signature per key (two while keys are changed), and a CloudEvents 1.0 body."""

from __future__ import annotations

import binascii
import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from models.base import timestamp
from models.errors import InvalidInput
from notifications.channels.addresses import NONE_ALLOWED, AllowList, Resolver, look_up
from notifications.channels.exchange import WHOLE, Target, by_status, post
from notifications.channels.protocol import SENT, Outcome
from notifications.channels.robots import Link
from notifications.letters import Letter, one_line

_PREFIX = "whsec_"
# The specification asks for keys of 24 to 64 bytes.
_KEY_BYTES = (24, 64)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """A web hook: its name, its address, the keys that sign (the newest first), and where it may lead."""

    name: str
    url: str
    keys: tuple[str, ...]
    source: str = "jixiao"
    allowed: AllowList = NONE_ALLOWED
    resolve: Resolver = look_up
    ca_file: str | None = None
    whole: float = WHOLE


def parse_key(text: str) -> bytes:
    """The bytes of ``whsec_…`` (base64); raises InvalidInput."""
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or not _KEY_BYTES[0] <= len(key) <= _KEY_BYTES[1]:
        raise InvalidInput("webhook 密钥应为 whsec_ 加 24 至 64 字节的 base64；请检查密钥文件。")
    return key


def signatures(keys: Sequence[bytes], message_id: str, seconds: int, body: bytes) -> str:
    """The header ``webhook-signature``: one ``v1,…`` for each key, separated by blanks."""
    said = f"{message_id}.{seconds}.".encode() + body
    return " ".join("v1," + b64encode(hmac.new(key, said, sha256).digest()).decode() for key in keys)


def cloud_event(letter: Letter, source: str, link: Link) -> dict[str, Any]:
    """A letter as a CloudEvents 1.0 object (structured mode): number, title, state and link of each item, and no more."""
    first = letter.items[0]
    items = [
        {
            key: value
            for key, value in (
                ("kind", str(item.kind)),
                ("text", item.text),
                ("title", one_line(item.title)),
                ("state", item.state),
                ("due", item.due),
                ("link", link(item.text) if item.text else ""),
            )
            if value
        }
        for item in letter.items
    ]
    return {
        "specversion": "1.0",
        "id": letter.id,
        "source": source,
        "type": f"jixiao.notice.{letter.kind}",
        **({"subject": first.text} if first.text else {}),
        "time": timestamp(letter.made_at),
        "datacontenttype": "application/json",
        "data": {"items": items},
    }


class Webhook:
    """One web hook."""

    personal = False

    def __init__(self, settings: WebhookSettings, link: Link, *, seconds: Callable[[], float] = time.time) -> None:
        self.name = settings.name
        self._settings, self._link, self._seconds = settings, link, seconds
        self._keys = [parse_key(key) for key in settings.keys]

    def send(self, letter: Letter) -> Outcome:
        """Posts the event; any 2xx means that it was taken."""
        given = self._settings
        body, now = orjson.dumps(cloud_event(letter, given.source, self._link)), int(self._seconds())
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": letter.id,
            "webhook-timestamp": str(now),
            "webhook-signature": signatures(self._keys, letter.id, now, body),
        }
        target = Target(given.url, judged=True, allowed=given.allowed, resolve=given.resolve, ca_file=given.ca_file)
        answer = post(target, body, headers, whole=given.whole)
        if isinstance(answer, Outcome):
            return answer
        return by_status(answer) or SENT

    def close(self) -> None:
        """Nothing is kept open."""
