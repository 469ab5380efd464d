"""Receipts as texts and as proofs: one spelling, and nothing passes but the event, the key and the place that were signed."""

from __future__ import annotations

from base64 import b64encode

import pytest
from audit_naive import mth, path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.notes import CheckpointText, VerifierKey, sign_note
from audit.receipts import HEADER, Receipt, judge_receipt, parse_receipt, verify_receipt
from audit.tree import leaf_hash
from audit.verdicts import Status
from models.errors import InvalidInput

ORIGIN = "example.gov.cn/audit/1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def made(index: int, size: int, *, origin: str = ORIGIN, private: Ed25519PrivateKey = PRIVATE) -> tuple[Receipt, bytes]:
    bodies = [f'{{"event":{number}}}'.encode() for number in range(size)]
    leaves = [leaf_hash(body) for body in bodies]
    proof = path(index, leaves)
    note = sign_note(str(CheckpointText(origin, size, mth(leaves))), origin, private)
    return Receipt(index, tuple(proof), str(note)), bodies[index]


places = st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))


@given(places)
def test_every_event_of_a_log_has_a_receipt_that_proves_it(place: tuple[int, int]) -> None:
    receipt, body = made(*place)
    read = parse_receipt(str(receipt))
    assert read == receipt
    verdict = verify_receipt(read, body, [KEY])
    assert (verdict.ok, verdict.index, verdict.checkpoint and verdict.checkpoint.size) == (True, *place)


@given(places, st.data())
def test_no_changed_character_of_a_receipt_is_taken_for_the_same_proof(
    place: tuple[int, int], data: st.DataObject
) -> None:
    receipt, body = made(*place)
    text = str(receipt)
    at = data.draw(st.integers(0, len(text) - 1))
    with_other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != text[at]))
    verdict = judge_receipt((text[:at] + with_other + text[at + 1 :]).encode(), body, [KEY])
    assert not verdict.ok
    assert verdict.message.endswith("。")


@given(places, st.data())
def test_a_receipt_that_is_cut_short_proves_nothing(place: tuple[int, int], data: st.DataObject) -> None:
    receipt, body = made(*place)
    text = str(receipt).encode()
    verdict = judge_receipt(text[: data.draw(st.integers(0, len(text) - 1))], body, [KEY])
    assert verdict.status is Status.CANNOT_READ


@given(st.binary(max_size=300))
def test_no_bytes_at_all_raise_anything_but_a_verdict(data: bytes) -> None:
    assert judge_receipt(data, b"{}", [KEY]).status is Status.CANNOT_READ


def test_another_event_is_not_proved() -> None:
    receipt, body = made(3, 10)
    for other in (body + b"\n", made(4, 10)[1], b""):
        verdict = verify_receipt(receipt, other, [KEY])
        assert verdict.status is Status.TAMPERED
        assert "第 3 条" in verdict.message


def test_another_key_of_the_same_name_proves_nothing() -> None:
    receipt, body = made(3, 10, private=OTHER)
    verdict = verify_receipt(receipt, body, [KEY])
    assert verdict.status is Status.NOT_PROVABLE
    assert "不是由给出的公钥" in verdict.message


def test_a_receipt_of_another_log_names_both_logs() -> None:
    receipt, body = made(3, 10, origin="other.gov.cn/audit")
    verdict = verify_receipt(receipt, body, [KEY])
    assert verdict.status is Status.NOT_PROVABLE
    assert "other.gov.cn/audit" in verdict.message
    assert ORIGIN in verdict.message


def test_a_key_of_another_name_does_not_speak_for_the_origin() -> None:
    receipt, body = made(3, 10)
    note = sign_note(receipt.note.split("\n\n")[0] + "\n", "witness.gov.cn", PRIVATE)
    verdict = verify_receipt(
        Receipt(3, receipt.hashes, str(note)), body, [VerifierKey("witness.gov.cn", KEY.public), KEY]
    )
    assert verdict.status is Status.NOT_PROVABLE


def test_a_wrong_signature_of_a_given_key_is_a_forgery() -> None:
    receipt, body = made(3, 10)
    forged = receipt.note.replace(f"{ORIGIN}\n10\n", f"{ORIGIN}\n11\n")
    verdict = verify_receipt(Receipt(3, receipt.hashes, forged), body, [KEY])
    assert verdict.status is Status.TAMPERED
    assert "签名与内容不符" in verdict.message


def test_of_several_keys_one_is_enough() -> None:
    receipt, body = made(3, 10)
    rotated = VerifierKey(ORIGIN, OTHER.public_key().public_bytes_raw())
    assert verify_receipt(receipt, body, [rotated, KEY]).ok
    assert verify_receipt(receipt, body, [KEY, rotated]).ok


def test_the_extra_line_is_kept_and_proves_nothing() -> None:
    receipt, body = made(3, 10)
    extra = Receipt(receipt.index, receipt.hashes, receipt.note, b"anything")
    assert str(extra).startswith(f"{HEADER}\nextra {b64encode(b'anything').decode()}\nindex 3\n")
    assert parse_receipt(str(extra)) == extra
    assert verify_receipt(extra, body, [KEY]).ok


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 3", "index 03"),
        ("index 3", "index -3"),
        ("index 3", "index 9999999999999999999"),
        ("index 3", "Index 3"),
        ("index 3\n", ""),
        ("\n\n", "\n"),
    ],
)
def test_other_spellings_are_refused(old: str, new: str) -> None:
    text = str(made(3, 10)[0])
    with pytest.raises(InvalidInput):
        parse_receipt(text.replace(old, new, 1))


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    lines = str(made(3, 10)[0]).split("\n")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    # The last character before the padding has two bits that no byte takes up.
    lines[2] = lines[2][:-2] + alphabet[alphabet.index(lines[2][-2]) ^ 1] + "="
    with pytest.raises(InvalidInput, match="不规范"):
        parse_receipt("\n".join(lines))
    with pytest.raises(InvalidInput, match="不规范"):
        parse_receipt("\n".join([lines[0], "extra ***", *str(made(3, 10)[0]).split("\n")[1:]]))


def test_more_hashes_than_any_tree_has_levels_are_refused() -> None:
    receipt, _ = made(3, 10)
    with pytest.raises(InvalidInput):
        parse_receipt(str(Receipt(3, (bytes(32),) * 65, receipt.note)))
