"""What administrators do with deliveries and channels: look, try again, test, switch on and off, preview templates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from application.accounts import require_role
from application.channels import MAIL, channel_names, link_of
from application.delivering import Carrier, is_off
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import Act
from models.base import timestamp
from models.engine import Work, transaction
from models.errors import Conflict, InvalidInput, NotFound
from models.messages import ChannelState, Contact, Delivery, DeliveryStatus
from models.people import Role
from models.prepared import Prepared, insert_into
from notifications import delivery
from notifications.kinds import KIND_TITLES, Kind
from notifications.letters import Item, Letter, Reason, from_body
from notifications.templates import Problem, environment, lint, write_letter

MOST = 500
STATUS_TITLES = {
    DeliveryStatus.WAITING: "等待",
    DeliveryStatus.SENT: "已送达",
    DeliveryStatus.DROPPED: "不再需要",
    DeliveryStatus.DEAD: "失败",
}
_AGAIN = Prepared(
    sa.update(Delivery)
    .where(Delivery.id == sa.bindparam("of_id"), Delivery.status == DeliveryStatus.DEAD.value)
    .values(
        status=DeliveryStatus.WAITING.value,
        attempts=0,
        due_at=sa.bindparam("moment"),
        finished_at=sa.null(),
        event_id=sa.null(),
    )
)
_SWITCH_ON = Prepared(sa.delete(ChannelState).where(ChannelState.name == sa.bindparam("of_name")))
_ADD_OFF = insert_into(ChannelState)


@use_case("delivery.list")
def list_deliveries(
    request: Request, *, channel: str | None = None, status: str | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Deliveries, newest first: everybody's for system administrators and auditors, else one's own. No addresses."""
    if status is not None and status not in tuple(DeliveryStatus):
        raise InvalidInput(f"没有状态“{status}”；可以用 {'、'.join(DeliveryStatus)}。")
    query = sa.select(Delivery).order_by(Delivery.id.desc()).limit(max(1, min(limit, MOST)))
    if not request.person.holds(Role.SYSTEM_ADMINISTRATOR, Role.AUDITOR):
        query = query.where(Delivery.account_id == request.person.account_id)
    if channel is not None:
        query = query.where(Delivery.channel == channel)
    if status is not None:
        query = query.where(Delivery.status == status)
    with transaction(request.installation.engine, read_only=True) as work:
        return [_shown(item) for item in work.session.scalars(query)]


