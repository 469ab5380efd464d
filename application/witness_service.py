"""A witness's folder: its key, its verifier key to hand out, and its memory. No installation of jixiao is needed for it.

``witness.pem`` is the private key (mode 0600), ``witness.vkey`` the verifier key, ``witness.db`` the memory. A witness that
has lost its memory must not go on under the same key: it would cosign a second history. So the memory is never made anew
beside a key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit.cosignatures import parse_cosigner
from audit.keyfiles import replace_file
from audit.keys import create_private_key, load_private_key
from audit.notes import VerifierKey, check_name, parse_checkpoint, parse_note, parse_vkey
from audit.witness import Answer, Cosigner, decide, malformed, parse_request, refused
from audit.witness_storage import WitnessStorage
from models.base import timestamp
from models.errors import Conflict, InvalidInput, LogCorrupt, NotFound

_TITLE = "见证私钥"
_RESTORE = "请从密钥备份恢复到该路径"
_LARGEST_KEY_FILE = 4096

Seconds = Callable[[], int]


def posix_now() -> int:
    """The clock of everything that is not a test, in POSIX seconds."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class WitnessService:
    """An opened witness; any number of threads may call it."""

    cosigner: Cosigner
    storage: WitnessStorage
    clock: Seconds = posix_now

    def add_checkpoint(self, body: bytes) -> tuple[Answer, dict[str, Any]]:
        """The answer to an ``add-checkpoint`` request, stored before it returns, and its facts for the program's log."""
        try:
            request = parse_request(body)
        except InvalidInput as error:
            return malformed(error), {}
        facts = {"origin": request.checkpoint.origin, "old": request.old, "size": request.checkpoint.size}
        answer = refused(request, self.storage.keys(request.checkpoint.origin))
        if answer is None:
            # The clock is read under the storage's lock: of two requests the later one states the later time.
            answer = self.storage.advance(
                request, lambda seen: decide(request, seen, self.cosigner, self.clock()), self.clock()
            )
        return answer, facts


def create_witness(folder: Path, name: str) -> str:
    """Makes a witness in a folder and returns its verifier key; raises Conflict where there is one already."""
    check_name(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem, vkey, storage = folder / "witness.pem", folder / "witness.vkey", WitnessStorage(folder / "witness.db")
    if vkey.exists():
        raise Conflict(f"{folder} 里已经有见证者，没有改动它；新的见证者请用另一个文件夹。")
    if not storage.path.exists():
        if pem.exists():
            raise Conflict(f"{folder} 里有见证私钥而没有记录，没有改动它；新的见证者请用另一个文件夹。")
        storage.create()
    # The verifier key is written last and whole. A start that was broken off before it has cosigned nothing, and is gone on
    # with: it would else be neither a witness nor room for one.
    private = load_private_key(pem, _TITLE, _RESTORE) if pem.exists() else create_private_key(pem, _TITLE)
    cosigner = Cosigner(name, private)
    replace_file(vkey, f"{cosigner.key}\n".encode())
    vkey.chmod(0o644)
    return str(cosigner.key)


def open_witness(folder: Path, *, clock: Seconds = posix_now) -> WitnessService:
    """The witness in a folder.

    Raises NotFound where there is none, and LogCorrupt where its memory is missing or the keys do not fit each other.
    """
    vkey_file = folder / "witness.vkey"
    if not vkey_file.exists():
        raise NotFound(f"{folder} 里没有见证者（没有 witness.vkey）；请先运行 jixiao audit witness init。")
    key = parse_cosigner(read_key_file(vkey_file))
    cosigner = Cosigner(key.name, load_private_key(folder / "witness.pem", _TITLE, _RESTORE))
    if cosigner.key != key:
        raise LogCorrupt(f"{folder} 里的见证私钥与 witness.vkey 不符；请从备份恢复两个文件，不要另造。")
    storage = WitnessStorage(folder / "witness.db")
    if not storage.path.exists():
        raise LogCorrupt(
            f"见证者的记录 {storage.path} 不见了；没有它就会给两份历史签名。请从备份恢复到最新，或停用这把密钥，另建见证者。"
        )
    return WitnessService(cosigner, storage, clock)


def read_key_file(path: Path) -> str:
    """The text of a file with verifier keys; raises InvalidInput where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_KEY_FILE).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} 不是公钥文件；请检查文件。") from None
    except OSError as error:
        raise InvalidInput(f"不能读取 {path}（{error.strerror}）；请检查路径和权限。") from error


def trust_logs(folder: Path, vkeys: str) -> list[tuple[VerifierKey, bool]]:
    """Adds the verifier keys of logs, one in a line; each key, and whether it is new."""
    witness = open_witness(folder)
    keys = [parse_vkey(line) for line in vkeys.splitlines()]
    return [(key, witness.storage.trust(key, witness.clock())) for key in keys]


def witness_report(folder: Path) -> dict[str, Any]:
    """What a witness is and has seen, as a JSON object."""
    witness = open_witness(folder)
    return {
        "name": witness.cosigner.name,
        "vkey": str(witness.cosigner.key),
        "logs": [
            {
                "origin": item.origin,
                "vkeys": list(item.vkeys),
                "size": item.seen.size if item.seen else 0,
                "root": item.seen.root.hex() if item.seen else None,
                "time": _utc(item.seen.seconds) if item.seen else None,
            }
            for item in witness.storage.logs()
        ],
        "evidence": [
            {
                "origin": item.origin,
                "size": item.size,
                "root": parse_checkpoint(parse_note(item.note).text).root.hex(),
                "known": item.known,
                "status": item.status,
                "received": _utc(item.received),
                "note": item.note,
            }
            for item in witness.storage.evidence()
        ],
    }


def witnessed_checkpoint(folder: Path, origin: str) -> str:
    """The newest checkpoint note of a log with the witness's own cosignature; raises NotFound before the first."""
    for item in open_witness(folder).storage.logs():
        if item.origin == origin and item.note is not None and item.cosignature is not None:
            return item.note + item.cosignature
    raise NotFound(f"还没有见证过“{origin}”的检查点；请用 jixiao audit witness show 查看来源的名称。")


def _utc(seconds: int) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
