"""Tasks: whose turn it is. Opened and closed only inside a transition."""

from __future__ import annotations

from datetime import datetime

from models.engine import Work
from models.ids import new_id
from workflow.authority import organization_for
from workflow.deadlines import due_day
from workflow.definition import Definition, TaskRule
from workflow.situation import TextRow
from workflow.statements import INSERT_TASK


def open_task(work: Work, definition: Definition, rule: TaskRule, text: TextRow, now: datetime) -> None:
    """Opens the task of a state for the role's organization, due on a local day."""
    deadline = rule.deadline
    work.run(
        INSERT_TASK,
        id=new_id(now),
        text_id=text.id,
        state=text.state,
        round=text.round,
        role=rule.role,
        organization_id=organization_for(definition, rule.role, text),
        opened_at=now,
        due_on=due_day(deadline, now).isoformat() if deadline else None,
        version=text.current_version,
        row_version=text.row_version,
    )