@use_case("delivery.retry")
def retry(request: Request, ids: Sequence[str] = (), *, everything: bool = False) -> dict[str, Any]:
    """Tries dead deliveries again, with ten new attempts (system administrator): ``{retried}``.

    Raises InvalidInput, NotFound (of an id that is none), Conflict (of one that is not dead).
    """
    if bool(ids) == everything:
        raise InvalidInput("请写投递的编号，或用 --all 重试全部失败的投递（二者选一）。")
    request.installation.require_writable()
    obj = ("account", request.person.account_id)
    with (
        refusals_recorded(request, Act.NOTICE_RETRY, obj),
        transaction(request.installation.engine) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        if everything:
            dead = sa.select(Delivery.id).where(Delivery.status == DeliveryStatus.DEAD.value).limit(MOST)
            ids = list(work.session.scalars(dead))
        now = request.now()
        for item in ids:
            if work.run(_AGAIN, of_id=item, moment=now) != 1:
                _refuse_retry(work, item)
        event_id = None
        if ids:
            event_id = request.recorder.write(
                work,
                Act.NOTICE_RETRY,
                actor=request.person.account_id,
                role=role,
                obj=obj,
                now=now,
                details=[("/deliveries", None, list(ids))],
            ).event_id
    request.installation.settle(event_id)
    return {"retried": len(ids)}


@use_case("channel.list")
def list_channels(request: Request) -> list[dict[str, Any]]:
    """The channels: ``{name, kind, on, reason, waiting, dead}``; no addresses and no secrets."""
    settings = request.installation.settings
    kinds = {MAIL: MAIL} | {item.name: item.kind for item in settings.channels}
    counts = (
        sa.select(Delivery.channel, Delivery.status, sa.func.count())
        .where(Delivery.status.in_((DeliveryStatus.WAITING.value, DeliveryStatus.DEAD.value)))
        .group_by(Delivery.channel, Delivery.status)
    )
    with transaction(request.installation.engine, read_only=True) as work:
        found = {(channel, status): count for channel, status, count in work.connection.execute(counts)}
        return [
            {
                "name": name,
                "kind": kinds[name],
                "on": (reason := is_off(work, name)) is None,
                "reason": reason,
                "waiting": found.get((name, DeliveryStatus.WAITING.value), 0),
                "dead": found.get((name, DeliveryStatus.DEAD.value), 0),
            }
            for name in channel_names(settings)
        ]


@use_case("channel.switch")
def switch(request: Request, name: str, *, on: bool, reason: str) -> dict[str, Any]:
    """Switches a channel on or off (system administrator); what it has to deliver waits while it is off.

    Raises NotFound, Conflict (it is so already), InvalidInput (no reason).
    """
    words = typed(reason)
    if not words:
        raise InvalidInput("请用 --reason 写明理由，例如 令牌已更换。")
    if name not in channel_names(request.installation.settings):
        raise NotFound(f"没有名为“{name}”的通道；请用 jixiao notify channels 查看。", channel=name)
    request.installation.require_writable()
    with (
        refusals_recorded(request, Act.CHANNEL_CHANGE, ("channel", name)),
        transaction(request.installation.engine) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        now = request.now()
        if (is_off(work, name) is None) == on:
            raise Conflict(f"通道“{name}”本来就是{'启用' if on else '停用'}的。")
        if on:
            work.run(_SWITCH_ON, of_name=name)
        else:
            work.run(_ADD_OFF, name=name, off_at=now, reason=words)
        recorded = request.recorder.write(
            work,
            Act.CHANNEL_CHANGE,
            actor=request.person.account_id,
            role=role,
            obj=("channel", name),
            now=now,
            why=words,
            details=[("/on", not on, on)],
        )
    request.installation.settle(recorded.event_id)
    return {"name": name, "on": on}


@use_case("channel.test")
def send_test(request: Request, name: str) -> dict[str, Any]:
    """Sends a test message (system administrator): to one's own address, or to the robot's group: ``{delivery, status, reason}``.

    It goes through the queue like every other, and what is due of the channel goes with it. Raises NotFound, Conflict where the
    channel is switched off, InvalidInput without an address.
    """
    if name not in channel_names(request.installation.settings):
        raise NotFound(f"没有名为“{name}”的通道；请用 jixiao notify channels 查看。", channel=name)
    request.installation.require_writable()
    me = request.person.account_id
    with (
        refusals_recorded(request, Act.NOTICE_TEST, ("channel", name)),
        transaction(request.installation.engine) as work,
    ):
        role = require_role(work, request, Role.SYSTEM_ADMINISTRATOR)
        reason = is_off(work, name)
        if reason is not None:
            raise Conflict(f"通道“{name}”已停用（{reason}）；请先用 jixiao notify channels --on {name} 启用。")
        if name == MAIL and work.session.get(Contact, me) is None:
            raise InvalidInput("您没有登记邮箱；请先运行 jixiao notify address 邮箱。")
        now = request.now()
        recorded = request.recorder.write(
            work, Act.NOTICE_TEST, actor=me, role=role, obj=("channel", name), now=now, details=[("/test", None, True)]
        )
        made = delivery.add(
            work,
            name,
            [Item(Kind.TEST, remark="测试消息")],
            key=f"test:{recorded.event_id}",
            account_id=me if name == MAIL else None,
            due_at=now,
            now=now,
        )
    carrier = Carrier(request.installation, name)
    try:
        carrier.run_once()
    finally:
        carrier.close()
    request.installation.settle(recorded.event_id)
    with transaction(request.installation.engine, read_only=True) as work:
        found = work.session.get_one(Delivery, made)
        return {"delivery": found.id, "status": found.status, "reason": found.reason}


def preview(request: Request, kind: str) -> tuple[Letter, list[Problem]]:
    """A letter of a kind with examples in it, and what is wrong with the templates; raises InvalidInput."""
    settings = request.installation.settings
    problems = check_templates(settings.templates)
    if kind not in tuple(Kind):
        known = "、".join(f"{item}（{KIND_TITLES[item]}）" for item in Kind)
        raise InvalidInput(f"没有种类“{kind}”；可以用 {known}。")
    chosen = Kind(kind)
    item = Item(
        Kind.TASK if chosen in (Kind.DIGEST, Kind.SEVERAL) else chosen,
        text="01900000-0000-7000-8000-000000000000",
        title="某某部门 2026 年部门预算绩效文本",
        state="初审",
        due="2026-03-16",
        left="还有 3 个工作日",
        step=1,
        remark="示例",
    )
    several = chosen in (Kind.DIGEST, Kind.SEVERAL)
    letter = write_letter(
        environment(settings.templates),
        letter_id="preview",
        items=[item, Item(Kind.PASSED, text=item.text, title=item.title, state="复审")] if several else [item],
        made_at=request.now(),
        link=link_of(settings),
        reasons=[Reason("必改", "项目一 成本指标 符号", "没有写符号，看不出是上限", "补写“≤”")],
        kind=chosen,
    )
    return letter, problems


def check_templates(folder: Path | None) -> list[Problem]:
    """What is wrong with the templates; raises InvalidInput where their folder is missing."""
    if folder is not None and not folder.is_dir():
        raise InvalidInput(f"没有模板文件夹 {folder}；请检查 settings.toml 的 templates。")
    return lint(folder)


def _refuse_retry(work: Work, delivery_id: str) -> None:
    found = work.session.get(Delivery, delivery_id)
    if found is None:
        raise NotFound(f"没有编号为“{delivery_id}”的投递；请用 jixiao notify dead 查看。")
    raise Conflict(f"这项投递现在是“{STATUS_TITLES[DeliveryStatus(found.status)]}”，只有失败的可以重试。")


def _shown(item: Delivery) -> dict[str, Any]:
    first = from_body(item.body)[0]
    return {
        "delivery": item.id,
        "channel": item.channel,
        "kind": item.kind,
        "kind_title": KIND_TITLES[Kind(item.kind)],
        "account": item.account_id,
        "text": item.text_id,
        "title": first.title or first.remark,
        "status": item.status,
        "status_title": STATUS_TITLES[DeliveryStatus(item.status)],
        "attempts": item.attempts,
        "due": timestamp(item.due_at),
        "reason": item.reason,
        "at": timestamp(item.created_at),
        "finished": None if item.finished_at is None else timestamp(item.finished_at),
    }
