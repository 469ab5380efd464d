"""Web hooks: verified by the package standardwebhooks, CloudEvents, and kept from leading inside."""

from __future__ import annotations

import ipaddress
import time
from base64 import b64encode
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from providers import provider, server_context
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from models.errors import InvalidInput
from notifications.channels.addresses import RefusedAddressError, allow_list, is_open, judged_address
from notifications.channels.protocol import Verdict
from notifications.channels.webhook import Webhook, WebhookSettings, parse_key
from notifications.kinds import Kind
from notifications.letters import Item, Letter

NEW = "whsec_" + b64encode(bytes(range(32))).decode()
OLD = "whsec_" + b64encode(bytes(range(1, 33))).decode()
OTHER = "whsec_" + b64encode(bytes(range(2, 34))).decode()
LETTER = Letter(
    "0192-d1",
    Kind.RETURN,
    (Item(Kind.RETURN, "t1", "甲部门预算绩效文本", "退回修改", remark="内部的话"),),
    "s",
    "全文",
    "<p>全文</p>",
    datetime(2026, 3, 2, tzinfo=UTC),
)
HERE = allow_list(["127.0.0.0/8"])


def hook(url, keys=(NEW,), **given):
    settings = WebhookSettings("hook", url, tuple(keys), **{"allowed": HERE, **given})
    return Webhook(settings, lambda text: f"https://x.example/{text}")


def sent(keys=(NEW,), status=204, **given):
    with provider() as server:
        server.answer(status)
        outcome = hook(server.url, keys, **given).send(LETTER)
    return outcome, server.taken


def test_a_stranger_verifies_our_signature_and_reads_a_cloud_event():
    outcome, [taken] = sent()
    assert outcome.verdict is Verdict.SENT
    event = Verifier(NEW).verify(taken.body, taken.headers)
    assert event == {
        "specversion": "1.0",
        "id": "0192-d1",
        "source": "jixiao",
        "type": "jixiao.notice.return",
        "subject": "t1",
        "time": "2026-03-02T00:00:00.000000Z",
        "datacontenttype": "application/json",
        "data": {
            "items": [
                {
                    "kind": "return",
                    "text": "t1",
                    "title": "甲部门预算绩效文本",
                    "state": "退回修改",
                    "link": "https://x.example/t1",
                }
            ]
        },
    }
    assert taken.headers["content-type"].startswith("application/cloudevents+json")


def test_while_keys_are_changed_both_verify_and_a_third_does_not():
    _, [taken] = sent((NEW, OLD))
    assert Verifier(NEW).verify(taken.body, taken.headers)
    assert Verifier(OLD).verify(taken.body, taken.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(OTHER).verify(taken.body, taken.headers)


def test_a_changed_body_or_moment_does_not_verify():
    _, [taken] = sent()
    with pytest.raises(WebhookVerificationError):
        Verifier(NEW).verify(taken.body + b" ", taken.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(NEW).verify(taken.body, {**taken.headers, "webhook-timestamp": str(int(time.time()) - 5)})


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_AAAA", NEW[6:], "whsec_!!!!", "whsec_" + "A" * 200])
def test_keys_that_are_none_are_refused(key):
    with pytest.raises(InvalidInput):
        parse_key(key)


def test_a_redirect_to_an_internal_address_is_not_followed():
    with provider() as inner, provider() as outer:
        inner.answer(200)
        outer.answer(307, Location=inner.url)
        outcome = hook(outer.url).send(LETTER)
    assert outcome.verdict is Verdict.NEVER
    assert inner.taken == []


def test_gone_switches_the_hook_off():
    outcome, _ = sent(status=410)
    assert outcome.verdict is Verdict.OFF


@pytest.mark.parametrize("allowed", [(), ("10.0.0.0/8",), ("elsewhere.example",)])
def test_this_machine_is_no_place_for_a_hook_unless_it_was_allowed(allowed):
    outcome, taken = sent(allowed=allow_list(allowed))
    assert outcome.verdict is Verdict.NEVER
    assert "内部地址" in outcome.reason
    assert taken == []


INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2002:a00:1::", "198.18.0.1", "192.0.2.1", "240.0.0.1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_that_lead_inside_are_refused(address):
    with pytest.raises(RefusedAddressError):
        judged_address("hook.example", 443, allow_list([]), lambda *_: [address])


@pytest.mark.parametrize("address", ["8.8.8.8", "203.119.0.1", "2400:3200::1", "::ffff:808:808", "64:ff9b::808:808"])
def test_addresses_of_the_open_internet_are_taken(address):
    assert judged_address("hook.example", 443, allow_list([]), lambda *_: [address]) == address


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_address_is_open_or_not_whatever_disguise_it_wears(address):
    number = int(address)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | number)
    translated = ipaddress.IPv6Address((0x64FF9B << 96) | number)
    assert is_open(mapped) == is_open(translated) == is_open(address)


def test_one_inner_address_among_open_ones_is_enough_to_refuse():
    with pytest.raises(RefusedAddressError):
        judged_address("hook.example", 443, allow_list([]), lambda *_: ["8.8.8.8", "127.0.0.1"])


def test_the_connection_goes_to_the_address_that_was_judged_even_if_the_name_leads_elsewhere_next_time():
    answers = [["127.0.0.1"], ["10.9.9.9"]]
    with provider() as server:
        server.answer(204)
        port = server.url.split(":")[2].partition("/")[0]
        made = hook(f"http://hook.example:{port}/in", resolve=lambda *_: answers.pop(0))
        assert made.send(LETTER).verdict is Verdict.SENT
    assert len(answers) == 1
    assert server.taken[0].headers["host"] == f"hook.example:{port}"


def test_a_certificate_is_asked_for_the_name_and_not_for_the_address(tmp_path):
    context, trusted = server_context(tmp_path, "hook.example")
    with provider(context) as server:
        server.answer(204)
        port = server.url.split(":")[2].partition("/")[0]
        given = {"resolve": lambda *_: ["127.0.0.1"], "ca_file": str(trusted)}
        assert hook(f"https://hook.example:{port}/in", **given).send(LETTER).verdict is Verdict.SENT
        wrong = hook(f"https://other.example:{port}/in", **given).send(LETTER)
        untrusted = hook(f"https://hook.example:{port}/in", resolve=given["resolve"]).send(LETTER)
    assert wrong.verdict is untrusted.verdict is Verdict.LATER
    assert wrong.fault
    assert untrusted.fault
    assert len(server.taken) == 1


def test_an_allow_list_that_can_not_be_read_is_refused():
    for wrong in ("10.0.0.0/99", "a/b", "http://x", "例子.cn", ""):
        with pytest.raises(InvalidInput):
            allow_list([wrong])


def test_a_body_is_json_whatever_a_title_holds():
    title = 'a"\\\u2028<b>\x00' + "长" * 500
    letter = Letter("d", Kind.TASK, (Item(Kind.TASK, "t", title),), "s", "t", "h", LETTER.made_at)
    with provider() as server:
        server.answer(204)
        hook(server.url).send(letter)
    assert len(orjson.loads(server.taken[0].body)["data"]["items"][0]["title"]) == 120
