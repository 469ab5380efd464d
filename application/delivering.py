"""Handing letters over: what is due of a channel is claimed, written, sent, and settled one by one; results go to the log."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import jinja2
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from application.audiences import Audience
from application.channels import link_of, make_channel
from application.installation import Installation, new_request_id
from application.returned import reasons_of
from application.telling import administrators, record_told, teller_of
from audit.acts import Act
from audit.events import Via
from models.base import timestamp
from models.engine import Work, transaction
from models.errors import InvalidInput, JixiaoError
from models.ids import new_id
from models.messages import ChannelState, Contact, DeliveryStatus
from models.people import Account
from models.prepared import Prepared
from notifications import delivery
from notifications.breaking import Breaker
from notifications.channels.protocol import Channel, Outcome, Verdict
from notifications.kinds import OF_TURNS, Kind
from notifications.letters import Item, Letter, Reason
from notifications.templates import environment, write_letter

# How many letters are claimed at once; each is settled by itself.
BATCH = 20
# How many results one event of the log tells.
_REPORT = 100
# A letter that leaves within this time of its making need not be asked whether it still says something.
_FRESH = timedelta(minutes=1)
_OFF = Prepared(sa.select(ChannelState.reason).where(ChannelState.name == sa.bindparam("of_name")))
_SWITCH = ("name", "off_at", "reason")
_SWITCH_OFF = {
    "postgresql": Prepared(postgresql.insert(ChannelState).on_conflict_do_nothing(), _SWITCH),
    "sqlite": Prepared(sqlite.insert(ChannelState).on_conflict_do_nothing(), _SWITCH),
}
_RECIPIENT = Prepared(
    sa.select(Account.disabled_at, Contact.address)
    .join_from(Account, Contact, Contact.account_id == Account.id, isouter=True)
    .where(Account.id == sa.bindparam("of_account"))
)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A claimed delivery with its letter, or with the reason why none is sent."""

    claimed: delivery.Claimed
    letter: Letter | None = None
    dropped: str = ""
    failed: str = ""


class Carrier:
    """Delivers one channel in one thread; ``random`` gives the jitter."""

    def __init__(
        self,
        installation: Installation,
        name: str,
        *,
        make: Callable[[], Channel] | None = None,
        breaker: Breaker | None = None,
        random: Random | None = None,
    ) -> None:
        self.name = name
        self._installation = installation
        self._make = make or (lambda: make_channel(installation.settings, name))
        self._breaker = breaker or Breaker(name)
        self._random = random or Random()  # noqa: S311 -- jitter, no secret
        self._channel: Channel | None = None
        self._lease_seconds = installation.settings.lease_seconds

    def run_once(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Delivers what is due now, at most one batch; how many deliveries that were.

        Raises InvalidInput where the channel's settings or secrets can't be used; nothing is claimed then.
        """
        if self._breaker.resting:
            return 0
        engine = self._installation.engine
        with transaction(engine, read_only=True) as work:
            now = self._installation.clock()
            if work.one(_OFF, of_name=self.name) is not None or not delivery.anything_due(work, self.name, now):
                return 0
        if self._channel is None:
            self._channel = self._make()
        # After faults one letter is tried before the others are taken from the queue.
        most = 1 if self._breaker.tripped else BATCH
        started = time.monotonic()
        with transaction(engine) as work:
            claimed = delivery.claim(
                work,
                self.name,
                most=most,
                lease=uuid.uuid4().hex,
                now=self._installation.clock(),
                seconds=self._lease_seconds,
            )
        try:
            self._deliver(self._channel, claimed, started, stopped)
        finally:
            report(self._installation)
        return len(claimed)

    def close(self) -> None:
        """Gives the channel's connections back."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _deliver(
        self, channel: Channel, claimed: list[delivery.Claimed], started: float, stopped: Callable[[], bool]
    ) -> None:
        with transaction(self._installation.engine, read_only=True) as work:
            ready = [self._ready(work, channel, item) for item in claimed]
        for number, item in enumerate(ready):
            # Half of the lease is for the letter that is just being sent, however slow the provider is.
            late = time.monotonic() - started > self._lease_seconds / 2
            if stopped() or late or (number and self._breaker.tripped):
                self._give_back(ready[number:])
                return
            outcome = self._outcome(channel, item)
            if outcome is None:
                self._drop(item)
                continue
            with transaction(self._installation.engine, durable=False) as work:
                now = self._installation.clock()
                status = delivery.settle(work, item.claimed, outcome, now=now, random=self._random)
            self._note(item, outcome, status)
            if outcome.verdict is Verdict.OFF:
                switch_off(self._installation, self.name, outcome.reason)
                self._give_back(ready[number + 1 :])
                return

    def _outcome(self, channel: Channel, item: _Ready) -> Outcome | None:
        if item.dropped:
            return None
        if item.letter is None:
            return Outcome(Verdict.NEVER, item.failed)
        letter = item.letter
        return self._breaker.call(lambda: channel.send(letter))

    def _ready(self, work: Work, channel: Channel, claimed: delivery.Claimed) -> _Ready:
        address = ""
        if claimed.account_id is not None and channel.personal:
            row = work.one(_RECIPIENT, of_account=claimed.account_id)
            if row is None or row[0] is not None:
                return _Ready(claimed, dropped="账号已停用")
            if row[1] is None:
                return _Ready(claimed, dropped="没有登记邮箱")
            address = row[1]
        items = self._pending(work, claimed)
        if not items:
            return _Ready(claimed, dropped="任务已经办结或转给别人")
        try:
            letter = _written(self._installation, work, claimed, items, address)
        except JixiaoError as error:
            return _Ready(claimed, failed=error.message)
        return _Ready(claimed, letter=letter)

    def _pending(self, work: Work, claimed: delivery.Claimed) -> tuple[Item, ...]:
        """The items that still say something: after a night or a failure the task may be done."""
        now = self._installation.clock()
        if claimed.account_id is None or now - _made_at(claimed.id) < _FRESH:
            return claimed.items
        audience = Audience(work, now)
        return tuple(
            item
            for item in claimed.items
            if item.kind not in OF_TURNS or not item.text or audience.is_theirs(claimed.account_id, item.text)
        )

    def _drop(self, item: _Ready) -> None:
        with transaction(self._installation.engine, durable=False) as work:
            delivery.drop(work, item.claimed, item.dropped, self._installation.clock())

    def _give_back(self, items: list[_Ready]) -> None:
        if items:
            with transaction(self._installation.engine, durable=False) as work:
                for item in items:
                    delivery.give_back(work, item.claimed, self._installation.clock())

    def _note(self, item: _Ready, outcome: Outcome, status: DeliveryStatus) -> None:
        if outcome.verdict is Verdict.SENT:
            return
        structlog.get_logger("jixiao").warning(
            "delivery",
            channel=self.name,
            delivery=item.claimed.id,
            attempt=item.claimed.attempts,
            outcome=str(status),
            reason=outcome.reason,
        )


