import base64

import pytest
from audit_naive import leaf_hashes, mth, proof
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from audit.cosignatures import cosignatures
from audit.notes import CheckpointText, VerifierKey, sign_note
from audit.tree import EMPTY_ROOT
from audit.witness import MAX_PROOF, Cosigner, Seen, decide, malformed, parse_request, refused, render_request
from models.errors import InvalidInput

ORIGIN = "log.example"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
COSIGNER = Cosigner("witness.example", Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))))
LEAVES = leaf_hashes(40)
NOW = 1_700_000_000


def signed(size, root=None, origin=ORIGIN, private=PRIVATE):
    text = CheckpointText(origin, size, mth(LEAVES[:size]) if root is None else root)
    return str(sign_note(str(text), origin, private))


def consistency(old, size):
    return proof(old, LEAVES[:size]) if old else []


def request(old, size, steps=None, **given):
    steps = consistency(old, size) if steps is None else steps
    return parse_request(render_request(old, steps, signed(size, **given)))


def seen(size, seconds=NOW):
    return Seen(size, mth(LEAVES[:size]), seconds)


@given(st.integers(0, 40), st.integers(0, 40))
def test_what_continues_the_head_seen_is_cosigned(first, second):
    old, size = sorted((first, second))
    wanted = request(old, size)
    answer = decide(wanted, seen(old) if old else None, COSIGNER, NOW)
    assert answer.status == 200
    assert answer.seen == seen(size)
    (found,) = cosignatures(wanted.note.text, answer.body, [COSIGNER.key])
    assert int(found.time.timestamp()) == NOW


@given(st.integers(0, 39), st.integers(1, 40), st.integers(0, 40))
def test_an_old_size_that_is_another_is_answered_with_the_one_seen(old, size, known):
    if old > size or old == known:
        return
    answer = decide(request(old, size), seen(known), COSIGNER, NOW)
    assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", f"{known}\n")
    assert answer.seen is None


@given(st.integers(1, 40), st.binary(min_size=32, max_size=32))
def test_two_roots_of_one_size_are_never_cosigned(size, root):
    answer = decide(request(size, size, root=root), seen(size), COSIGNER, NOW)
    assert (answer.status, answer.body, answer.seen) == (409, f"{size}\n", None)
    assert answer.suspicious


@given(st.data())
def test_a_proof_that_does_not_hold_is_422(data):
    size = data.draw(st.integers(2, 40))
    old = data.draw(st.integers(1, size - 1))
    steps = consistency(old, size)
    kind = data.draw(st.sampled_from(["change", "drop", "add", "none"]))
    if kind == "change":
        steps[data.draw(st.integers(0, len(steps) - 1))] = bytes(32)
    elif kind == "drop":
        steps.pop(data.draw(st.integers(0, len(steps) - 1)))
    else:
        steps = [] if kind == "none" else [*steps, bytes(32)]
    answer = decide(request(old, size, steps), seen(old), COSIGNER, NOW)
    assert (answer.status, answer.seen, answer.suspicious) == (422, None, True)


def test_a_first_checkpoint_comes_without_a_proof():
    assert decide(request(0, 5), None, COSIGNER, NOW).status == 200
    assert decide(request(0, 5, [bytes(32)]), None, COSIGNER, NOW).status == 422


def test_a_root_that_no_empty_log_has_is_refused():
    assert decide(request(0, 0, root=EMPTY_ROOT), None, COSIGNER, NOW).status == 200
    assert decide(request(0, 0, root=bytes(32)), None, COSIGNER, NOW).status == 409


def test_the_stated_time_never_goes_back():
    answer = decide(request(3, 5), seen(3, NOW + 100), COSIGNER, NOW)
    assert answer.seen.seconds == NOW + 100
    again = decide(request(5, 5), answer.seen, COSIGNER, NOW + 200)
    assert (again.status, again.seen.seconds) == (200, NOW + 200)


