"""The stand-alone verifier and bad input: one clear sentence each, and never the wrong one of its three verdicts."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoints import sign_checkpoint
from audit.keys import Signer
from audit.notes import CheckpointText, sign_note
from audit.receipts import make_receipts
from audit.tileexport import export_tiles
from audit.tilefolder import TileFolder, bundle
from benchmarks.bulk_log import BEGAN, ORIGIN, fill_log, make_log
from models.engine import transaction

VERIFIER = Path(__file__).parents[2] / "docs" / "verifier" / "verify.py"
INTACT, USAGE, TAMPERED, NOT_PROVABLE, CANNOT_READ = 0, 2, 7, 8, 9
OLD, SIZE = 300, 700


@dataclass(frozen=True)
class Case:
    """A small log as it is handed out, in a folder that may be changed."""

    folder: Path

    @property
    def tiles(self) -> Path:
        return self.folder / "tiles"

    def run(self, *arguments: str | Path, vkey: str = "vkey.txt", folder: bool = True) -> tuple[int, str]:
        """Exit code and output, run where none of our packages can be imported."""
        command = [sys.executable, "-I", VERIFIER, *([self.tiles] if folder else []), "--vkey", self.folder / vkey]
        done = subprocess.run(
            list(map(str, [*command, *arguments])), cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    def change(self, name: str, change: Callable[[bytes], bytes]) -> None:
        path = self.tiles / name
        path.write_bytes(change(path.read_bytes()))

    def signer(self) -> Signer:
        return Signer.load(self.folder / "log.pem", ORIGIN)


def _make(folder: Path) -> None:
    engine, signer = make_log(folder)
    fill_log(engine, OLD)
    old = sign_checkpoint(engine, signer, now=BEGAN)
    fill_log(engine, SIZE)
    sign_checkpoint(engine, signer, now=BEGAN)
    assert old is not None
    (folder / "old.txt").write_text(old.note, "utf-8")
    (folder / "vkey.txt").write_text(f"\n{signer.vkey}\n", "utf-8")
    with transaction(engine, read_only=True) as work:
        export_tiles(work, TileFolder(folder / "tiles"))
        for name, (body, receipt) in zip(("a", "b"), make_receipts(work, (5, 600)), strict=True):
            (folder / f"{name}.json").write_bytes(body)
            (folder / f"{name}.tlog-proof").write_text(str(receipt), "utf-8")
    engine.dispose()


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("honest")
    _make(folder)
    return Case(folder)


@pytest.fixture
def case(honest: Case, tmp_path: Path) -> Case:
    shutil.copytree(honest.folder, tmp_path / "case")
    return Case(tmp_path / "case")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Another installation's log of the same name, with a key of its own."""
    folder = tmp_path_factory.mktemp("stranger")
    _make(folder)
    return Case(folder)


