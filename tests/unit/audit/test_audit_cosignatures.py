from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.cosignatures import CosignerKey, added, cosign, cosignatures, parse_cosigner, verified
from audit.notes import (
    CheckpointText,
    Standing,
    VerifierKey,
    open_checkpoint,
    parse_note,
    parse_vkey,
    sign_note,
    standing,
)
from models.errors import InvalidInput

# A checkpoint of a public staging log, cosigned by a public test witness: neither was made by us.
REAL_TEXT = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n"
REAL_LINE = "— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n"
REAL_KEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

NAME = "witness.example/w1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = CosignerKey(NAME, PRIVATE.public_key().public_bytes_raw())
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OTHER_KEY = CosignerKey("witness.example/w2", OTHER.public_key().public_bytes_raw())
TEXT = str(CheckpointText("log.example", 7, bytes(range(32))))
LINE = cosign(TEXT, NAME, PRIVATE, 1_700_000_000)


def test_a_cosignature_of_a_public_witness_is_read():
    (found,) = cosignatures(REAL_TEXT, REAL_LINE, [parse_cosigner(REAL_KEY)])
    assert (found.key.name, found.time) == ("remora.n621.de", datetime(2026, 5, 23, 21, 50, 24, tzinfo=UTC))


def test_the_specification_s_example_states_its_time():
    # C2SP tlog-cosignature gives no key with its example; its line has the time that the text names.
    line = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    (signature,) = parse_note(f"x\n\n{line}").signatures
    assert int.from_bytes(signature.value[:8], "big") == 1679315147
    assert len(signature.value) == 72


def test_the_signed_message_is_the_specification_s():
    message = f"cosignature/v1\ntime 1700000000\n{TEXT}".encode()
    assert LINE.value == (1_700_000_000).to_bytes(8, "big") + PRIVATE.sign(message)


def test_a_cosigner_key_has_one_spelling_and_its_own_type():
    assert parse_cosigner(str(KEY)) == KEY
    plain = str(VerifierKey(NAME, KEY.public))
    assert plain != str(KEY)
    for text in (plain, str(KEY) + "\n", str(KEY).upper(), str(KEY)[:-1], NAME, "", str(OTHER_KEY)[2:]):
        with pytest.raises(InvalidInput, match="04"):
            parse_cosigner(text)
    with pytest.raises(InvalidInput):
        parse_vkey(str(KEY))


def test_a_cosignature_is_no_signature_of_the_log():
    note = sign_note(TEXT, NAME, PRIVATE)
    assert list(cosignatures(TEXT, "".join(map(str, note.signatures)), [KEY])) == []
    assert standing(parse_note(f"{TEXT}\n{LINE}"), VerifierKey(NAME, KEY.public)) is Standing.UNKNOWN


@given(st.integers(0, len(LINE.value) - 1), st.integers(1, 255))
def test_a_changed_cosignature_never_verifies(place, mask):
    data = bytearray(LINE.value)
    data[place] ^= mask
    assert verified(TEXT, LINE, KEY) is not None
    assert verified(TEXT, replace(LINE, value=bytes(data)), KEY) is None


@given(st.sampled_from([TEXT.replace("7", "8", 1), TEXT.replace("log", "lag", 1), TEXT + "extension\n"]))
def test_a_cosignature_covers_the_whole_text(text):
    assert verified(text, LINE, KEY) is None


def test_a_time_beyond_all_dates_is_no_cosignature():
    for seconds in (253_402_300_800, 2**63, 2**64 - 1):
        assert verified(TEXT, cosign(TEXT, NAME, PRIVATE, seconds), KEY) is None
    assert verified(TEXT, cosign(TEXT, NAME, PRIVATE, 253_402_300_799), KEY) is not None


def test_one_line_for_each_witness_is_kept_the_first():
    first = verified(TEXT, LINE, KEY)
    later = verified(TEXT, cosign(TEXT, NAME, PRIVATE, 1_700_000_500), KEY)
    other = verified(TEXT, cosign(TEXT, OTHER_KEY.name, OTHER, 1_700_000_100), OTHER_KEY)
    lines = added(TEXT, "", first)
    assert added(TEXT, lines, later) == lines
    both = added(TEXT, lines, other)
    assert both == lines + str(other.line)
    assert added(TEXT, both, first) == both
    assert [item.key for item in cosignatures(TEXT, both, [KEY, OTHER_KEY])] == [KEY, OTHER_KEY]


@pytest.mark.parametrize("damaged", [str(replace(LINE, value=bytes(72))), "nothing\n", "— half"])
def test_a_damaged_line_does_not_keep_the_witness_out(damaged):
    lines = added(TEXT, damaged, verified(TEXT, LINE, KEY))
    assert [item.line for item in cosignatures(TEXT, lines, [KEY])] == [LINE]


def test_a_cosigned_note_still_opens_with_the_log_s_key():
    log = VerifierKey("log.example", OTHER.public_key().public_bytes_raw())
    note = str(sign_note(TEXT, "log.example", OTHER))
    assert str(open_checkpoint(note + str(LINE), [log])) == TEXT
