"""Mail against a real SMTP server, and against ones that misbehave."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiosmtpd.smtp import AuthResult
from post_offices import Sink, smtp_server
from providers import raw_server, server_context

from notifications.channels.mail import Mail, MailSettings
from notifications.channels.protocol import Verdict
from notifications.kinds import Kind
from notifications.letters import Item, Letter


def letter(number=1, kind=Kind.TASK, **given):
    values = {
        "id": f"d{number}",
        "kind": kind,
        "items": (Item(kind, "t1", "甲"),),
        "subject": "待办：甲",
        "text": "轮到您办理。\n",
        "html": "<p>轮到您办理。</p>",
        "made_at": datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
        "address": "zhao@example.gov.cn",
    }
    return Letter(**{**values, **given})


def mail(port, **given):
    values = {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "jixiao@example.gov.cn", "timeout": 2.0}
    return Mail(MailSettings(**{**values, **given}))


@pytest.fixture
def sink():
    return Sink()


def sent(sink, *letters, server=None, **given):
    with smtp_server(sink, **(server or {})) as port:
        channel = mail(port, **given)
        outcomes = [channel.send(item) for item in letters]
        channel.close()
    return outcomes


def test_a_letter_has_text_and_html_and_the_headers_of_automatic_mail(sink):
    [outcome] = sent(sink, letter())
    assert outcome.verdict is Verdict.SENT
    [taken] = sink.letters
    assert str(taken["Subject"]) == "待办：甲"
    assert taken["To"] == "zhao@example.gov.cn"
    assert taken["Message-ID"] == "<d1@example.gov.cn>"
    assert taken["Auto-Submitted"] == "auto-generated"
    assert taken["Date"].startswith("Mon, 02 Mar 2026 09:00:00 +0800")
    assert taken["List-Unsubscribe"] is None
    assert taken.get_body(("plain",)).get_content().split() == ["轮到您办理。"]
    assert "<p>" in taken.get_body(("html",)).get_content()


def test_a_digest_says_how_to_unsubscribe(sink):
    sent(sink, letter(kind=Kind.DIGEST), unsubscribe="stop@example.gov.cn")
    assert sink.letters[0]["List-Unsubscribe"] == "<mailto:stop@example.gov.cn?subject=unsubscribe>"


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@example.org", "a\nX: y", "a\r\n\r\nbody", "\u2028Bcc: x\x85y\x0bz"])
def test_no_title_makes_a_header(sink, subject):
    [outcome] = sent(sink, letter(subject=subject))
    assert outcome.verdict is Verdict.SENT
    [taken] = sink.letters
    assert taken["Bcc"] is None
    assert taken["X"] is None
    assert sink.recipients == ["zhao@example.gov.cn"]
    assert taken.get_body(("plain",)).get_content().split() == ["轮到您办理。"]


@pytest.mark.parametrize(
    "address", ["a@example.org\r\nBcc: x@example.org", "a@example.org>\r\nRCPT TO:<x@y.org", "", "a"]
)
def test_no_address_makes_a_header_or_a_command(sink, address):
    [outcome] = sent(sink, letter(address=address))
    assert outcome.verdict is Verdict.NEVER
    assert sink.letters == []


def test_one_connection_carries_many_letters(sink):
    class Counting(Sink):
        connections = 0

        async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802 -- the library's name
            self.connections += 1
            session.host_name = hostname
            return responses

    counting = Counting()
    outcomes = sent(counting, *(letter(number) for number in range(150)))
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert counting.connections == 2


def test_an_unknown_recipient_is_never_tried_again_and_is_not_named(sink):
    first, second = sent(sink, letter(address="refused@example.org"), letter(2))
    assert first.verdict is Verdict.NEVER
    assert "550" in first.reason
    assert "refused" not in first.reason
    assert second.verdict is Verdict.SENT


@pytest.mark.parametrize(
    ("answer", "verdict", "fault"),
    [
        ("451 4.7.1 greylisted", Verdict.LATER, False),
        ("421 4.3.2 shutting down", Verdict.LATER, True),
        ("552 5.3.4 too big", Verdict.NEVER, False),
        ("530 5.7.0 authentication required", Verdict.OFF, False),
    ],
)
def test_answers_of_the_server_are_told_apart(sink, answer, verdict, fault):
    sink.answers = [answer]
    first, second = sent(sink, letter(), letter(2))
    assert (first.verdict, first.fault) == (verdict, fault)
    assert second.verdict is Verdict.SENT


def test_starttls_protects_the_way_and_nothing_is_sent_where_it_is_missing(sink, tmp_path):
    context, trusted = server_context(tmp_path, "localhost")
    given = {"host": "localhost", "tls": "starttls"}
    server = {"tls_context": context, "require_starttls": True}
    assert sent(sink, letter(), server=server, ca_file=str(trusted), **given)[0].verdict is Verdict.SENT
    untrusted = sent(sink, letter(2), server=server, **given)[0]
    stripped = sent(sink, letter(3), ca_file=str(trusted), **given)[0]
    assert untrusted.verdict is stripped.verdict is Verdict.LATER
    assert untrusted.fault
    assert stripped.fault
    assert len(sink.letters) == 1


@pytest.mark.parametrize(("password", "verdict"), [("right", Verdict.SENT), ("wrong", Verdict.OFF)])
def test_a_refused_password_switches_the_channel_off(sink, tmp_path, password, verdict):
    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)

    context, trusted = server_context(tmp_path, "localhost")
    server = {"authenticator": check, "auth_required": True, "tls_context": context, "require_starttls": True}
    given = {"host": "localhost", "tls": "starttls", "ca_file": str(trusted)}
    [outcome] = sent(sink, letter(), server=server, user="jixiao", password=password, **given)
    assert outcome.verdict is verdict
    assert password not in outcome.reason


def test_a_server_that_hung_up_between_letters_costs_no_letter(sink):
    with smtp_server(sink) as port:
        channel = mail(port)
        assert channel.send(letter()).verdict is Verdict.SENT
        assert channel._server is not None
        assert channel._server.sock is not None
        channel._server.sock.close()
        channel._server.sock = None
        outcome = channel.send(letter(2))
        channel.close()
    assert outcome.verdict is Verdict.SENT


@pytest.mark.parametrize("say", [b"", b"220 hello\r\n", b"HTTP/1.1 200 OK\r\n", b"\xff\xfe\x00"])
def test_a_server_that_says_something_else_is_a_fault(say):
    with raw_server(say) as port:
        outcome = mail(port).send(letter())
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)


def test_a_silent_server_is_given_up_on():
    with raw_server(b"", hold=True) as port:
        outcome = mail(port, timeout=0.3).send(letter())
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)
    assert "超时" in outcome.reason


def test_a_server_that_drips_is_given_up_on():
    with raw_server(b"220 " + b"x" * 400 + b"\r\n", drip=0.05, hold=True) as port:
        outcome = mail(port, timeout=0.3, whole=0.8).send(letter())
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)


def test_nobody_at_the_port_is_a_fault():
    with raw_server(b"") as port:
        pass
    outcome = mail(port).send(letter())
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)
