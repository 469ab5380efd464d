"""What is told: items (number, title, state, link), and a letter made of one or several of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import orjson

from notifications.kinds import KIND_TITLES, Kind

# Longer than any title that a form has room for; what is pushed to a screen must not be endless.
_LONGEST = 120
# How many items of a merged letter are told one by one.
MOST_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that somebody is told: what of, the text's number, title and state, the last day in time.

    ``step`` is the number of the step that it tells of (0: of none); ``remark`` is a sentence of ours, never a user's words.
    """

    kind: Kind
    text: str = ""
    title: str = ""
    state: str = ""
    due: str = ""
    left: str = ""
    step: int = 0
    remark: str = ""

    @property
    def kind_title(self) -> str:
        """The kind in Chinese."""
        return KIND_TITLES[self.kind]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a text came back at one place: where, what is wrong, what is wanted."""

    kind: str
    place: str
    problem: str
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as a channel gets it. ``id`` is the delivery's: the same at every attempt, so that receivers know a repeat."""

    id: str
    kind: Kind
    items: tuple[Item, ...]
    subject: str
    text: str
    html: str
    made_at: datetime
    address: str = ""


def to_body(items: Iterable[Item]) -> str:
    """Items as they are stored: a JSON list of objects without their empty members."""
    return orjson.dumps([{key: value for key, value in asdict(item).items() if value} for item in items]).decode()


def from_body(body: str) -> tuple[Item, ...]:
    """Items of what ``to_body`` wrote."""
    known = {field.name for field in fields(Item)}
    return tuple(
        Item(**{**{key: value for key, value in given.items() if key in known}, "kind": Kind(given["kind"])})
        for given in orjson.loads(body)
    )


def chief(items: Sequence[Item]) -> Kind:
    """The most pressing kind among items."""
    order = list(Kind)
    return min((item.kind for item in items), key=order.index)


def merged(items: Sequence[Item]) -> tuple[Item, ...]:
    """Several events of one text as they are told together: the newest of each kind, the most pressing first."""
    newest = {(item.text, item.kind): item for item in items}
    order = list(Kind)
    return tuple(sorted(newest.values(), key=lambda item: order.index(item.kind))[:MOST_ITEMS])


def one_line(words: str, longest: int = _LONGEST) -> str:
    """Words for a subject or a robot: one line, without characters that nobody sees, cut where they are too long.

    Titles come from files: a line break in one would be a header of a mail.
    """
    kept = "".join(" " if unicodedata.category(mark)[0] in "CZ" else mark for mark in words)
    plain = " ".join(kept.split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def push_lines(letter: Letter, link: Any) -> list[str]:
    """What robots and web hooks may say of a letter: number, title, state and link of each item, and nothing else.

    ``link`` gives the address of a text's page by its number, or an empty string.
    """
    lines = []
    for item in letter.items:
        head = f"【{item.kind_title}】{one_line(item.title) or item.remark}"
        lines.append(head + (f"（{item.state}）" if item.state else ""))
        if item.text:
            lines.append(f"编号 {item.text}" + (f"，期限 {item.due}" if item.due else ""))
            address = link(item.text)
            lines += [address] if address else []
    return lines
