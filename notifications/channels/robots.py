"""Group robots: what WeCom, DingTalk and Feishu have in common. Each answers HTTP 200 whatever happened; the body decides."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import orjson

from notifications.channels.exchange import WHOLE, Answer, Target, by_status, post
from notifications.channels.protocol import SENT, Outcome, Verdict
from notifications.letters import Letter, push_lines

Link = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class RobotSettings:
    """A robot: its name in settings, its address (a secret, since the token stands in it), and the key that it signs with."""

    name: str
    url: str
    secret: str = ""
    ca_file: str | None = None
    whole: float = WHOLE


@dataclass(frozen=True, slots=True)
class Codes:
    """How a provider says things: the member of the answer with the code, limits of the rate, and refused tokens."""

    member: str
    busy: Collection[int]
    refused: Collection[int]
    pause: float = 60.0


def words(letter: Letter, link: Link) -> str:
    """What is said to a group: number, title, state, link."""
    return "\n".join(push_lines(letter, link))


def deliver(settings: RobotSettings, url: str, message: dict[str, Any], codes: Codes) -> Outcome:
    """Posts a message to a robot and reads its answer."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = post(Target(url, ca_file=settings.ca_file), orjson.dumps(message), headers, whole=settings.whole)
    if isinstance(answer, Outcome):
        return answer
    return by_status(answer) or judge(answer, codes)


def judge(answer: Answer, codes: Codes) -> Outcome:
    """What the body of an answer says; an answer that is none (a login page, half a JSON) is a fault."""
    try:
        said = orjson.loads(answer.body)
        code = int(said[codes.member])
    except (ValueError, KeyError, TypeError):
        return Outcome(Verdict.LATER, "机器人的应答无法识别，不能确认已经送达", fault=True)
    if code == 0:
        return SENT
    if code in codes.refused:
        return Outcome(Verdict.OFF, f"机器人不接受令牌、签名或来源（{code}）")
    if code in codes.busy:
        return Outcome(Verdict.LATER, f"机器人限制发送频率（{code}）", after=answer.after or codes.pause)
    return Outcome(Verdict.LATER, f"机器人没有接受消息（{code}）")
