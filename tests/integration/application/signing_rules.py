"""A small definition with one sign-off by two seats, for tests of votes."""

from __future__ import annotations

from typing import Any

from application.workflows import publish
from models.engine import transaction
from models.people import Role

RULES = """
name: co_{rule}
version: 1
title: 签署
kind: budget
initial: draft
roles:
  drafter: {{title: 经办人, of: department}}
  department_head: {{title: 部门负责人, of: department}}
  reviewer: {{title: 初审, of: finance}}
  second_reviewer: {{title: 复审, of: finance}}
separate:
  - [reviewer]
  - [second_reviewer]
states:
  draft: {{title: 草案, status: 草案, editable: true, document: draft, task: {{role: drafter}}}}
  signing: {{title: 签署, status: 送审稿, document: review, task: {{role: reviewer, due: 5 days}},
    sign: {{rule: {rule}, seats: [reviewer, second_reviewer], passed: pass, failed: reject}}}}
  done: {{title: 完成, status: 批复稿, document: approval, task: {{role: reviewer}}}}
  ended: {{title: 结束, status: 公开稿, document: publication, final: true}}
transitions:
  - {{action: submit, title: 报送, from: draft, to: signing, by: department_head, as: submitter, freeze: true}}
  - {{action: pass, title: 通过, from: signing, to: done, by: sign_off, guards: [content_unchanged]}}
  - {{action: reject, title: 不通过, from: signing, to: draft, by: sign_off}}
  - {{action: recall, title: 撤回, from: [signing, done], to: undo, by: last_actor, guards: [nobody_acted_since]}}
  - {{action: finish, title: 办结, from: done, to: ended, by: reviewer}}
"""


def publish_signing(office: Any, rule: str, *changes: tuple[str, str]) -> str:
    """A text in a sign-off of a reviewer and a second reviewer, by a definition with these words replaced."""
    source = RULES.format(rule=rule)
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    drafter = office.people[Role.DRAFTER]
    with transaction(office.installation.engine) as work:
        publish(work, drafter.recorder, source.encode(), actor="-", role="-", now=drafter.now())
    text: str = office.imported(workflow=f"co_{rule}")
    office.act(Role.DEPARTMENT_HEAD, text, "submit")
    return text
