"""Upgrading an installation: the schema, and what installations from before do not have yet, with its event."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from application.installation import LOG, Clock, Installation, new_request_id, utc_now
from application.keyring import stem_of
from application.migrations import SchemaState, schema_state, upgrade
from application.second_log import begin_reads, reads_signer
from application.settings import Settings
from audit.acts import Act
from audit.checkpoints import require_continues
from audit.events import Via
from audit.rotation import load_signer
from models.engine import make_engine, transaction
from models.log import AuditLog


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The schema as it is now, the verifier key of a second log that was made, and whether the log tells of the upgrade."""

    state: SchemaState
    reads_vkey: str | None
    recorded: bool


def upgrade_installation(settings: Settings, *, clock: Clock = utc_now) -> Upgraded:
    """Migrates up, and completes an installation from before: sealing key, second log, and the event of the upgrade.

    A database without its keys, such as an auditor's copy, is migrated and nothing is written to its log. Raises LogCorrupt,
    before anything is changed, where the keys are there and the log can't be carried on.
    """
    engine = make_engine(settings.engine_url())
    try:
        installation = Installation(settings, engine, clock)
        before = schema_state(engine)
        writable = (settings.keys / f"{stem_of(LOG)}.pem").exists() and _require_continues(installation, before)
        upgrade(engine)
        state = schema_state(engine)
        reads_vkey = _complete(installation, before, state) if writable else None
    finally:
        engine.dispose()
    return Upgraded(state, reads_vkey, writable and before.database != state.database)


def _require_continues(installation: Installation, before: SchemaState) -> bool:
    """Whether there is a log; by the columns that every revision has, since the rest of the schema may be an older one's."""
    if before.database is None:
        return False
    with transaction(installation.engine, read_only=True) as work:
        row = work.connection.execute(sa.select(AuditLog.origin, AuditLog.vkey).where(AuditLog.id == LOG)).first()
    if row is None:
        return False
    signer = load_signer(installation.settings.keys, stem_of(LOG), row.origin, [row.vkey])
    require_continues(installation.engine, signer, log=LOG)
    return True


def _complete(installation: Installation, before: SchemaState, state: SchemaState) -> str | None:
    """Writes what is missing; the verifier key of the second log where it was made."""
    keyring = installation.keyring
    reads = reads_signer(installation, keyring.signer(LOG).name)
    keyring.sealer  # noqa: B018 -- the key is made by asking for it, so that nothing has to be made in a request
    recorder = installation.recorder(new_request_id(), Via.CLI)
    now = installation.clock()
    with transaction(installation.engine) as work:
        made = begin_reads(work, recorder, reads, now)
        if before.database != state.database:
            recorder.write(
                work,
                Act.CONFIG_CHANGE,
                actor="-",
                role="-",
                obj=("schema", "database"),
                now=now,
                details=[("/revision", before.database, state.database)],
            )
    installation.settle()
    return reads.vkey if made else None
