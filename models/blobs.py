"""Immutable bytes by their SHA-256."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from models.base import UtcTime
from models.canonical import digest
from models.engine import Work
from models.errors import LogCorrupt, NotFound
from models.prepared import Prepared
from models.texts import Blob

# The same bytes may come twice, even from two writers at once: the first stays.
_PUT = Prepared(
    sa.text(
        "INSERT INTO blob (sha256, data, created_at) VALUES (:sha256, :data, :created_at) ON CONFLICT (sha256) DO NOTHING"
    ).bindparams(
        sa.bindparam("sha256", type_=sa.Text()),
        sa.bindparam("data", type_=sa.LargeBinary()),
        sa.bindparam("created_at", type_=UtcTime()),
    )
)
_GET = Prepared(sa.select(Blob.data).where(Blob.sha256 == sa.bindparam("sha256")))


def put_blob(work: Work, data: bytes, now: datetime) -> str:
    """Stores bytes once and returns their SHA-256."""
    sha256 = digest(data)
    work.run(_PUT, sha256=sha256, data=data, created_at=now)
    return sha256


def get_blob(work: Work, sha256: str) -> bytes:
    """The bytes of a SHA-256; raises NotFound, or LogCorrupt where they are not what the hash says."""
    row = work.one(_GET, sha256=sha256)
    if row is None:
        raise NotFound(f"数据库中没有哈希为 {sha256} 的内容。", sha256=sha256)
    data = bytes(row[0])
    if digest(data) != sha256:
        raise LogCorrupt(f"数据库中哈希为 {sha256} 的内容已被改动；请停止使用并核查数据库。", sha256=sha256)
    return data
