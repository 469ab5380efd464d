"""The recorder that a use case carries: one request's context, one line to write an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.changes import change
from audit.events import Actor, EventDraft, Outcome, Via
from audit.journal import Recorded, record
from models.blobs import put_blob
from models.canonical import canonical_bytes
from models.engine import Work
from models.ids import new_id

# A rewritten text may change hundreds of fields; beyond this many bytes the list itself goes to ``blob``, so that an event
# stays below 16 KiB (audit.md).
_INLINE_BYTES = 12_000


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes events of one request to one log; ``mac_key`` protects the outbox on PostgreSQL."""

    request: str
    app: str
    via: Via = Via.CLI
    log: str = "main"
    mac_key: bytes | None = None
    session: str | None = None

    def write(
        self,
        work: Work,
        act: str,
        *,
        actor: str,
        role: str,
        obj: tuple[str, str],
        now: datetime,
        out: Outcome = Outcome.SUCCESS,
        why: str | None = None,
        after: str | None = None,
        details: Iterable[tuple[str, Any, Any]] = (),
        wf: Mapping[str, Any] | None = None,
        on_behalf_of: str | None = None,
        bulk: Mapping[str, Any] | None = None,
    ) -> Recorded:
        """Writes an event in the caller's transaction; ``details`` are (pointer, old, new), long ones go to ``blob``."""
        changes = [change(pointer, old, new) for pointer, old, new in details]
        entries = [item.entry for item in changes]
        if entries and len(canonical_bytes(entries)) > _INLINE_BYTES:
            whole = change("", None, entries)
            changes, entries = [*changes, whole], [whole.entry]
        for item in changes:
            for data in item.blobs.values():
                put_blob(work, data, now)
        context = {"req": self.request, "app": self.app}
        if self.session is not None:
            context["ses"] = self.session
        draft = EventDraft(
            act=act,
            out=out,
            actor=Actor(sub=actor, role=role, via=self.via, on_behalf_of=on_behalf_of),
            obj_type=obj[0],
            obj_id=obj[1],
            ctx=context,
            why=why,
            chg=entries,
            after=after,
            wf=wf,
            bulk=bulk,
        )
        return record(work, draft, log=self.log, event_id=new_id(now), now=now, mac_key=self.mac_key)
