"""Robots against servers that answer as the providers do: HTTP 200 says nothing, the body decides."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from providers import provider, raw_server

from notifications.channels.dingtalk import DingTalk
from notifications.channels.exchange import Answer
from notifications.channels.feishu import Feishu
from notifications.channels.protocol import Verdict
from notifications.channels.robots import RobotSettings, judge
from notifications.channels.wecom import CODES, WeCom
from notifications.kinds import Kind
from notifications.letters import Item, Letter

LETTER = Letter(
    "d1",
    Kind.TASK,
    (Item(Kind.TASK, "t1", "甲部门预算绩效文本", "初审", due="2026-03-09", remark="内部的话"),),
    "s",
    "全文",
    "<p>全文</p>",
    datetime(2026, 3, 2, tzinfo=UTC),
)
LINK = "https://x.example/t1"
MAKERS = {"wecom": WeCom, "dingtalk": DingTalk, "feishu": Feishu}
OK = {"wecom": {"errcode": 0, "errmsg": "ok"}, "dingtalk": {"errcode": 0}, "feishu": {"code": 0, "data": {}}}


def robot(kind, url, **given):
    return MAKERS[kind](RobotSettings("group", url, **given), lambda _: LINK)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_message_that_was_taken_says_number_title_state_and_link(kind):
    with provider() as server:
        server.answer(200, OK[kind])
        assert robot(kind, server.url).send(LETTER).verdict is Verdict.SENT
    body = orjson.loads(server.taken[0].body)
    said = body["content"]["text"] if kind == "feishu" else body["text"]["content"]
    assert said == f"【待办】甲部门预算绩效文本（初审）\n编号 t1，期限 2026-03-09\n{LINK}"


@pytest.mark.parametrize(
    ("kind", "answer", "verdict", "after"),
    [
        ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, Verdict.LATER, 60.0),
        ("wecom", {"errcode": -1, "errmsg": "system busy"}, Verdict.LATER, 60.0),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, Verdict.OFF, None),
        ("wecom", {"errcode": 40058, "errmsg": "invalid"}, Verdict.LATER, None),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, Verdict.LATER, 600.0),
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}, Verdict.OFF, None),
        ("dingtalk", {"errcode": 300005, "errmsg": "token is not exist"}, Verdict.OFF, None),
        ("feishu", {"code": 11232, "msg": "frequency limited"}, Verdict.LATER, 60.0),
        ("feishu", {"code": 19021, "msg": "sign match fail"}, Verdict.OFF, None),
    ],
)
def test_http_200_with_an_error_code_is_a_failure(kind, answer, verdict, after):
    with provider() as server:
        server.answer(200, answer)
        outcome = robot(kind, server.url).send(LETTER)
    assert (outcome.verdict, outcome.after) == (verdict, after)
    assert "secret-token" not in outcome.reason
    assert not outcome.fault


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "body", [b"", b"<html>login</html>", b'{"errcode": 0', b"[]", b'{"ok": true}', b"null", b'"0"']
)
def test_an_answer_that_is_none_is_no_delivery(kind, body):
    with provider() as server:
        server.answer(200, body)
        outcome = robot(kind, server.url).send(LETTER)
    assert outcome.verdict is Verdict.LATER
    assert outcome.fault


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_of_a_provider_are_too_strange(body):
    assert judge(Answer(200, body, None), CODES).verdict in (Verdict.SENT, Verdict.LATER, Verdict.OFF)


@pytest.mark.parametrize(
    ("status", "verdict", "fault"),
    [(302, Verdict.NEVER, False), (400, Verdict.NEVER, False), (401, Verdict.OFF, False), (403, Verdict.OFF, False),
     (404, Verdict.LATER, False), (429, Verdict.LATER, False), (500, Verdict.LATER, True), (503, Verdict.LATER, True)],
)  # fmt: skip
def test_other_statuses_are_told_apart(status, verdict, fault):
    with provider() as server:
        server.answer(status, OK["wecom"], Retry_After="120", Location="http://127.0.0.1:1/")
        outcome = robot("wecom", server.url).send(LETTER)
    assert (outcome.verdict, outcome.fault) == (verdict, fault)
    if verdict is Verdict.LATER and status != 404:
        assert outcome.after == 120.0
    assert len(server.taken) == 1


def test_dingtalk_signs_the_moment():
    with provider() as server:
        server.answer(200, OK["dingtalk"])
        made = DingTalk(RobotSettings("group", server.url, "SECdemo"), lambda _: "", seconds=lambda: 1_700_000_000.123)
        made.send(LETTER)
    query = parse_qs(urlsplit(server.taken[0].path).query)
    assert query["key"] == ["secret-token"]
    assert query["timestamp"] == ["1700000000123"]
    # Computed with OpenSSL: printf '1700000000123\nSECdemo' | openssl dgst -sha256 -hmac SECdemo -binary | base64
    assert query["sign"] == ["NhbevkDbYRW2yKX6TyqwoJP0bHe5xpu5AApi0R446wU="]


def test_feishu_signs_nothing_with_the_moment_as_key():
    with provider() as server:
        server.answer(200, OK["feishu"])
        made = Feishu(RobotSettings("group", server.url, "demo"), lambda _: "", seconds=lambda: 1_700_000_000)
        made.send(LETTER)
    body = orjson.loads(server.taken[0].body)
    assert body["timestamp"] == "1700000000"
    # Computed with OpenSSL: printf '' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf '1700000000\ndemo' | xxd -p) …
    assert body["sign"] == "8oT2n3SMKFfEnDoiwer8BUM/SjKLwe9SqoEIHlhDTKo="


def test_nobody_at_the_address_is_a_fault():
    with raw_server(b"") as port:
        pass
    outcome = robot("wecom", f"http://127.0.0.1:{port}/?key=secret-token").send(LETTER)
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)
    assert "secret-token" not in outcome.reason


@pytest.mark.parametrize(
    "half",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"\x16\x03\x01", b"220 mail\r\n"],
)
def test_half_an_answer_is_a_fault(half):
    with raw_server(half) as port:
        outcome = robot("wecom", f"http://127.0.0.1:{port}/", whole=5.0).send(LETTER)
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)


def test_a_provider_that_drips_is_given_up_on():
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"errcode": 0} '
    with raw_server(answer, drip=0.2, hold=True) as port:
        outcome = robot("wecom", f"http://127.0.0.1:{port}/", whole=0.5).send(LETTER)
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)
    assert "没有完整应答" in outcome.reason


def test_an_endless_answer_is_not_read_to_its_end():
    with provider() as server:
        server.answer(200, b" " * 200_000)
        outcome = robot("wecom", server.url).send(LETTER)
    assert outcome.fault


def test_wrong_tls_is_a_fault():
    with raw_server(b"plain words\r\n", hold=True) as port:
        outcome = robot("wecom", f"https://127.0.0.1:{port}/", whole=3.0).send(LETTER)
    assert (outcome.verdict, outcome.fault) == (Verdict.LATER, True)
