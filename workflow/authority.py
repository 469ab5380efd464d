"""Who may act: role and organization, tasks, standing in for others, the separation of duties. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.people import ADMINISTRATORS, ROLE_TITLES, Role
from workflow.definition import LAST_ACTOR, MIGRATE, SIGN_OFF, SUBMITTER, TASK_HOLDER, Definition, Transition
from workflow.situation import Actor, Authority, Grants, LastStep, Part, Standing, TextRow, Turn

_CAPACITY_TITLES = {"drafter": "编制", "editor": "修改", "submitter": "报送"}
# Keys of seats that were added to a sign-off; their holder is a person, whatever roles they hold.
ADDED = "+"


def organization_for(definition: Definition, role: str, text: TextRow) -> str:
    """The organization in which a role is held for a text: the department's, or the reviewing bureau's."""
    return text.organization_id if definition.side(role) == "department" else text.reviewing_id


def whom(definition: Definition, transition: Transition, turns: Sequence[Turn] = ()) -> str:
    """Chinese title of who may act."""
    if transition.by == SUBMITTER:
        return "本轮报送人"
    if transition.by == LAST_ACTOR:
        return "上一步办理人"
    if transition.by == SIGN_OFF:
        return "签署结果"
    if transition.by == TASK_HOLDER:
        return titles_of(definition, turns) or "当前任务的岗位"
    return definition.roles[transition.by].title


def titles_of(definition: Definition, turns: Iterable[Turn]) -> str:
    """The titles of the roles whose turn it is."""
    roles = dict.fromkeys(turn.role for turn in turns)
    return "、".join(definition.roles[role].title for role in roles if role in definition.roles)


def separation_reasons(definition: Definition, capacity: str, account_id: str, parts: Iterable[Part]) -> list[str]:
    """Why a person may not take part in a capacity, after all that they did on the text in any round."""
    group = definition.group(capacity)
    if group is None:
        return []
    clashes = {
        part.capacity
        for part in parts
        if part.account_id == account_id and part.capacity not in group and definition.group(part.capacity) is not None
    }
    return sorted(_title(definition, capacity) for capacity in clashes)


def barred(
    definition: Definition, capacity: str, actor: Actor, principal_id: str | None, parts: Iterable[Part]
) -> list[str]:
    """The separation of duties as sentences: for the actor, and for whoever they stand in for."""
    parts = tuple(parts)
    out = []
    for account_id, who in ((actor.account_id, "您"), (principal_id, "被代理人")):
        done = separation_reasons(definition, capacity, account_id, parts) if account_id else []
        if done:
            out.append(f"{who}已参与本文本的{'、'.join(done)}，不相容岗位应由不同的人担任")
    return out


def unable(standing: Standing) -> str | None:
    """Why an account may not act at all; None where it may."""
    if not standing.active:
        return "您的账号已停用"
    administers = sorted(role for role, _ in standing.grants if role in ADMINISTRATORS)
    return f"{ROLE_TITLES[Role(administers[0])]}不能报送、审核或批复" if administers else None


def may_hold(turn: Turn, account_id: str, grants: Grants) -> bool:
    """Whether an account with these grants may act on a task: it is theirs, or in the pool of a role that they hold.

    A task that was handed on for help (委派) is decided by nobody until it comes back.
    """
    if turn.owner_id is not None:
        return False
    holds = (turn.role, turn.organization_id) in grants
    if turn.assignee_id is None:
        return holds
    return turn.assignee_id == account_id and (holds or turn.seat.startswith(ADDED))


def authorize(
    definition: Definition,
    transition: Transition,
    text: TextRow,
    actor: Actor,
    standing: Standing,
    parts: Iterable[Part],
    turns: Sequence[Turn],
    last: LastStep | None = None,
) -> Authority:
    """Whether an actor may perform a transition: in their own right first, else for the first whom they stand in for."""
    parts = tuple(parts)
    stop = unable(standing)
    if stop:
        return Authority((stop,), None, transition.by)
    first = _as(definition, transition, text, actor, None, standing.grants, parts, turns, last)
    if not first.reasons:
        return first
    for principal_id, grants in standing.principals:
        found = _as(definition, transition, text, actor, principal_id, grants, parts, turns, last)
        if not found.reasons:
            return found
    return first


def _as(
    definition: Definition,
    transition: Transition,
    text: TextRow,
    actor: Actor,
    principal_id: str | None,
    grants: Grants,
    parts: tuple[Part, ...],
    turns: Sequence[Turn],
    last: LastStep | None,
) -> Authority:
    account_id = principal_id or actor.account_id
    role: str | None = None
    turn: Turn | None = None
    reasons: list[str] = []
    if transition.by == SUBMITTER:
        reasons = _submitter(definition, text, account_id, grants, parts)
    elif transition.by == LAST_ACTOR:
        if last is not None and last.action == MIGRATE:
            reasons = ["文本刚换到流程的另一版，之前的步骤不能再撤回"]
        elif last is None or account_id not in (last.account_id, last.principal_id):
            reasons = ["只有上一步的办理人可以撤回"]
        elif not _still_there(definition, text, last.capacity, grants):
            reasons = ["您已不再担任办理上一步的单位的岗位"]
    elif transition.by == SIGN_OFF:
        reasons = ["由签署结果执行；请用 sign 投票"]
    elif transition.by == TASK_HOLDER:
        turn = pick(turns, account_id, grants)
        role = turn.role if turn else None
        reasons = [] if turn else _no_turn(definition, turns, account_id, grants)
    else:
        role = transition.by
        mine = [item for item in turns if item.role == role]
        turn = pick(mine, account_id, grants)
        if (role, organization_for(definition, role, text)) not in grants:
            reasons = [_not_in_role(definition, role)]
        elif mine and turn is None:
            reasons = _no_turn(definition, mine, account_id, grants)
    capacity = transition.capacity or role or (last.capacity if last and transition.by == LAST_ACTOR else transition.by)
    if transition.by != LAST_ACTOR:  # whoever takes a step back has taken part in its capacity already
        reasons = reasons + barred(definition, capacity, actor, principal_id, parts)
    return Authority(tuple(reasons), role, capacity, turn, principal_id)


def pick(turns: Iterable[Turn], account_id: str, grants: Grants) -> Turn | None:
    """The task that an account acts on: one that is assigned to it before one of the pool."""
    able = [turn for turn in turns if may_hold(turn, account_id, grants)]
    return next((turn for turn in able if turn.assignee_id is not None), next(iter(able), None))


def _still_there(definition: Definition, text: TextRow, capacity: str, grants: Grants) -> bool:
    """Whether somebody still holds any role where they did a step; who was asked to co-sign holds another role than theirs."""
    department = capacity == SUBMITTER or capacity not in definition.roles or definition.side(capacity) == "department"
    where = text.organization_id if department else text.reviewing_id
    return any(organization_id == where for _, organization_id in grants)


def _submitter(
    definition: Definition, text: TextRow, account_id: str, grants: Grants, parts: tuple[Part, ...]
) -> list[str]:
    submitting = {item.by for item in definition.transitions if item.capacity == SUBMITTER}
    held = {(role, organization_for(definition, role, text)) for role in submitting if role in definition.roles}
    if Part(account_id, SUBMITTER, text.round) not in parts:
        return ["只有本轮报送人可以执行此动作"]
    return [] if held & grants else ["您已不再担任报送的岗位"]


def _no_turn(definition: Definition, turns: Sequence[Turn], account_id: str, grants: Grants) -> list[str]:
    if not turns:
        return ["当前没有待办任务"]
    mine = [
        turn
        for turn in turns
        if (turn.role, turn.organization_id) in grants or account_id in (turn.assignee_id, turn.owner_id)
    ]
    if not mine:
        return [_not_in_role(definition, *dict.fromkeys(turn.role for turn in turns))]
    if any(turn.owner_id is not None for turn in mine):
        return ["任务已委派给别人协助，办结或收回之后才能决定"]
    return ["任务已由别人签收，或已指定别人办理"]


def _not_in_role(definition: Definition, *roles: str) -> str:
    where = "编制部门" if definition.side(roles[0]) == "department" else "审核机关"
    titles = "、".join(definition.roles[role].title for role in roles)
    return f"此动作由{where}的“{titles}”执行，您没有这个岗位"


def _title(definition: Definition, capacity: str) -> str:
    role = definition.roles.get(capacity)
    return _CAPACITY_TITLES.get(capacity) or (role.title if role else capacity)
