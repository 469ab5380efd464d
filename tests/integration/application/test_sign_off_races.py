"""Several processes vote at once: every vote counts once, and the last one fires the transition exactly once.

``JIXIAO_RACE_ROUNDS=1000`` runs as many rounds as the requirement names; few of them are enough to notice a missing lock.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from race_worker import vote

from application.importing import latest_definition, snapshot_of
from application.workflows import publish
from documents.reading import read_text
from models.engine import transaction
from models.ids import new_id
from models.people import Role
from models.process import Signature, Step, Task
from models.texts import BudgetText
from workflow.versions import open_text

SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"
ROUNDS = int(os.environ.get("JIXIAO_RACE_ROUNDS", "12"))
DEFINITION = """
name: race_{rule}_{seats}
version: 1
title: 竞争
kind: budget
initial: draft
roles:
  drafter: {{title: 经办人, of: department}}
  department_head: {{title: 部门负责人, of: department}}
  reviewer: {{title: 初审, of: finance}}
states:
  draft: {{title: 草案, status: 草案, editable: true, document: draft, task: {{role: drafter}}}}
  signing: {{title: 签署, status: 送审稿, document: review, task: {{role: reviewer}},
    sign: {{rule: {rule}, seats: [{names}], passed: pass}}}}
  done: {{title: 完成, status: 批复稿, document: approval, final: true}}
transitions:
  - {{action: submit, title: 报送, from: draft, to: signing, by: department_head, as: submitter, freeze: true}}
  - {{action: pass, title: 通过, from: signing, to: done, by: sign_off, guards: [content_unchanged]}}
"""


def texts_to_sign(office, rule: str, seats: int, count: int) -> list[str]:
    """Texts in a sign-off of so many seats."""
    source = DEFINITION.format(rule=rule, seats=seats, names=", ".join(["reviewer"] * seats))
    drafter = office.people[Role.DRAFTER]
    content = read_text(SAMPLE.read_bytes()).content
    with transaction(office.installation.engine) as work:
        publish(work, drafter.recorder, source.encode(), actor="-", role="-", now=drafter.now())
    out = []
    with transaction(office.installation.engine) as work:
        definition = latest_definition(work, f"race_{rule}_{seats}").id
        for _ in range(count):
            text = open_text(
                work,
                text_id=new_id(drafter.now()),
                organization_id=drafter.person.organization_id,
                reviewing_id=office.people[Role.REVIEWER].person.organization_id,
                definition_id=definition,
                snapshot=snapshot_of(content),
                source=b"",
                doubts=[],
                actor=drafter.actor,
                reason="race",
                recorder=drafter.recorder,
                now=drafter.now(),
            )
            out.append(text.id)
    for text_id in out:
        office.act(Role.DEPARTMENT_HEAD, text_id, "submit")
    return out


def race(office, tokens: list[str], ids: list[str]) -> dict[str, Counter[str]]:
    """What came out for each text when every token's process voted on it at the same moment."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(len(tokens)), context.Queue()
    settings = office.installation.settings
    workers = [
        context.Process(
            target=vote, args=(str(settings.home), str(settings.database_url), token, ids, barrier, results, number)
        )
        for number, token in enumerate(tokens)
    ]
    for worker in workers:
        worker.start()
    outcomes: dict[str, Counter[str]] = {text: Counter() for text in ids}
    for _ in range(len(tokens) * len(ids)):
        _, text, outcome = results.get(timeout=300)
        outcomes[text][outcome] += 1
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    return outcomes


def written(office, ids: list[str]) -> list[tuple[Any, ...]]:
    """For each text: its state, signatures, steps, open tasks."""

    def count(model: Any, *conditions: Any) -> Any:
        return (
            sa.select(sa.func.count())
            .select_from(model)
            .where(model.text_id == BudgetText.id, *conditions)
            .scalar_subquery()
        )

    query = sa.select(
        BudgetText.state, count(Signature), count(Step, Step.action == "pass"), count(Task, Task.closed_at.is_(None))
    ).where(BudgetText.id.in_(ids))
    with transaction(office.installation.engine, read_only=True) as work:
        return [tuple(row) for row in work.connection.execute(query)]


@pytest.mark.parametrize("voters", [2, 8])
def test_all_sign_at_once_and_one_vote_fires(office, voters: int) -> None:
    tokens = [office.token(Role.REVIEWER, f"voter{number}") for number in range(voters)]
    ids = texts_to_sign(office, "all", voters, ROUNDS)
    outcomes = race(office, tokens, ids)
    assert set(map(frozenset, (counter.items() for counter in outcomes.values()))) == {
        frozenset({("pending", voters - 1), ("passed", 1)})
    }
    assert written(office, ids) == [("done", voters, 1, 0)] * ROUNDS


@pytest.mark.parametrize("voters", [2, 8])
def test_any_signs_and_the_others_come_too_late(office, voters: int) -> None:
    tokens = [office.token(Role.REVIEWER, f"voter{number}") for number in range(voters)]
    ids = texts_to_sign(office, "any", voters, ROUNDS)
    outcomes = race(office, tokens, ids)
    for counter in outcomes.values():
        assert counter["passed"] == 1
        assert counter["invalid_transition"] + counter["conflict"] == voters - 1
    assert written(office, ids) == [("done", 1, 1, 0)] * ROUNDS


def test_one_person_in_two_processes_votes_once(office) -> None:
    token = office.token(Role.REVIEWER, "voter")
    ids = texts_to_sign(office, "all", 2, ROUNDS)
    outcomes = race(office, [token, token], ids)
    assert all(counter == {"pending": 1, "guard_failed": 1} for counter in outcomes.values())
    assert written(office, ids) == [("signing", 1, 0, 1)] * ROUNDS
