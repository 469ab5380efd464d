import stat
import threading

import pytest
from audit_naive import leaf_hashes, mth, proof
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.keys import Signer, create_mac_key, load_mac_key
from audit.notes import CheckpointText, open_checkpoint, sign_note
from models.errors import Conflict, InvalidInput, LogCorrupt, NotFound

NAME = "example.gov.cn/audit/1"
LEAVES = leaf_hashes(50)


@pytest.fixture
def signer(tmp_path):
    return Signer.create(tmp_path / "log.pem", NAME)


def sign(signer, size, leaves=LEAVES):
    with signer.exclusive():
        return signer.sign(size, mth(leaves[:size]), lambda old: proof(old, leaves[:size]) if 0 < old < size else [])


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_key_is_only_for_its_owner_and_loads_again(signer, tmp_path):
    assert mode(signer.path) == 0o600
    assert Signer.load(signer.path, NAME, vkey=signer.vkey).vkey == signer.vkey
    assert [path.name for path in tmp_path.iterdir()] == ["log.pem"]


def test_a_key_is_never_overwritten(signer):
    before = signer.path.read_bytes()
    with pytest.raises(Conflict):
        Signer.create(signer.path, NAME)
    assert signer.path.read_bytes() == before
    assert len(list(signer.path.parent.iterdir())) == 1


def test_a_missing_key_says_what_to_do(tmp_path):
    with pytest.raises(NotFound, match=r"签名私钥文件.*不存在；请从密钥备份恢复"):
        Signer.load(tmp_path / "none.pem", NAME)


def test_a_key_open_to_others_is_refused(signer):
    signer.path.chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        Signer.load(signer.path, NAME)


def test_a_file_that_is_no_key_is_refused(signer):
    signer.path.write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match="PEM"):
        Signer.load(signer.path, NAME)


def test_a_foreign_key_is_refused(signer, tmp_path):
    other = Signer.create(tmp_path / "other.pem", NAME)
    with pytest.raises(LogCorrupt, match="公钥不符"):
        Signer.load(other.path, NAME, vkey=signer.vkey)
    with pytest.raises(LogCorrupt, match="公钥不符"):
        Signer.load(signer.path, "other.name", vkey=signer.vkey)


def test_the_head_is_kept_outside_as_the_note_itself(signer):
    assert signer.last_head() is None
    note = sign(signer, 10)
    assert signer.head_path.read_text() == note
    assert mode(signer.head_path) == 0o600
    assert signer.last_head().text == CheckpointText(NAME, 10, mth(LEAVES[:10]))
    assert open_checkpoint(note, [signer.key]).size == 10


def test_the_same_head_gives_the_same_note(signer):
    assert sign(signer, 10) == sign(signer, 10)


def test_growing_heads_are_signed(signer):
    for size in (0, 1, 2, 3, 7, 8, 33, 50):
        assert open_checkpoint(sign(signer, size), [signer.key]).size == size


FORGED = [*LEAVES[:4], LEAVES[9], *LEAVES[5:]]


@pytest.mark.parametrize(
    ("size", "leaves", "words"), [(9, LEAVES, "回退或截断"), (10, FORGED, "同为 10 条"), (20, FORGED, "不是已签的")]
)
def test_a_head_that_does_not_continue_is_refused(signer, size, leaves, words):
    note = sign(signer, 10)
    with pytest.raises(LogCorrupt, match=words):
        sign(signer, size, leaves)
    assert signer.head_path.read_text() == note


def test_a_wrong_proof_is_refused(signer):
    sign(signer, 10)
    with signer.exclusive(), pytest.raises(LogCorrupt):
        signer.sign(20, mth(LEAVES[:20]), lambda old: [])


@pytest.mark.parametrize(
    "change", [lambda note: note.replace("\n10\n", "\n11\n"), lambda note: "", lambda note: note[:-9]]
)
def test_a_changed_head_file_stops_the_signer(signer, change):
    signer.head_path.write_text(change(sign(signer, 10)))
    with pytest.raises(LogCorrupt, match="签名头文件"):
        sign(signer, 20)


def test_a_head_of_another_key_is_not_taken(signer, tmp_path):
    other = Signer.create(tmp_path / "other.pem", NAME)
    signer.head_path.write_text(sign(other, 10))
    with pytest.raises(LogCorrupt):
        signer.last_head()


def test_a_lost_head_is_put_back_from_outside_but_never_earlier(signer):
    old, new = sign(signer, 10), sign(signer, 20)
    with pytest.raises(Conflict, match="不能退回"):
        signer.restore_head(old)
    signer.head_path.unlink()
    signer.restore_head(old)
    signer.restore_head(new)
    signer.restore_head(new)
    assert signer.last_head().text.size == 20
    with pytest.raises(InvalidInput):
        signer.restore_head("nothing")
    foreign = str(sign_note(f"{NAME}\n30\n" + new.split("\n")[2] + "\n", NAME, Ed25519PrivateKey.generate()))
    with pytest.raises(LogCorrupt):
        signer.restore_head(foreign)


def test_only_one_signs_at_a_time(signer):
    inside = threading.Event()
    leave = threading.Event()

    def hold():
        with signer.exclusive():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(10)
    try:
        with pytest.raises(Conflict, match="正在签名"), Signer.load(signer.path, NAME).exclusive(timeout=0.05):
            pass
    finally:
        leave.set()
        thread.join()
    with signer.exclusive(timeout=0.05):
        pass


def test_a_crash_before_the_rename_leaves_the_old_head(signer, monkeypatch):
    note = sign(signer, 10)
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
    with pytest.raises(OSError, match="power cut"):
        sign(signer, 20)
    assert signer.head_path.read_text() == note


def test_the_mac_key_is_32_random_bytes_for_its_owner(tmp_path):
    path = tmp_path / "outbox.key"
    with pytest.raises(NotFound, match="发件箱密钥文件"):
        load_mac_key(path)
    key = create_mac_key(path)
    assert len(key) == 32
    assert mode(path) == 0o600
    assert load_mac_key(path) == key
    with pytest.raises(Conflict):
        create_mac_key(path)
    path.write_bytes(key[:31])
    with pytest.raises(InvalidInput, match="32 字节"):
        load_mac_key(path)
