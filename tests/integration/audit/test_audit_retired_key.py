"""A key that was retired, in the hands of a thief who also has the database: what it signs later proves nothing, on both databases."""

from __future__ import annotations

import pytest
from audit_log import MAC_KEY, NOW, Log, caught_from
from test_audit_rotation import RECORDER, reloaded, rotate

from audit.acts import Act
from audit.integrator import integrate
from audit.notes import CheckpointText, Note, VerifierKey
from audit.rotation import end_key, retired_keys
from audit.verdicts import Kind, Level, Status
from models.base import timestamp
from models.engine import transaction


@pytest.fixture
def retired(log):
    """The log after a whole change of keys, signed at 12 and 17 by the new one, with the old key's signer."""
    first = log.signer
    first.head_path = first.path.with_suffix(".head")
    both = rotate(log.filled(10, 10))
    both.sign()
    with transaction(both.engine) as work:
        old, size = end_key(work, "main")
        RECORDER.write(
            work,
            Act.KEY_RETIRE,
            actor="admin",
            role="audit_administrator",
            obj=("audit_log", "main"),
            now=NOW,
            details=[("/vkey", old, None), ("/until", None, size)],
        )
    integrate(both.engine, mac_key=MAC_KEY)
    log = reloaded(both)
    log.sign()
    log.add(5, 40)
    log.sign()
    return first, log


def forged(first, log: Log, kept: int) -> str:
    """The note of a head with three events more, by the old key alone; checkpoints after the size ``kept`` are gone."""
    log.attack("DELETE FROM audit_checkpoint WHERE size > :k", k=kept)
    log.add(3, 60)
    head = log.head()
    note = str(first.sign_text(str(CheckpointText(first.name, head.size, head.root))))
    log.attack(
        "INSERT INTO audit_checkpoint (log, size, note, cosignatures, created) VALUES ('main', :s, :n, '', :c)",
        s=head.size,
        n=note,
        c=timestamp(NOW) if log.is_sqlite else NOW,
    )
    return note


@pytest.mark.parametrize("given", [[0, 1], [0]])
def test_an_honest_change_of_keys_stays_intact(retired, given):
    first, log = retired
    trusted = [(first.vkey, log.signer.vkey)[number] for number in given]
    assert log.statuses(trusted=trusted) == [Status.INTACT] * 4
    assert log.verify(trusted=trusted).signed == 17


@pytest.mark.parametrize("kept", [11, 12], ids=["the retirement unsigned", "the retirement signed"])
@pytest.mark.parametrize("given", [[0, 1], [0], []])
def test_a_retired_key_is_not_believed_about_a_log_that_retires_it(retired, given, kept):
    first, log = retired
    trusted = [(first.vkey, log.signer.vkey)[number] for number in given]
    note = forged(first, log, kept)
    assert log.statuses(trusted=trusted) == caught_from(Level.HEAD)
    verdict = log.verify(trusted=trusted)
    assert [(item.kind, "停用" in item.message) for item in verdict.problems] == [(Kind.KEY, True)]
    assert verdict.signed == kept
    outside = log.verify(trusted=trusted, outside=[note])
    assert "外部留存的检查点（20 条）只有已经停用的密钥的签名" in outside.problems[0].message


def test_a_wrong_line_of_a_key_that_the_log_names_spoils_a_checkpoint(retired):
    first, log = retired
    text = first.sign_text(log.note_at(11).partition("\n\n")[0] + "\n")
    fresh = log.signer.sign_text("other\n").signatures
    log.attack(
        "UPDATE audit_checkpoint SET note = :n WHERE size = 11", n=str(Note(text.text, (*text.signatures, *fresh)))
    )
    verdict = log.verify(trusted=[first.vkey])
    assert verdict.status is Status.TAMPERED
    assert any("签名与内容不符" in item.message for item in verdict.problems)


KEY = VerifierKey("log.example", bytes(32))
RETIRED = {"act": "key.retire", "out": "success", "chg": [{"p": "/vkey", "o": str(KEY)}, {"p": "/until", "n": 7}]}


def test_the_first_retirement_counts():
    later = RETIRED | {"chg": [{"p": "/vkey", "o": str(KEY)}, {"p": "/until", "n": 9}]}
    assert retired_keys([KEY], [(8, RETIRED)]) == retired_keys([KEY], [(8, RETIRED), (9, later)]) == {str(KEY): 7}


@pytest.mark.parametrize(
    "members",
    [
        {"out": "denied"},
        {"act": "key.rotate"},
        {"chg": [{"p": "/vkey", "o": "another"}, {"p": "/until", "n": 7}]},
        {"chg": [{"p": "/vkey", "o": str(KEY)}]},
        {"chg": [{"p": "/vkey", "o": str(KEY)}, {"p": "/until", "n": "7"}]},
    ],
)
def test_only_a_successful_retirement_of_a_known_key_ends_it(members):
    assert retired_keys([KEY], [(8, RETIRED | members)]) == {}