def test_the_file_imports_nothing_of_ours() -> None:
    names = set()
    for node in ast.walk(ast.parse(VERIFIER.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names - {"cryptography"} <= sys.stdlib_module_names


def test_an_honest_log_is_whole_with_everything_that_was_kept(case: Case) -> None:
    folder = case.folder
    code, said = case.run(
        "--checkpoint", folder / "old.txt", "--receipt", folder / "a.tlog-proof", "--event", folder / "a.json"
    )
    assert (code, "完整" in said, "共核对 3 个检查点" in said) == (INTACT, True, True), said


@pytest.mark.parametrize(
    ("name", "change", "code", "sentence"),
    [
        ("tile/0/001", lambda data: data[:-1], CANNOT_READ, "应有 8192 字节，实有 8191 字节"),
        ("tile/1/000.p/2", lambda data: data + bytes(32), CANNOT_READ, "应有 64 字节，实有 96 字节"),
        ("tile/entries/001", lambda data: data[:-1], CANNOT_READ, "应正好有 256 条"),
        ("tile/entries/002.p/188", lambda data: data + b"\x00\x00", CANNOT_READ, "应正好有 188 条"),
        ("tile/entries/001", lambda data: bytes(20_000_000), CANNOT_READ, "超过"),
        ("checkpoint", lambda data: data[:-1], CANNOT_READ, "缺少空行或签名行"),
        ("checkpoint", lambda data: b"\xff" * 10, CANNOT_READ, "不是文字文件"),
        ("checkpoint", lambda data: data.replace(b"\n700\n", b"\n0700\n"), CANNOT_READ, "不是数"),
        ("checkpoint", lambda data: data.replace(b"\n700\n", b"\n699\n"), TAMPERED, "签名与内容不符"),
        ("tile/0/001", lambda data: data[:40] + bytes(1) + data[41:], TAMPERED, "第 257 条"),
        ("tile/1/000.p/2", lambda data: bytes(64), TAMPERED, "被改动的是瓦片"),
        ("tile/entries/001", lambda data: data[:9] + b"!" + data[10:], TAMPERED, "第 256 条"),
    ],
)
def test_a_changed_file_of_the_folder(
    case: Case, name: str, change: Callable[[bytes], bytes], code: int, sentence: str
) -> None:
    case.change(name, change)
    found, said = case.run()
    assert (found, sentence in said) == (code, True), said


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000", "tile/entries/002.p/188", "tile/1/000.p/2"])
def test_a_missing_file_is_no_accusation(case: Case, name: str) -> None:
    (case.tiles / name).unlink()
    code, said = case.run()
    assert (code, "缺少文件" in said, "已被改动" in said) == (CANNOT_READ, True, False), said


def test_a_history_that_was_rewritten_whole_is_found_by_its_signature(case: Case) -> None:
    folder = TileFolder(case.tiles)
    entries = [*folder.entries(0), *folder.entries(1), *folder.entries(2, 188)]
    del entries[400]
    entries.append(entries[-1])
    _rebuild(case, entries)
    code, said = case.run("--checkpoint", case.folder / "old.txt")
    assert (code, f"第 {OLD} 至 {SIZE - 1} 条之间" in said) == (TAMPERED, True), said


def test_a_history_that_the_key_holder_signed_anew_needs_an_old_checkpoint(case: Case) -> None:
    folder = TileFolder(case.tiles)
    entries = [*folder.entries(0), *folder.entries(1), *folder.entries(2, 188)]
    entries[7] = entries[7].replace(b"text-7", b"text-8")
    root = _rebuild(case, entries)
    signer = case.signer()
    text = str(CheckpointText(ORIGIN, SIZE, root))
    (case.tiles / "checkpoint").write_text(str(sign_note(text, ORIGIN, signer._private)), "utf-8")
    # What nobody outside holds, nobody can see; the guide says so.
    assert case.run()[0] == INTACT
    code, said = case.run("--checkpoint", case.folder / "old.txt")
    assert (code, "留存的检查点（300 条）的根与重算的不同" in said) == (TAMPERED, True), said
    # A receipt is an old checkpoint, too.
    kept = ("--receipt", case.folder / "b.tlog-proof", "--event", case.folder / "b.json")
    assert case.run(*kept)[0] == TAMPERED


def _rebuild(case: Case, entries: list[bytes]) -> bytes:
    """Writes all tiles of a folder anew for other entries; their root."""
    from audit.tiles import fold
    from audit.tree import EMPTY_FRONTIER, append, leaf_hash, root_of
    from audit.upperlevels import UpperLevels

    folder, levels, frontier, size = TileFolder(case.tiles), UpperLevels(), EMPTY_FRONTIER, 0
    for start in range(0, len(entries), 256):
        some = entries[start : start + 256]
        leaves = [leaf_hash(entry) for entry in some]
        suffix = "" if len(some) == 256 else f".p/{len(some)}"
        folder.write(f"tile/entries/{start // 256:03d}{suffix}", bundle(some))
        folder.write(f"tile/0/{start // 256:03d}{suffix}", b"".join(leaves))
        for leaf in leaves:
            frontier, size = append(size, frontier, leaf), size + 1
        if len(leaves) == 256:
            assert not list(levels.add(fold(b"".join(leaves))))
    folder.write("tile/1/000.p/2", levels.edge)
    return root_of(frontier)


def test_a_truncated_folder_is_told_by_a_newer_checkpoint(case: Case) -> None:
    newest = (case.tiles / "checkpoint").read_bytes()
    (case.folder / "newest.txt").write_bytes(newest)
    shutil.copy(case.folder / "old.txt", case.tiles / "checkpoint")
    folder = TileFolder(case.tiles)
    folder.write("tile/1/000.p/1", (case.tiles / "tile/1/000.p/2").read_bytes()[:32])
    # An older folder is whole in itself: the full tiles serve for the partial ones.
    assert case.run()[0] == INTACT
    code, said = case.run("--checkpoint", case.folder / "newest.txt")
    assert (code, "曾有 700 条，文件夹只到 300 条" in said) == (NOT_PROVABLE, True), said


def test_a_wrong_key_of_the_right_name(case: Case, stranger: Case) -> None:
    shutil.copy(stranger.folder / "vkey.txt", case.folder / "wrong.txt")
    code, said = case.run(vkey="wrong.txt")
    assert (code, "不是由给出的公钥" in said) == (NOT_PROVABLE, True), said


def test_a_key_of_another_log(case: Case, tmp_path: Path) -> None:
    other = Signer.create(tmp_path / "other.pem", "other.gov.cn/log")
    (case.folder / "other.txt").write_text(other.vkey, "utf-8")
    code, said = case.run(vkey="other.txt")
    assert (code, "不是同一份日志" in said) == (NOT_PROVABLE, True), said


def test_of_two_keys_one_is_enough(case: Case, stranger: Case) -> None:
    both = (stranger.folder / "vkey.txt").read_text("utf-8") + (case.folder / "vkey.txt").read_text("utf-8")
    (case.folder / "both.txt").write_text(both, "utf-8")
    assert case.run(vkey="both.txt")[0] == INTACT


def test_a_foreign_checkpoint_in_the_folder(case: Case, stranger: Case) -> None:
    shutil.copy(stranger.tiles / "checkpoint", case.tiles / "checkpoint")
    assert case.run()[0] == NOT_PROVABLE
    # Signed by a key that is trusted, and yet of other tiles.
    shutil.copy(stranger.folder / "vkey.txt", case.folder / "vkey.txt")
    code, said = case.run()
    assert (code, "文件夹的检查点（700 条）的根与重算的不同" in said) == (TAMPERED, True), said


def test_a_foreign_old_checkpoint(case: Case, stranger: Case) -> None:
    code, said = case.run("--checkpoint", stranger.folder / "old.txt")
    assert (code, "留存的检查点 old.txt不是由给出的公钥" in said) == (NOT_PROVABLE, True), said


def test_a_key_speaks_for_the_origin_of_its_own_name_only(case: Case, tmp_path: Path) -> None:
    other = Signer.create(tmp_path / "other.pem", "other.gov.cn/log")
    both = (case.folder / "vkey.txt").read_text("utf-8") + other.vkey
    (case.folder / "both.txt").write_text(both, "utf-8")
    # The other log's own checkpoint, properly signed, says nothing about this log, be it equal or not.
    (case.folder / "theirs.txt").write_text(other.sign(OLD, bytes(32), lambda old: []), "utf-8")
    code, said = case.run("--checkpoint", case.folder / "theirs.txt", vkey="both.txt")
    assert (code, "不是同一份日志" in said, "重算" in said) == (NOT_PROVABLE, True, False), said
    text = (case.tiles / "checkpoint").read_text("utf-8").partition("\n\n")[0] + "\n"
    (case.tiles / "checkpoint").write_text(str(sign_note(text, other.name, other._private)), "utf-8")
    assert case.run(vkey="both.txt")[0] == NOT_PROVABLE


@pytest.mark.parametrize(
    ("receipt", "event", "code", "sentence"),
    [
        ("a.tlog-proof", "a.json", INTACT, "第 5 条"),
        ("a.tlog-proof", "b.json", TAMPERED, "不是给出的事件"),
        ("cut.tlog-proof", "a.json", CANNOT_READ, "残缺"),
        ("short.tlog-proof", "a.json", TAMPERED, "不是给出的事件"),
        ("foreign.tlog-proof", "a.json", NOT_PROVABLE, "不是由给出的公钥"),
        ("nothing.tlog-proof", "a.json", CANNOT_READ, "缺少文件"),
        ("a.tlog-proof", "nothing.json", CANNOT_READ, "缺少文件"),
        ("a.json", "a.json", CANNOT_READ, "不是完整的收据"),
        ("newline.tlog-proof", "newline.json", TAMPERED, "多加一个换行"),
    ],
)
def test_receipts_without_the_folder(
    case: Case, stranger: Case, receipt: str, event: str, code: int, sentence: str
) -> None:
    whole = (case.folder / "a.tlog-proof").read_text("utf-8")
    lines = whole.split("\n")
    (case.folder / "cut.tlog-proof").write_text(whole[: len(whole) // 2], "utf-8")
    (case.folder / "short.tlog-proof").write_text("\n".join(lines[:3] + lines[4:]), "utf-8")
    (case.folder / "newline.tlog-proof").write_text(whole, "utf-8")
    (case.folder / "newline.json").write_bytes((case.folder / "a.json").read_bytes() + b"\n")
    shutil.copy(stranger.folder / "a.tlog-proof", case.folder / "foreign.tlog-proof")
    found, said = case.run("--receipt", case.folder / receipt, "--event", case.folder / event, folder=False)
    assert (found, sentence in said) == (code, True), said


def test_an_event_that_differs_from_the_folders(case: Case, stranger: Case) -> None:
    # The receipt is good under a second trusted key: the two logs of one name are a fork.
    both = (stranger.folder / "vkey.txt").read_text("utf-8") + (case.folder / "vkey.txt").read_text("utf-8")
    (case.folder / "both.txt").write_text(both, "utf-8")
    given = ("--receipt", stranger.folder / "a.tlog-proof", "--event", stranger.folder / "a.json")
    code, said = case.run(*given, vkey="both.txt")
    assert (code, "收据 a.tlog-proof的事件与文件夹里的第 5 条不同" in said) == (TAMPERED, True), said


def test_usage_errors_are_no_verdicts(case: Case, tmp_path: Path) -> None:
    (case.folder / "empty.txt").touch()
    assert case.run(vkey="empty.txt")[0] == USAGE
    assert case.run(vkey="nothing.txt")[0] == USAGE
    assert case.run("--receipt", case.folder / "a.tlog-proof")[0] == USAGE
    assert case.run(folder=False)[0] == USAGE


def test_a_witness_whose_key_is_given_must_be_right(case: Case) -> None:
    note = (case.tiles / "checkpoint").read_text("utf-8")
    private = Ed25519PrivateKey.generate()
    public = b"\x04" + private.public_key().public_bytes_raw()
    key_id = sha256(b"witness.gov.cn\n" + public).digest()[:4]
    vkey = f"witness.gov.cn+{key_id.hex()}+{b64encode(public).decode()}\n"
    (case.folder / "both.txt").write_text((case.folder / "vkey.txt").read_text("utf-8") + vkey, "utf-8")
    text = note.partition("\n\n")[0] + "\n"
    value = private.sign(f"cosignature/v1\ntime 1740000000\n{text}".encode())
    for seconds, code, sentence in (
        (1740000000, INTACT, "见证“witness.gov.cn”已签名"),
        (1740000001, TAMPERED, "签名与内容不符"),
    ):
        line = f"— witness.gov.cn {b64encode(key_id + seconds.to_bytes(8, 'big') + value).decode()}\n"
        (case.tiles / "checkpoint").write_text(note + line, "utf-8")
        found, said = case.run(vkey="both.txt")
        assert (found, sentence in said) == (code, True), said
        # Without its key the witness's line is passed over.
        assert case.run()[0] == INTACT
    (case.tiles / "checkpoint").write_text(note, "utf-8")
    found, said = case.run(vkey="both.txt")
    assert (found, "见证“witness.gov.cn”没有签名" in said) == (INTACT, True), said


def test_every_command_of_its_guide_works(case: Case) -> None:
    guide = VERIFIER.with_name("README.md").read_text("utf-8")
    commands = re.findall(r"^python3 verify\.py (.+)$", guide, re.MULTILINE)
    (case.folder / "tiles").rename(case.folder / "瓦片文件夹")
    for name, copy in (
        ("old.txt", "2025年检查点.txt"),
        ("old.txt", "2026年检查点.txt"),
        ("a.tlog-proof", "批复.tlog-proof"),
        ("a.json", "批复.json"),
    ):
        shutil.copy(case.folder / name, case.folder / copy)
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-I", str(VERIFIER), *command.split()],
            cwd=case.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == INTACT, (command, done.stdout, done.stderr)
