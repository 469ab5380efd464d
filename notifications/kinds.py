"""The kinds of notices: what somebody is told of, and how they want to be told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from models.errors import InvalidInput


class Kind(StrEnum):
    """What a notice is about; the most pressing first, which is the order in which several are told as one."""

    TASK = "task"
    RETURN = "return"
    DELEGATED = "delegated"
    URGE = "urge"
    OVERDUE = "overdue"
    DUE = "due"
    APPROVED = "approved"
    PUBLISHED = "published"
    PASSED = "passed"
    COPIED = "copied"
    CHANNEL = "channel"
    CALENDAR = "calendar"
    TEST = "test"
    DIGEST = "digest"
    SEVERAL = "several"


class Mode(StrEnum):
    """How somebody wants to be told of a kind: by every channel at once, in one mail a day, or in the inbox only."""

    AT_ONCE = "at_once"
    DIGEST = "digest"
    OFF = "off"


KIND_TITLES: dict[Kind, str] = {
    Kind.TASK: "待办",
    Kind.RETURN: "退回",
    Kind.DELEGATED: "代理",
    Kind.URGE: "催办",
    Kind.OVERDUE: "逾期",
    Kind.DUE: "到期",
    Kind.APPROVED: "批复",
    Kind.PUBLISHED: "公开",
    Kind.PASSED: "通过",
    Kind.COPIED: "抄送",
    Kind.CHANNEL: "通道",
    Kind.CALENDAR: "日历",
    Kind.TEST: "测试",
    Kind.DIGEST: "汇总",
    Kind.SEVERAL: "多项",
}
MODE_TITLES: dict[Mode, str] = {Mode.AT_ONCE: "立即", Mode.DIGEST: "每日汇总", Mode.OFF: "只进收件箱"}

# What people choose a mode for: the others are made of these, or concern administrators.
CHOSEN = tuple(kind for kind in Kind if kind not in (Kind.CHANNEL, Kind.CALENDAR, Kind.TEST, Kind.DIGEST, Kind.SEVERAL))
# Whoever switched these off would not learn that somebody waits for them.
MANDATORY = frozenset({Kind.TASK, Kind.RETURN})
# Notices that ask somebody for something: once it is no longer their turn they say nothing any more.
OF_TURNS = frozenset({Kind.TASK, Kind.DELEGATED, Kind.URGE, Kind.DUE})
_USUAL: Mapping[Kind, Mode] = {Kind.PASSED: Mode.DIGEST}


def usual(kind: Kind) -> Mode:
    """The mode of a kind where nobody chose another."""
    return _USUAL.get(kind, Mode.AT_ONCE)


def mode_for(kind: Kind, chosen: Mapping[Kind, Mode]) -> Mode:
    """The mode of a kind for somebody who chose these; what must not be switched off never is, whatever is stored."""
    mode = chosen.get(kind, usual(kind))
    return Mode.AT_ONCE if mode is Mode.OFF and kind in MANDATORY else mode


def require_choice(kind: str, mode: str) -> tuple[Kind, Mode]:
    """A kind and a mode that may be chosen together; raises InvalidInput."""
    if kind not in CHOSEN:
        raise InvalidInput(
            f"没有种类“{kind}”；可以用 {'、'.join(f'{item}（{KIND_TITLES[item]}）' for item in CHOSEN)}。"
        )
    if mode not in tuple(Mode):
        raise InvalidInput(f"没有方式“{mode}”；可以用 {'、'.join(f'{item}（{MODE_TITLES[item]}）' for item in Mode)}。")
    if mode == Mode.OFF and kind in MANDATORY:
        raise InvalidInput(f"“{KIND_TITLES[Kind(kind)]}”不能关闭，可以改为每日汇总（digest）。")
    return Kind(kind), Mode(mode)
