"""The recorder that a use case carries: one request's context, one line to write an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.changes import Change, change, commitment_change
from audit.events import Actor, EventDraft, Outcome, Via
from audit.journal import Recorded, record
from audit.sealing import Personal, Sealer
from models.blobs import put_blob
from models.canonical import canonical_bytes
from models.engine import Work
from models.errors import JixiaoError
from models.ids import new_id

# A rewritten text may change hundreds of fields; beyond this many bytes the list itself goes to ``blob``, so that an event
# stays below 16 KiB (audit.md).
_INLINE_BYTES = 12_000


Detail = tuple[str, Any, Any]
# What is personal among the details of an event about an object (type, id): those values come back as ``Personal``.
Guard = Callable[[tuple[str, str], Iterable[Detail]], Iterable[Detail]]


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes events of one request to one log; ``mac_key`` protects the outbox on PostgreSQL.

    ``guard`` sees the details of every event, so that no use case can forget what is personal; ``sealer`` gives what seals it,
    and is asked only then, since most events hold nothing personal.
    """

    request: str
    app: str
    via: Via = Via.CLI
    log: str = "main"
    mac_key: bytes | None = None
    session: str | None = None
    sealer: Callable[[], Sealer] | None = None
    guard: Guard | None = None

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
        """Writes an event in the caller's transaction.

        ``details`` are (pointer, old, new): long ones go to ``blob``, and of ``Personal`` ones only the commitment is written.
        """
        if self.guard is not None:
            details = self.guard(obj, details)
        changes = [self._change(work, detail, now) for detail in details]
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

    def _change(self, work: Work, detail: Detail, now: datetime) -> Change:
        pointer, *sides = detail
        if not any(isinstance(side, Personal) for side in sides):
            return change(*detail)
        if self.sealer is None:
            raise JixiaoError("这次记录没有密封密钥，不能写入个人信息；请报告维护人员。")
        sealer = self.sealer()
        old, new = (
            None if side is None else sealer.seal(work, side.subject_id, pointer, side.value, now) for side in sides
        )
        return Change(commitment_change(pointer, old, new))
