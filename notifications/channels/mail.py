"""Mail by SMTP (RFC 5321), with STARTTLS (RFC 3207) unless the server is reached by TLS or is on this machine."""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from typing import Literal

from models.base import SHANGHAI
from models.errors import InvalidInput
from notifications.channels.limits import within
from notifications.channels.protocol import SENT, Outcome, Verdict
from notifications.kinds import Kind
from notifications.letters import Letter, one_line

# A connection is used for many letters, since most of the time of a letter is its handshake; servers limit both.
_MOST_LETTERS = 100
_IDLE_SECONDS = 20.0
# Refusals of the account rather than of the letter (RFC 4954 section 6).
_REFUSED_LOGIN = frozenset({530, 534, 535, 538})
# A mailbox of RFC 5321 without quoting and without other alphabets, which not every server takes.
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server, how the way to it is protected, and the sender's address. Seconds: ``timeout``
    bounds each wait, ``whole`` all that one letter takes.
    """

    host: str
    port: int = 25
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""
    unsubscribe: str = ""
    timeout: float = 20.0
    whole: float = 60.0
    ca_file: str | None = None


def check_address(address: str) -> str:
    """A mail address as it may stand in a header; raises InvalidInput."""
    if len(address) > 254 or _ADDRESS.fullmatch(address) is None or ".." in address or address.split("@")[0][0] == ".":
        raise InvalidInput("邮箱地址无法识别；应如 name@example.gov.cn，只用英文字母、数字和常见符号。")
    return address


class Mail:
    """The mail channel of one thread; the connection is kept between letters."""

    name = "mail"
    personal = True

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._sent = 0
        self._used = 0.0

    def send(self, letter: Letter) -> Outcome:
        """Sends to the letter's address."""
        try:
            message = self._message(letter)
        except (ValueError, InvalidInput):
            return Outcome(Verdict.NEVER, "收件地址或邮件标题无法写进邮件")
        try:
            sent = within(self._settings.whole, lambda: self._hand_over(message, letter.address))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            outcome = _judged(error)
            if outcome.fault or outcome.verdict is Verdict.OFF:
                self.close()
            return outcome
        if sent is None:
            # Its thread may still hold the connection, and ends with it.
            self.close()
            return Outcome(Verdict.LATER, f"邮件服务器 {self._settings.whole:.0f} 秒内没有收完一封邮件", fault=True)
        self._sent += 1
        self._used = time.monotonic()
        return SENT

    def _hand_over(self, message: EmailMessage, address: str) -> bool:
        kept = self._server is not None
        server = self._connected()
        try:
            server.send_message(message, self._settings.sender, [address])
        except smtplib.SMTPServerDisconnected:
            # A kept connection may have been ended by the server meanwhile, before anything was said on it.
            if not kept or self._server is None or server.sock is not None:
                raise
            self.close()
            self._connected().send_message(message, self._settings.sender, [address])
        return True

    def close(self) -> None:
        """Ends the connection."""
        server, self._server = self._server, None
        if server is not None:
            # Not QUIT: whoever has just timed out would be waited for once more.
            server.close()

    def _connected(self) -> smtplib.SMTP:
        idle = time.monotonic() - self._used
        if self._server is not None and (self._sent >= _MOST_LETTERS or idle > _IDLE_SECONDS):
            self.close()
        if self._server is None:
            self._server = self._opened()
            self._sent, self._used = 0, time.monotonic()
        return self._server

    def _opened(self) -> smtplib.SMTP:
        given = self._settings
        context = ssl.create_default_context(cafile=given.ca_file)
        server: smtplib.SMTP
        if given.tls == "tls":
            server = smtplib.SMTP_SSL(given.host, given.port, timeout=given.timeout, context=context)
        else:
            server = smtplib.SMTP(given.host, given.port, timeout=given.timeout)
        try:
            if given.tls == "starttls":
                # Without it nothing is sent: a way that was stripped of its protection is no way.
                server.starttls(context=context)
            if given.user:
                server.login(given.user, given.password)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=MAIL_POLICY)
        domain = self._settings.sender.rpartition("@")[2]
        message["Subject"] = one_line(letter.subject)
        message["From"] = self._settings.sender
        message["To"] = check_address(letter.address)
        message["Date"] = format_datetime(letter.made_at.astimezone(SHANGHAI))
        # The same at every attempt, so that a mailbox knows a letter that came twice.
        message["Message-ID"] = f"<{letter.id}@{domain}>"
        # Out-of-office answers and mailing lists leave such mail alone (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        if letter.kind is Kind.DIGEST:
            to = self._settings.unsubscribe or self._settings.sender
            message["List-Unsubscribe"] = f"<mailto:{to}?subject=unsubscribe>"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message


def _judged(error: Exception) -> Outcome:
    """What an error means; the words are ours, since servers repeat addresses in theirs."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, _ = next(iter(error.recipients.values()))
        return _by_code(code, "收件地址")
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code in _REFUSED_LOGIN:
        return Outcome(Verdict.OFF, f"邮件服务器不接受用户名或口令（{error.smtp_code}）")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Outcome(Verdict.LATER, "邮件服务器不支持 STARTTLS 或登录，没有发送", fault=True)
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code in _REFUSED_LOGIN:
            return Outcome(Verdict.OFF, f"邮件服务器要求登录，或不接受这个账号（{error.smtp_code}）")
        return _by_code(error.smtp_code, "邮件")
    if isinstance(error, ssl.SSLError):
        return Outcome(Verdict.LATER, f"与邮件服务器的加密连接失败（{error.reason or 'TLS'}）", fault=True)
    # smtplib tells of a time-out as of a connection that was closed.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return Outcome(Verdict.LATER, "邮件服务器应答超时", fault=True)
    return Outcome(Verdict.LATER, f"连不上邮件服务器，或连接中断（{type(error).__name__}）", fault=True)


def _by_code(code: int, what: str) -> Outcome:
    # 421 closes the connection; other 4xx ask to come back, 5xx refuse for good (RFC 5321 section 4.2.1).
    if 500 <= code < 600:
        return Outcome(Verdict.NEVER, f"邮件服务器拒收{what}（{code}）")
    return Outcome(Verdict.LATER, f"邮件服务器暂不接受{what}（{code}）", fault=code in (-1, 421))
