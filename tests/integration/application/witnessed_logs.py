"""A witness on a real port, and logs of our own making that speak to it without a database."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application.witness_server import PATH, WitnessServer
from application.witness_service import WitnessService, create_witness, open_witness
from audit import tree
from audit.notes import CheckpointText, VerifierKey, sign_note
from audit.witness import render_request

WITNESS = "audit.example/witness"


@dataclass
class MadeLog:
    """A log of numbered leaves; a ``branch`` shares the leaves below its fork and differs from there on."""

    origin: str = "finance.example/log"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    fork: int = 10**9

    @property
    def key(self) -> VerifierKey:
        return VerifierKey(self.origin, self.private.public_key().public_bytes_raw())

    def branch(self, fork: int) -> MadeLog:
        return MadeLog(self.origin, self.private, fork)

    def note(self, size: int) -> str:
        text = CheckpointText(self.origin, size, self._range(0, size) if size else tree.EMPTY_ROOT)
        return str(sign_note(str(text), self.origin, self.private))

    def proof(self, old: int, size: int) -> list[bytes]:
        return tree.consistency_proof(old, size, self._range)

    def request(self, old: int, size: int) -> bytes:
        return render_request(old, self.proof(old, size) if old <= size else [], self.note(size))

    def _range(self, low: int, high: int) -> bytes:
        if high - low == 1:
            return tree.leaf_hash(b"%d %d" % (low, low >= self.fork))
        middle = low + tree.split_point(high - low)
        return tree.node_hash(self._range(low, middle), self._range(middle, high))


@dataclass
class Answered:
    status: int
    content_type: str | None
    body: bytes


def send(url: str, body: bytes, path: str = PATH, method: str = "POST") -> Answered:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 80), timeout=20)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return Answered(answer.status, answer.getheader("Content-Type"), answer.read())
    finally:
        connection.close()


@contextlib.contextmanager
def serving(witness: WitnessService) -> Iterator[WitnessServer]:
    """The witness on a free port, in a thread of this process."""
    server = WitnessServer(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def made_witness(folder: Path, *keys: VerifierKey) -> WitnessService:
    """A new witness that trusts logs."""
    create_witness(folder, WITNESS)
    witness = open_witness(folder)
    for key in keys:
        witness.storage.trust(key, 0)
    return witness
