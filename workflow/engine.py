"""The one place that changes the state of a text.

``perform`` holds, in the caller's transaction: the state change, the tasks, opinions and answers, who took part, the
audit event, the effects (outbox rows) and the memory of the command. No audit event, no transition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from audit.recorder import Recorder
from models.base import timestamp
from models.canonical import canonical_bytes, digest, without_empty
from models.engine import Work
from models.errors import Conflict, InvalidInput, InvalidTransition, NotAllowed
from models.ids import new_id
from workflow import statements as sql
from workflow.authority import capacity_of, organization_for, refusals, role_wanted, whom
from workflow.definition import TASK_HOLDER, Definition
from workflow.effects import Moved, run_effects
from workflow.guards import UNANSWERED
from workflow.machine import advance, machine_for
from workflow.records import (
    check_version,
    definition_of,
    lock_text,
    parts_of,
    remember,
    replay,
    standing_of,
    take_part,
    task_role_of,
)
from workflow.situation import Actor, Objection, Reply, Situation, TextRow
from workflow.tasks import open_task


@dataclass(frozen=True, slots=True)
class Performed:
    """What a transition did; ``row_version`` is what the next command should expect."""

    text_id: str
    action: str
    source: str
    state: str
    round: int
    row_version: int
    version: int
    content_hash: str
    event_id: str
    at: str
    replayed: bool = False

    def to_json(self) -> dict[str, Any]:
        """The result as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def perform(
    work: Work,
    text_id: str,
    action: str,
    *,
    actor: Actor,
    expected_version: int | None,
    command_id: str,
    recorder: Recorder,
    now: datetime,
    reason: str | None = None,
    objections: Sequence[Objection] = (),
    replies: Mapping[str, Reply] | None = None,
    fingerprint: str | None = None,
) -> Performed:
    """Performs an action on a text, whole or not at all.

    ``expected_version`` is the row version that the caller saw (None: whatever it is now). A ``command_id`` given again
    with the same arguments returns the first result; ``fingerprint`` is the digest of the arguments as they were given, where
    the caller resolved them (by default that of these). Raises NotFound, Conflict (stale, somebody was first, command id
    used for something else), InvalidTransition (with the actions that are possible), NotAllowed or GuardFailed (with
    every reason).
    """
    replies = replies or {}
    arguments = fingerprint or digest(
        canonical_bytes(
            without_empty(
                {
                    "text": text_id,
                    "action": action,
                    "actor": actor.account_id,
                    "reason": reason,
                    "objections": [asdict(item) for item in objections],
                    "replies": {key: asdict(reply) for key, reply in replies.items()},
                }
            )
        )
    )
    text = lock_text(work, text_id)
    earlier = replay(work, command_id, arguments)
    if earlier is not None:
        return Performed(**{**earlier, "replayed": True})
    definition, definition_sha = definition_of(work, text.definition_id)
    check_version(text, expected_version)
    transition = definition.transition(action, text.state)
    task_role = task_role_of(work, text.id)
    if transition is None:
        raise _impossible(work, definition, text, action, task_role)
    parts = parts_of(work, text.id)
    standing = standing_of(work, actor, now)
    reasons = refusals(definition, transition, text, actor, standing, parts, task_role)
    if reasons:
        raise NotAllowed(f"您不能{transition.title}：{'；'.join(reasons)}。", action=action, reasons=reasons)
    situation = Situation(
        work, text, definition, transition, actor, parts, task_role, now, reason, tuple(objections), replies
    )
    _check_sides(situation)
    _check_replies(work, text, replies)
    target = advance(machine_for(definition, definition_sha), situation)
    return _apply(situation, target, command_id, arguments, recorder, definition_sha)


