"""An office whose people have mail addresses, a real SMTP server on this machine, and clocks that tests set."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from random import Random
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from offices import Office

from application.delivering import Carrier
from application.installation import Installation, Request
from application.notifying import set_contact
from application.settings import MailSetting, Settings
from application.telling import tell_waiting
from models.people import Role


class Sink:
    """What a mail server took; ``answers`` are given, one a letter, before it takes any: ``451 busy`` and the like."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: list[str] = []
        self._lock = threading.Lock()

    async def handle_RCPT(  # noqa: N802 -- the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- as above
        with self._lock:
            if self.answers:
                return self.answers.pop(0)
            assert isinstance(envelope.content, bytes)
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.letters.append(message)
            self.recipients += envelope.rcpt_tos
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        return [str(letter["Subject"]) for letter in self.letters]


@contextmanager
def smtp_server(handler: Any, **given: Any) -> Iterator[int]:
    """A running SMTP server; its port."""
    # The library wakes its server through the port that it was given, so that 0 won't do.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, **given)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def with_settings(installation: Installation, **given: Any) -> Installation:
    """The same installation with other settings."""
    return dataclasses.replace(installation, settings=Settings(**{**installation.settings.model_dump(), **given}))


def mail_to(port: int, **given: Any) -> MailSetting:
    return MailSetting(host="127.0.0.1", port=port, tls="none", sender="jixiao@example.gov.cn", **given)


@dataclasses.dataclass
class PostOffice:
    """An office with a mail server."""

    office: Office
    installation: Installation
    sink: Sink

    @property
    def engine(self) -> Any:
        return self.installation.engine

    def give_address(self, who: Request, name: str) -> None:
        set_contact(who, f"{name}@example.gov.cn")

    def everybody_has_an_address(self) -> None:
        for role, who in self.office.people.items():
            self.give_address(who, str(role).replace("_", "-"))

    def tell(self) -> int:
        count, new = 0, 1
        while new:
            new, _ = tell_waiting(self.installation)
            count += new
        return count

    def deliver(self, channel: str = "mail", **given: Any) -> int:
        carrier = Carrier(self.installation, channel, random=Random(1), **given)
        count = 0
        try:
            while done := carrier.run_once():
                count += done
        finally:
            carrier.close()
        return count

    def set_clock(self, moment: datetime) -> None:
        self.office.clock.moment = moment

    def pass_time(self, **given: float) -> None:
        self.office.clock.moment += timedelta(**given)

    def inbox(self, role: Role) -> list[dict[str, Any]]:
        from application.notifying import inbox

        return inbox(self.office.people[role], limit=500)