def test_an_unknown_origin_is_404_and_a_foreign_signature_403():
    assert refused(request(0, 5), []).status == 404
    assert refused(request(0, 5), [KEY]) is None
    assert refused(request(0, 5, private=OTHER), [KEY]).status == 403
    other = VerifierKey(ORIGIN, OTHER.public_key().public_bytes_raw())
    assert refused(request(0, 5), [other]).status == 403
    # A new key signs beside the old one; either is enough.
    assert refused(request(0, 5), [other, KEY]) is None


def test_a_forged_line_spoils_a_good_one():
    note = signed(5)
    line = note.splitlines()[-1]
    data = bytearray(base64.b64decode(line.split()[-1]))
    data[-1] ^= 1
    forged = f"{note}— {ORIGIN} {base64.b64encode(bytes(data)).decode()}\n"
    assert refused(parse_request(render_request(0, [], forged)), [KEY]).status == 403

    # So does a forged line in the name of another trusted key.
    other = VerifierKey(ORIGIN, OTHER.public_key().public_bytes_raw())
    pretended = base64.b64encode(other.key_id + bytes(64)).decode()
    spoiled = parse_request(render_request(0, [], f"{note}— {ORIGIN} {pretended}\n"))
    assert refused(spoiled, [KEY]) is None
    assert refused(spoiled, [KEY, other]).status == 403


GOOD = render_request(3, consistency(3, 5), signed(5))


def test_a_request_survives_a_round_trip():
    found = parse_request(GOOD)
    assert (found.old, found.checkpoint.size, list(found.proof)) == (3, 5, consistency(3, 5))
    assert render_request(found.old, found.proof, str(found.note)) == GOOD


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 3",
        b"old 3\n",
        b"old 3\n\n",
        GOOD.replace(b"old 3", b"old 03"),
        GOOD.replace(b"old 3", b"old -3"),
        GOOD.replace(b"old 3", b"old 3 "),
        GOOD.replace(b"old 3", b"old  3"),
        GOOD.replace(b"old 3", "old ３".encode()),
        GOOD.replace(b"old 3", b"OLD 3"),
        GOOD.replace(b"old 3", b"old 6"),
        GOOD.replace(b"old 3", b"old 1" + b"0" * 18),
        GOOD.replace(b"old 3\n", b""),
        GOOD.replace(b"old 3\n", b"old 3\r\n"),
        GOOD.replace(b"old 3\n", b"old 3\nAAAA\n"),
        GOOD.replace(b"old 3\n", b"old 3\n" + base64.b64encode(bytes(33)) + b"\n"),
        GOOD.replace(b"old 3\n", b"old 3\n" + base64.urlsafe_b64encode(b"\xff" * 32) + b"\n"),
        # 32 zero bytes, with other bits where the last character has bits to spare.
        GOOD.replace(b"old 3\n", b"old 3\n" + b"A" * 42 + b"B=\n"),
        GOOD.replace(b"old 3\n", b"old 3\n" + (base64.b64encode(bytes(32)) + b"\n") * (MAX_PROOF + 1)),
        GOOD.replace(b"\n\nlog", b"\nlog"),
        GOOD.removesuffix(b"\n"),
        GOOD + b"\n",
        GOOD.replace(b"log.example\n", b"\xff\n"),
        GOOD.replace(b"log.example\n5", b"log.example\nfive"),
    ],
)
def test_other_spellings_are_malformed(body):
    with pytest.raises(InvalidInput) as refusal:
        parse_request(body)
    assert malformed(refusal.value).status == 400


@given(st.binary() | st.text().map(str.encode))
@example(GOOD)
def test_arbitrary_bytes_are_a_request_only_in_its_own_spelling(body):
    try:
        found = parse_request(body)
    except InvalidInput:
        return
    assert render_request(found.old, found.proof, str(found.note)) == body


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_request_is_refused_or_still_in_its_own_spelling(place, value):
    body = GOOD[:place] + bytes([value]) + GOOD[place + 1 :]
    try:
        found = parse_request(body)
    except InvalidInput:
        return
    assert render_request(found.old, found.proof, str(found.note)) == body
    if body != GOOD and refused(found, [KEY]) is None:
        # Only what the log does not sign can have changed, and that is what the proof is for.
        assert found.note.text == parse_request(GOOD).note.text
