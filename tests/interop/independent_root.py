"""Recomputes the root of an audit log in a SQLite file and checks its newest checkpoint, sharing no code with jixiao.

    python independent_root.py FILE VKEY [LOG]

Written from RFC 6962 and the C2SP specifications alone, with the standard library and an Ed25519 implementation. Prints one
JSON object; the exit code is 0 when the stored bytes have the root that the key VKEY has signed.
"""

import base64
import hashlib
import json
import sqlite3
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_hash(leaves):
    """Merkle tree hash of RFC 6962 section 2.1: pairs upwards, where a lonely right node is carried up unchanged."""
    if not leaves:
        return sha256(b"")
    row = [sha256(b"\x00" + leaf) for leaf in leaves]
    while len(row) > 1:
        pairs = [sha256(b"\x01" + row[i] + row[i + 1]) for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(pairs) * 2 :]
    return row[0]


def check_signature(note, vkey):
    """Origin, size and root of a note that the key has signed; raises where it has not."""
    name, key_id, key = vkey.split("+", 2)
    public = base64.b64decode(key)
    if public[0] != 1 or sha256(name.encode() + b"\n" + public)[:4].hex() != key_id:
        raise ValueError("bad key")
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        _dash, signer, data = line.split(" ")
        raw = base64.b64decode(data)
        if signer == name and raw[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(raw[4:], text.encode())
            origin, size, root = text.splitlines()[:3]
            if origin != name:
                raise ValueError("another origin")
            return int(size), base64.b64decode(root)
    raise ValueError("no signature of this key")


def main(path, vkey, log="main"):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    bodies = [row[0] for row in database.execute("SELECT body FROM audit_entry WHERE log = ? ORDER BY idx", (log,))]
    (note,) = database.execute(
        "SELECT note FROM audit_checkpoint WHERE log = ? ORDER BY size DESC LIMIT 1", (log,)
    ).fetchone()
    database.close()
    try:
        size, root = check_signature(note, vkey)
    except (InvalidSignature, ValueError) as error:
        return {"ok": False, "reason": f"signature: {error!r}"}
    found = tree_hash(bodies[:size])
    ok = len(bodies) >= size and found == root
    return {"ok": ok, "size": size, "root": found.hex(), "signed": root.hex(), "entries": len(bodies)}


if __name__ == "__main__":
    answer = main(*sys.argv[1:])
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.exit(0 if answer["ok"] else 1)
