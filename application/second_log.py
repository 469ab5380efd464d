"""Making the second log, that of the looks of auditors (``application.looks``)."""

from __future__ import annotations

from datetime import datetime

from application.installation import READS, Installation
from application.keyring import stem_of
from audit.acts import Act
from audit.journal import create_log
from audit.keys import Signer
from audit.recorder import Recorder
from audit.rotation import lock_path
from models.engine import Work
from models.log import AuditLog


def reads_signer(installation: Installation, origin: str) -> Signer:
    """The key of the second log, made where there is none; its name is that of the main log and ``/reads``."""
    folder, name = installation.keyring.folder, f"{origin}/{READS}"
    stem = stem_of(READS)
    path, head, lock = folder / f"{stem}.pem", folder / f"{stem}.head", lock_path(folder, stem)
    if path.exists():
        return Signer.load(path, name, head_path=head, lock_path=lock)
    return Signer.create(path, name, head_path=head, lock_path=lock)


def begin_reads(work: Work, recorder: Recorder, signer: Signer, now: datetime) -> bool:
    """Makes the second log in the caller's transaction, with its event in the main one; False where there is one already."""
    if work.session.get(AuditLog, READS) is not None:
        return False
    create_log(work, log_id=READS, origin=signer.name, vkey=signer.vkey, now=now)
    recorder.write(
        work,
        Act.LOG_CREATE,
        actor="-",
        role="-",
        obj=("audit_log", READS),
        now=now,
        details=[("/vkey", None, signer.vkey)],
    )
    return True
