"""The tables of the audit log (audit.md); all keyed by log, since an installation may hold several."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class AuditLog(Base):
    """One log: its origin (the key's name) and verifier key."""

    __tablename__ = "audit_log"

    id: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(unique=True)
    vkey: Mapped[str]
    created: Mapped[datetime]


class AuditKey(Base):
    """A verifier key of a log with the sizes from and up to which it signs; of a rotation's two keys both do for a while."""

    __tablename__ = "audit_key"

    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"), primary_key=True)
    vkey: Mapped[str] = mapped_column(primary_key=True)
    from_size: Mapped[int]
    until_size: Mapped[int | None]


class AuditOutbox(Base):
    """An event committed on PostgreSQL that has no index yet; a queue, emptied by the integrator."""

    __tablename__ = "audit_outbox"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"))
    event_id: Mapped[str] = mapped_column(unique=True)
    body: Mapped[bytes]
    mac: Mapped[bytes]
    created: Mapped[datetime]


class AuditEntry(Base):
    """A leaf: the bytes as they were hashed, never serialized again, and their RFC 6962 leaf hash."""

    __tablename__ = "audit_entry"

    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"), primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[bytes]
    leaf: Mapped[bytes]


class AuditProjection(Base):
    """Columns for queries, rebuildable from the bodies and never trusted."""

    __tablename__ = "audit_projection"

    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"), primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(unique=True)
    ts: Mapped[datetime]
    act: Mapped[str]
    actor: Mapped[str]
    obj_type: Mapped[str]
    obj_id: Mapped[str]
    obj_ver: Mapped[int]
    out: Mapped[str]

    __table_args__ = (sa.Index("ix_audit_projection_object", "obj_type", "obj_id", "obj_ver"),)


class AuditObject(Base):
    """Version and leaf hash of each object's newest event: what the next event of the object links to."""

    __tablename__ = "audit_object"

    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"), primary_key=True)
    obj_type: Mapped[str] = mapped_column(primary_key=True)
    obj_id: Mapped[str] = mapped_column(primary_key=True)
    ver: Mapped[int]
    leaf: Mapped[bytes]


class AuditTile(Base):
    """A full tile of height 8: 256 hashes, 8,192 bytes."""

    __tablename__ = "audit_tile"

    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    h: Mapped[bytes]


class AuditHead(Base):
    """The head of a log: size, frontier (compact range), right edge of the upper tiles, root."""

    __tablename__ = "audit_head"

    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"), primary_key=True)
    n: Mapped[int]
    frontier: Mapped[bytes]
    edge: Mapped[bytes]
    root: Mapped[bytes]


class AuditCheckpoint(Base):
    """A signed checkpoint (C2SP signed note) of a size."""

    __tablename__ = "audit_checkpoint"

    log: Mapped[str] = mapped_column(sa.ForeignKey("audit_log.id"), primary_key=True)
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str]
    cosignatures: Mapped[str] = mapped_column(default="")
    timestamp_token: Mapped[bytes | None]
    created: Mapped[datetime]