def _apply(
    situation: Situation, target: str, command_id: str, arguments: str, recorder: Recorder, definition_sha: str
) -> Performed:
    work, text, transition, now = situation.work, situation.text, situation.transition, situation.now
    definition, actor = situation.definition, situation.actor
    moved = text._replace(
        state=target,
        round=text.round + transition.next_round,
        row_version=text.row_version + 1,
        submitted_hash=text.current_hash if transition.freeze else text.submitted_hash,
        approved_version=text.current_version if transition.approves else text.approved_version,
        approved_hash=text.current_hash if transition.approves else text.approved_hash,
        published_version=text.current_version if transition.publishes else text.published_version,
    )
    changed = work.run(
        sql.MOVE_TEXT,
        text_id=text.id,
        seen_version=text.row_version,
        new_state=moved.state,
        new_round=moved.round,
        new_row_version=moved.row_version,
        new_submitted_hash=moved.submitted_hash,
        new_approved_version=moved.approved_version,
        new_approved_hash=moved.approved_hash,
        new_published_version=moved.published_version,
        moment=now,
    )
    if changed != 1:
        raise Conflict("别人刚刚改动了这份文本；请重新读取后再试。", text=text.id)
    work.run(sql.CLOSE_TASK, text_id=text.id, moment=now, account_id=actor.account_id, task_outcome=transition.action)
    rule = transition.task or definition.states[target].task
    if rule is not None:
        open_task(work, definition, rule, moved, now)
    capacity = capacity_of(transition, situation.task_role)
    take_part(work, text.id, actor, capacity, moved.round, situation.parts, now)
    for objection in situation.objections:
        _insert_opinion(situation, objection)
    for opinion_id, reply in situation.replies.items():
        work.run(
            sql.INSERT_ANSWER,
            id=new_id(now),
            opinion_id=opinion_id,
            kind=reply.kind,
            text=reply.text,
            author_id=actor.account_id,
            created_at=now,
        )
    recorded = recorder.write(
        work,
        f"workflow.{transition.action}",
        actor=actor.account_id,
        role=role_wanted(transition, situation.task_role) or capacity,
        obj=("text", text.id),
        now=now,
        why=situation.reason,
        after=text.current_hash,
        details=_details(situation),
        wf={
            "from": text.state,
            "to": target,
            "round": moved.round,
            "definition": f"{definition.name}@{definition.version}:{definition_sha}",
        },
    )
    run_effects(
        work,
        Moved(
            event_id=recorded.event_id,
            text_id=text.id,
            title=text.title,
            action=transition.action,
            action_title=transition.title,
            state=target,
            state_title=definition.states[target].title,
            role=rule.role if rule else None,
            organization_id=organization_for(definition, rule.role, moved) if rule else None,
        ),
        now,
    )
    performed = Performed(
        text.id,
        transition.action,
        text.state,
        target,
        moved.round,
        moved.row_version,
        text.current_version,
        text.current_hash,
        recorded.event_id,
        timestamp(now),
    )
    remember(work, command_id, actor, arguments, performed.to_json(), now)
    return performed


def _details(situation: Situation) -> list[tuple[str, Any, Any]]:
    """Opinions and answers as changes of the text's record, so that the log says what was objected and answered."""
    changes: list[tuple[str, Any, Any]] = [
        (f"/opinions{item.anchor}", None, f"{item.kind}：{item.problem}" + (f"→{item.wanted}" if item.wanted else ""))
        for item in situation.objections
    ]
    role, holder, roles = situation.transition.by, situation.task_role, situation.definition.roles
    if holder in roles and role in roles and role != holder and roles[role].of == roles[holder].of == "finance":
        # A reviewing role acted while it was another's turn, as the approver may before the second review has ended:
        # allowed by the definition, and never invisible.
        changes.append(("/task", holder, None))
    changes += [
        (f"/answers/{key}", None, f"{reply.kind}：{reply.text}") for key, reply in sorted(situation.replies.items())
    ]
    return changes


def _insert_opinion(situation: Situation, objection: Objection) -> None:
    situation.work.run(
        sql.INSERT_OPINION,
        id=new_id(situation.now),
        text_id=situation.text.id,
        round=situation.text.round,
        version=situation.text.current_version,
        anchor=objection.anchor,
        quote=objection.quote,
        kind=objection.kind,
        problem=objection.problem,
        wanted=objection.wanted,
        rule=objection.rule,
        state=situation.text.state,
        author_id=situation.actor.account_id,
        created_at=situation.now,
    )


def _check_sides(situation: Situation) -> None:
    # An opinion is the bureau's word and an answer the department's, whoever may act.
    transition, roles = situation.transition, situation.definition.roles
    role = role_wanted(transition, situation.task_role)
    if situation.objections and (role not in roles or roles[role].of != "finance"):
        raise InvalidInput(f"“{transition.title}”时不能写审核意见；意见由审核机关在审核或退回时写。")
    if situation.replies and "opinions_answered" not in transition.guards:
        raise InvalidInput(f"“{transition.title}”时不能答复意见；答复由部门在报送时写。")


def _check_replies(work: Work, text: TextRow, replies: Mapping[str, Reply]) -> None:
    if not replies:
        return
    waiting = {row[0] for row in work.rows(UNANSWERED, text_id=text.id)}
    unknown = sorted(set(replies) - waiting)
    if unknown:
        raise InvalidInput(
            f"没有等待答复的意见 {'、'.join(unknown)}；请用 jixiao text show 查看意见编号。", opinions=unknown
        )


def _impossible(
    work: Work, definition: Definition, text: TextRow, action: str, task_role: str | None
) -> InvalidTransition | Conflict:
    state = definition.states[text.state].title
    last = work.one(sql.READ_LAST_OUTCOME, text_id=text.id)
    known = [item for item in definition.transitions if item.action == action]
    if last and last[0] == action and any(item.target == text.state for item in known):
        # The state that the action leads to is already there, by this very action: somebody was first.
        title = next(item.title for item in known if item.target == text.state)
        return Conflict(f"“{title}”刚刚已经完成，文本现在是“{state}”；请重新读取。", state=text.state, action=action)
    possible = [
        {"action": item.action, "title": item.title, "by": whom(definition, item, task_role)}
        for item in definition.leaving(text.state)
        if item.by != TASK_HOLDER or task_role
    ]
    listed = "、".join(f"{item['action']} {item['title']}（{item['by']}）" for item in possible) or "无（流程已结束）"
    title = "／".join(dict.fromkeys(item.title for item in known)) or action
    return InvalidTransition(
        f"文本现在是“{state}”，不能“{title}”；可以做的是：{listed}。",
        state=text.state,
        action=action,
        available=possible,
    )
