"""A witness's memory: one SQLite file with the logs it trusts, the newest head of each, and signed heads that did not fit.

Check and store are one transaction that begins with the write lock, so that of two requests one sees the other's result,
and nothing is answered that is not on the disk.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.notes import VerifierKey, parse_vkey
from audit.witness import Answer, Request, Seen
from models.errors import Conflict, DatabaseUnavailable, NotFound

# How long a request waits for another one's transaction, in seconds.
LOCK_TIMEOUT = 10.0
# Signed heads that did not fit, by log: enough to show, too few to fill a disk.
MAX_EVIDENCE = 1000

_SCHEMA = """
CREATE TABLE trusted (origin TEXT NOT NULL, vkey TEXT NOT NULL PRIMARY KEY, added INTEGER NOT NULL) STRICT;
CREATE TABLE seen (
    origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, seconds INTEGER NOT NULL,
    note TEXT NOT NULL, cosignature TEXT NOT NULL
) STRICT;
CREATE TABLE evidence (
    origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, known INTEGER NOT NULL,
    status INTEGER NOT NULL, received INTEGER NOT NULL, PRIMARY KEY (origin, size, root)
) STRICT;
"""

Decide = Callable[[Seen | None], Answer]


@dataclass(frozen=True, slots=True)
class WitnessedLog:
    """A trusted log: its origin, its keys, and its newest head with the note and the cosignature line (None before)."""

    origin: str
    vkeys: tuple[str, ...]
    seen: Seen | None
    note: str | None
    cosignature: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A head with a trusted signature that was refused: what was known then, the answer, and when it came (POSIX)."""

    origin: str
    size: int
    note: str
    known: int
    status: int
    received: int


class WitnessStorage:
    """The file; each call has a connection of its own, so that threads and processes may share the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Makes the file (mode 0600); raises Conflict where it exists."""
        if self.path.exists():
            raise Conflict(f"{self.path} 已经存在，没有改动它；请换一个文件夹。")
        # Under another name first: an interrupted start must not leave a file that looks like a memory and is none.
        made = self.path.with_name(self.path.name + ".new")
        made.unlink(missing_ok=True)
        made.touch(mode=0o600)
        with WitnessStorage(made)._connection() as connection:  # noqa: SLF001 -- this very class
            connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        made.rename(self.path)

    def trust(self, key: VerifierKey, now: int) -> bool:
        """Adds a log's key; False where it is known already."""
        with self._transaction() as connection:
            done = connection.execute(
                "INSERT INTO trusted VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key.name, str(key), now)
            )
            return done.rowcount == 1

    def keys(self, origin: str) -> list[VerifierKey]:
        """The keys trusted for an origin, none where it is unknown."""
        with self._connection() as connection:
            rows = connection.execute("SELECT vkey FROM trusted WHERE origin = ? ORDER BY added, vkey", (origin,))
            return [parse_vkey(vkey) for (vkey,) in rows]

    def advance(self, request: Request, decide: Decide, now: int) -> Answer:
        """Decides on what is stored and stores what was decided, in one transaction; the answer is on disk when it returns."""
        origin, size, root = request.checkpoint.origin, request.checkpoint.size, request.checkpoint.root
        with self._transaction() as connection:
            row = connection.execute("SELECT size, root, seconds FROM seen WHERE origin = ?", (origin,)).fetchone()
            seen = None if row is None else Seen(*row)
            answer = decide(seen)
            if answer.seen is not None:
                stored = (origin, answer.seen.size, answer.seen.root, answer.seen.seconds, str(request.note))
                connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)", (*stored, answer.body))
            elif answer.suspicious:
                connection.execute(
                    "INSERT INTO evidence SELECT ?, ?, ?, ?, ?, ?, ? "
                    "WHERE (SELECT count(*) FROM evidence WHERE origin = ?) < ? ON CONFLICT DO NOTHING",
                    (
                        *(origin, size, root, str(request.note), 0 if seen is None else seen.size),
                        *(int(answer.status), now, origin, MAX_EVIDENCE),
                    ),
                )
            return answer

    def logs(self) -> list[WitnessedLog]:
        """All trusted logs by origin."""
        with self._connection() as connection:
            vkeys: dict[str, list[str]] = {}
            for origin, vkey in connection.execute("SELECT origin, vkey FROM trusted ORDER BY origin, added, vkey"):
                vkeys.setdefault(origin, []).append(vkey)
            found = {
                row[0]: (Seen(*row[1:4]), row[4], row[5])
                for row in connection.execute("SELECT origin, size, root, seconds, note, cosignature FROM seen")
            }
        return [
            WitnessedLog(origin, tuple(keys), *found.get(origin, (None, None, None))) for origin, keys in vkeys.items()
        ]

    def evidence(self) -> list[Evidence]:
        """Signed heads that did not fit, oldest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT origin, size, note, known, status, received FROM evidence ORDER BY received, origin, size"
            )
            return [Evidence(*row) for row in rows]

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            raise NotFound(f"没有 {self.path}；请先运行 jixiao audit witness init。")
        try:
            connection = sqlite3.connect(self.path, timeout=LOCK_TIMEOUT, isolation_level=None)
            try:
                # A rollback journal: the file is whole by itself whenever no transaction runs, and can be copied.
                connection.execute("PRAGMA synchronous=FULL")
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise Conflict(f"见证文件 {self.path} 正忙，等待超时；请稍后重试。") from error
            raise DatabaseUnavailable(
                f"见证文件 {self.path} 不能使用（{error}）；请检查权限和磁盘空间，文件损坏时请停用这个见证者。"
            ) from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
