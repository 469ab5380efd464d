"""The keys of an installation, from the files in ``keys/``: read when first needed, and again where they were changed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from models.engine import transaction
from models.errors import Conflict, InvalidInput, LogCorrupt, NotFound
from models.prepared import Prepared
from models.sealed import SubjectKey

if TYPE_CHECKING:
    from audit.keys import Signer
    from audit.sealing import Sealer

R = TypeVar("R")

# The first part of the names of a log's key files: ``log.pem``, ``log.head``, ``reads.pem``, …
STEMS = {"main": "log"}

_SEALED_BEFORE = Prepared(sa.select(SubjectKey.subject_id).limit(1))


class Keyring:
    """The keys in a folder, for the logs of a database."""

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        self.folder = folder
        self._engine = engine
        self._signers: dict[str, tuple[tuple[str, ...], Signer]] = {}

    @functools.cached_property
    def mac_key(self) -> bytes | None:
        """The key that protects the outbox on PostgreSQL; SQLite has no outbox."""
        from audit.keyfiles import load_mac_key

        return None if self._engine.dialect.name == "sqlite" else load_mac_key(self.folder / "outbox.key")

    @functools.cached_property
    def sealer(self) -> Sealer:
        """What seals personal data; an installation from before gets its key at the first need.

        Raises NotFound where the key is missing although values were sealed with it: a new one would open none of them.
        """
        from audit.keyfiles import create_seal_key, load_seal_key
        from audit.sealing import Sealer

        path = self.folder / "seal.key"
        if not path.exists():
            with transaction(self._engine, read_only=True) as work:
                sealed = work.one(_SEALED_BEFORE) is not None
            if not sealed:
                try:
                    return Sealer(create_seal_key(path))
                except Conflict:
                    pass  # another process has just made it
        return Sealer(load_seal_key(path))

    def opener(self) -> Sealer | None:
        """What opens personal data, for screens; None on a copy without keys, which must still be readable."""
        from audit.keyfiles import load_seal_key
        from audit.sealing import Sealer

        try:
            return Sealer(load_seal_key(self.folder / "seal.key"))
        except NotFound:
            return None

    def signer(self, log: str) -> Signer:
        """The signer of a log; raises NotFound without a key, LogCorrupt with a foreign one: no key, no writing."""
        if log not in self._signers:
            self._signers[log] = self._load(log)
        return self._signers[log][1]

    def signing(self, log: str, act: Callable[[Signer], R]) -> R:
        """What ``act`` gives with the signer of a log; done once more where its keys have been changed by another process.

        A server that runs through a change of keys would else hold the old key, and find that nothing fits any more.
        """
        try:
            return act(self.signer(log))
        except LogCorrupt:
            known = self._signers.pop(log, None)
            fresh = self.signer(log)
            if known is not None and known[0] == self._signers[log][0]:
                raise
        return act(fresh)

    def head_files(self, log: str) -> list[Path]:
        """Where the last signed heads of a log lie, for whoever verifies: no right in the database reaches these files.

        Those of the keys that sign now, and whose private half is here; where the database no longer knows the log, whatever
        head files there are. Some may be missing: a key that was just made has signed nothing.
        """
        from audit.rotation import active_vkeys, key_path

        stem = stem_of(log)
        try:
            with transaction(self._engine, read_only=True) as work:
                vkeys = active_vkeys(work, log)
            keys = [key_path(self.folder, stem, vkey) for vkey in vkeys]
        except (NotFound, InvalidInput):
            return [*self.folder.glob(f"{stem}.head"), *self.folder.glob(f"{stem}.*.head")]
        heads = ((key.exists(), key.with_suffix(".head")) for key in dict.fromkeys(keys))
        return [head for has_key, head in heads if has_key or head.exists()]

    def _load(self, log: str) -> tuple[tuple[str, ...], Signer]:
        from audit.rotation import active_vkeys, load_signer
        from audit.storage import read_identity

        with transaction(self._engine, read_only=True) as work:
            origin = read_identity(work, log).origin
            vkeys = active_vkeys(work, log)
        return vkeys, load_signer(self.folder, stem_of(log), origin, vkeys)


def stem_of(log: str) -> str:
    """The first part of the names of a log's key files."""
    return STEMS.get(log, log)