def report(installation: Installation) -> int:
    """Writes to the log what became of deliveries of which it does not tell yet: one event for up to a hundred."""
    with transaction(installation.engine, read_only=True) as work:
        if not delivery.unreported(work, 1):
            return 0
    installation.require_writable()
    with transaction(installation.engine) as work:
        results = delivery.unreported(work, _REPORT)
        if not results:
            return 0
        now = installation.clock()
        recorder = installation.recorder(new_request_id(), Via.WORKER)
        recorded = recorder.write(
            work,
            Act.NOTICE_DELIVER,
            actor="-",
            role="-",
            obj=("deliveries", new_id(now)),
            now=now,
            details=[("/delivered", None, [_told(item) for item in results])],
        )
        delivery.mark_reported(work, [item.id for item in results], recorded.event_id)
    return len(results)


def switch_off(installation: Installation, name: str, reason: str) -> None:
    """Switches a channel off and tells the system administrators in their inboxes; what it has to deliver waits."""
    installation.require_writable()
    with transaction(installation.engine) as work:
        now = installation.clock()
        count = work.run(_SWITCH_OFF[work.dialect.name], name=name, off_at=now, reason=reason)
        if count != 1:
            return  # another worker was refused at the same time
        recorder = installation.recorder(new_request_id(), Via.WORKER)
        recorder.write(
            work,
            Act.CHANNEL_CHANGE,
            actor="-",
            role="-",
            obj=("channel", name),
            now=now,
            why=reason,
            details=[("/on", True, False)],
        )
        teller = teller_of(installation, work)
        for account_id in administrators(work):
            item = Item(Kind.CHANNEL, remark=f"{name}，{reason}")
            teller.person(account_id, item, key=f"channel:{name}:{timestamp(now)}")
        record_told(installation, teller)
    structlog.get_logger("jixiao").error("channel", channel=name, outcome="off", reason=reason)


def is_off(work: Work, name: str) -> str | None:
    """Why a channel is switched off; None while it is on."""
    row = work.one(_OFF, of_name=name)
    return None if row is None else str(row[0])


def _written(
    installation: Installation, work: Work, claimed: delivery.Claimed, items: tuple[Item, ...], address: str
) -> Letter:
    settings = installation.settings
    reasons: list[Reason] = []
    if address and settings.mail is not None and settings.mail.reasons:
        returned = next((item for item in items if item.kind is Kind.RETURN), None)
        reasons = reasons_of(work, returned.text, returned.step) if returned is not None else []
    return write_letter(
        _environment(installation),
        letter_id=claimed.id,
        items=items,
        made_at=installation.clock(),
        link=link_of(settings),
        address=address,
        reasons=reasons,
        kind=Kind.DIGEST if claimed.kind == Kind.DIGEST else None,
    )


def _environment(installation: Installation) -> jinja2.Environment:
    folder = installation.settings.templates
    if folder is not None and not folder.is_dir():
        raise InvalidInput(f"没有模板文件夹 {folder}；请检查 settings.toml 的 templates。")
    return environment(folder)


def _told(result: delivery.Result) -> dict[str, Any]:
    """A result as the log tells of it: ids and words of ours, no address."""
    said = {
        "delivery": result.id,
        "channel": result.channel,
        "account": result.account_id,
        "text": result.text_id,
        "kind": result.kind,
        "status": result.status,
        "attempts": result.attempts,
        "at": timestamp(result.finished_at),
        "reason": result.reason,
    }
    return {key: value for key, value in said.items() if value not in (None, "")}


def _made_at(delivery_id: str) -> datetime:
    """When a delivery was made, by its UUIDv7 (RFC 9562 section 5.7)."""
    return datetime.fromtimestamp((uuid.UUID(delivery_id).int >> 80) / 1000, UTC)
