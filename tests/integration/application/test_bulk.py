"""Bulk actions: a result per text, few transactions, one common id."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from office_state import counts, state_of

from application import bulk
from application.acting import Remark
from application.bulk import act_on_many
from audit.timeline import events
from models.engine import transaction
from models.errors import InvalidInput
from models.log import AuditEntry
from models.people import Role


def test_every_text_has_its_own_result_and_event(office) -> None:
    good = [office.driven("submitted") for _ in range(3)]
    draft = office.imported()
    ids = [good[2], draft, good[0], "nothing", good[1], good[2]]
    done = act_on_many(office.people[Role.REVIEWER], ids, action="accept")
    assert (done["done"], done["failed"]) == (3, 2)
    assert [item["text"] for item in done["results"]] == [good[2], draft, good[0], "nothing", good[1]]
    assert [item.get("code") for item in done["results"]] == [None, "not_allowed", None, "not_found", None]
    assert {state_of(office.installation, text)[0] for text in good} == {"first_review"}
    assert state_of(office.installation, draft)[0] == "draft"
    office.installation.catch_up()
    with transaction(office.installation.engine, read_only=True) as work:
        logged = {
            text: list(events(work, log="main", obj_type="text", obj_id=text, limit=500))[-1].event
            for text in [*good, draft]
        }
    assert {event["bulk"]["id"] for event in logged.values()} == {done["bulk"]}
    assert {event["out"] for text, event in logged.items() if text in good} == {"success"}
    assert logged[draft]["out"] == "denied"


def test_a_refusal_leaves_nothing_of_its_text(sqlite_office) -> None:
    office = sqlite_office
    texts = [office.driven("first_review") for _ in range(2)]
    before = counts(office.installation)
    done = act_on_many(
        office.people[Role.REVIEWER], texts, action="return", reason="x", remarks=[Remark("/nowhere/x/y", "无")]
    )
    assert done["failed"] == 2
    after = counts(office.installation)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"audit_entry", "audit_projection", "audit_checkpoint", "audit_object", "audit_outbox"}


def test_fifty_texts_share_one_transaction(sqlite_office, monkeypatch) -> None:
    office = sqlite_office
    texts = [office.driven("submitted") for _ in range(7)]
    monkeypatch.setattr(bulk, "BATCH", 3)
    began = []

    def count(_connection: object) -> None:
        began.append(1)

    sa.event.listen(office.installation.engine, "commit", count)
    moved: list[int] = []
    act_on_many(office.people[Role.REVIEWER], texts, action="accept", done=moved.append)
    sa.event.remove(office.installation.engine, "commit", count)
    assert moved == [3, 6, 7]
    # Three for the texts; the rest only read, or sign a checkpoint.
    with transaction(office.installation.engine, read_only=True) as work:
        assert work.connection.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) > 7


def test_a_batch_that_breaks_is_not_there(sqlite_office, monkeypatch) -> None:
    office = sqlite_office
    texts = sorted(office.driven("submitted") for _ in range(5))
    monkeypatch.setattr(bulk, "BATCH", 2)
    original, calls = bulk.carry_out, []

    def breaking(work, request, text_id, order, *, bulk):
        calls.append(text_id)
        if len(calls) == 4:
            raise MemoryError
        return original(work, request, text_id, order, bulk=bulk)

    monkeypatch.setattr(bulk, "carry_out", breaking)
    with pytest.raises(MemoryError):
        act_on_many(office.people[Role.REVIEWER], texts, action="accept")
    states = [state_of(office.installation, text)[0] for text in texts]
    assert states == ["first_review", "first_review", "submitted", "submitted", "submitted"]


def test_an_empty_list_and_an_endless_one_are_refused(sqlite_office) -> None:
    reviewer = sqlite_office.people[Role.REVIEWER]
    for ids in ([], [str(n) for n in range(10_001)]):
        with pytest.raises(InvalidInput):
            act_on_many(reviewer, ids, action="accept")
