import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.notes import (
    CheckpointText,
    Note,
    Standing,
    VerifierKey,
    check_name,
    key_id,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    sign_note,
    standing,
)
from models.errors import InvalidInput, LogCorrupt

NAME = "example.gov.cn/audit/1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def verifier(private, name=NAME):
    return VerifierKey(name, private.public_key().public_bytes_raw())


KEY = verifier(PRIVATE)
CHECKPOINT = CheckpointText(NAME, 12345, bytes(range(32)))
SIGNED = str(sign_note(str(CHECKPOINT), NAME, PRIVATE))


def test_go_s_published_key_and_note_are_read():
    # The example of golang.org/x/mod/sumdb/note's documentation.
    key = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = parse_note(
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert standing(note, key) is Standing.SIGNED


def test_a_checkpoint_is_three_lines_and_a_signature():
    text, signature = SIGNED.split("\n\n")
    assert text == f"{NAME}\n12345\n{base64.b64encode(bytes(range(32))).decode()}"
    assert signature.startswith(f"— {NAME} ")
    assert base64.b64decode(signature.split()[-1])[:4] == key_id(NAME, KEY.public)
    assert open_checkpoint(SIGNED, [KEY]) == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    [
        "",
        str(KEY) + "\n",
        " " + str(KEY),
        str(KEY).upper(),
        str(KEY).replace("+", "-"),
        str(KEY)[:-1],
        str(KEY) + "=",
        str(KEY).replace(KEY.key_id.hex(), verifier(OTHER).key_id.hex()),
        "a b+" + str(KEY).split("+", 1)[1],
        "+" + str(KEY).split("+", 1)[1],
        f"{NAME}+{KEY.key_id.hex()}+{base64.b64encode(bytes([4]) + KEY.public).decode()}",
        f"{NAME}+{KEY.key_id.hex()}+{base64.b64encode(bytes([1]) + KEY.public[1:]).decode()}",
    ],
)
def test_a_verifier_key_has_one_spelling(text):
    assert parse_vkey(str(KEY)) == KEY
    with pytest.raises(InvalidInput):
        parse_vkey(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\tb", "a\u3000b", "a\n", "a\x00"])
def test_names_with_blanks_or_plus_are_refused(name):
    with pytest.raises(InvalidInput):
        check_name(name)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{NAME}\n1\n{ROOT}",
        f"{NAME}\n1\n{ROOT}\n\n",
        f"{NAME}\n1\n",
        f"{NAME}\n01\n{ROOT}\n",
        f"{NAME}\n+1\n{ROOT}\n",
        f"{NAME}\n-1\n{ROOT}\n",
        f"{NAME}\n１\n{ROOT}\n",
        f"{NAME}\n1 \n{ROOT}\n",
        f"{NAME}\n\n{ROOT}\n",
        f"{NAME}\n{10**19}\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"{NAME}\n1\n{ROOT[:-1]}\n",
        f"{NAME}\n1\n{ROOT[:-2]}B=\n",
        f"{NAME}\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{NAME}\n1\n{ROOT}\nextension\n\nmore\n",
    ],
)
def test_a_checkpoint_has_one_spelling(text):
    with pytest.raises(InvalidInput):
        parse_checkpoint(text)


def test_extension_lines_are_kept():
    text = f"{NAME}\n1\n{ROOT}\nfirst\nsecond\n"
    assert parse_checkpoint(text).extensions == ("first", "second")
    assert str(parse_checkpoint(text)) == text


@given(st.integers(0, 10**18 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_survive_a_round_trip(size, root):
    checkpoint = CheckpointText(NAME, size, root)
    assert parse_checkpoint(str(checkpoint)) == checkpoint
    note = sign_note(str(checkpoint), NAME, PRIVATE)
    assert parse_note(str(note)) == note
    assert open_checkpoint(str(note), [KEY]) == checkpoint


@given(st.text())
def test_arbitrary_text_is_a_note_only_in_its_own_spelling(text):
    for candidate in (text, text + "\n\n" + SIGNED.split("\n\n")[1]):
        try:
            note = parse_note(candidate)
        except InvalidInput:
            continue
        assert str(note) == candidate


@given(st.data())
def test_a_changed_note_never_verifies(data):
    place = data.draw(st.integers(0, len(SIGNED) - 1))
    kind = data.draw(st.sampled_from(["replace", "delete", "insert"]))
    character = data.draw(st.characters(codec="utf-8") | st.sampled_from("\n\r =+—A0"))
    rest = SIGNED[place:] if kind == "insert" else SIGNED[place + 1 :]
    changed = SIGNED[:place] + ("" if kind == "delete" else character) + rest
    if changed == SIGNED:
        return
    with pytest.raises((InvalidInput, LogCorrupt)):
        open_checkpoint(changed, [KEY])


def test_base64_with_other_unused_bits_is_another_spelling():
    line = SIGNED.rstrip("\n=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = line[:-1] + alphabet[alphabet.index(line[-1]) ^ 1] + "=\n"
    assert base64.b64decode(other.split()[-1]) == base64.b64decode(SIGNED.split()[-1])
    with pytest.raises(InvalidInput, match="不规范"):
        parse_note(other)


@given(st.integers(0, 67), st.integers(1, 255))
def test_a_changed_signature_or_key_id_never_verifies(place, mask):
    note = parse_note(SIGNED)
    data = bytearray(note.signatures[0].key_id + note.signatures[0].value)
    data[place] ^= mask
    changed = replace(note.signatures[0], key_id=bytes(data[:4]), value=bytes(data[4:]))
    assert standing(Note(note.text, (changed,)), KEY) is not Standing.SIGNED


def test_signatures_of_others_are_passed_over_but_do_not_count():
    witness = sign_note(str(CHECKPOINT), "witness.example", OTHER).signatures[0]
    mine = parse_note(SIGNED).signatures[0]
    both = str(Note(str(CHECKPOINT), (witness, mine)))
    assert open_checkpoint(both, [KEY]) == CHECKPOINT
    assert open_checkpoint(both, [KEY, verifier(OTHER, "witness.example")]) == CHECKPOINT
    with pytest.raises(LogCorrupt) as refused:
        open_checkpoint(str(Note(str(CHECKPOINT), (witness,))), [KEY])
    assert refused.value.facts["standing"] == "unknown"


def test_a_wrong_signature_beside_a_right_one_spoils_the_note():
    mine = parse_note(SIGNED).signatures[0]
    wrong = replace(mine, value=bytes(64))
    with pytest.raises(LogCorrupt) as refused:
        open_checkpoint(str(Note(str(CHECKPOINT), (mine, wrong))), [KEY])
    assert refused.value.facts["standing"] == "forged"


def test_another_key_of_the_same_name_is_unknown():
    with pytest.raises(LogCorrupt):
        open_checkpoint(str(sign_note(str(CHECKPOINT), NAME, OTHER)), [KEY])
    pretended = replace(sign_note(str(CHECKPOINT), NAME, OTHER).signatures[0], key_id=KEY.key_id)
    assert standing(Note(str(CHECKPOINT), (pretended,)), KEY) is Standing.FORGED


def test_the_origin_must_be_the_key_that_signed():
    foreign = str(CheckpointText("other.example", 1, bytes(32)))
    with pytest.raises(LogCorrupt):
        open_checkpoint(str(sign_note(foreign, NAME, PRIVATE)), [KEY])


@pytest.mark.parametrize("text", ["", "a", "a\n\n", "a\r\n", "a\tb\n"])
def test_texts_that_can_not_be_a_note_are_not_signed(text):
    with pytest.raises(InvalidInput):
        sign_note(text, NAME, PRIVATE)
