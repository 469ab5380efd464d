"""Who may act: role and organization, tasks, standing in for others, the separation of duties. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.people import ADMINISTRATORS, ROLE_TITLES, Role
from workflow.definition import LAST_ACTOR, MIGRATE, SIGN_OFF, SUBMITTER, TASK_HOLDER, Definition, Transition
from workflow.situation import Actor, Authority, Grants, Hat, LastStep, Part, Standing, TextRow, Turn

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


def may_hold(turn: Turn, hat: Hat) -> bool:
    """Whether somebody may act on a task: it is theirs, or in the pool of a role that they hold.

    A task that was handed on for help (委派) is decided by nobody until it comes back. An added seat is its person's in
    whatever role; whoever was lent certain roles of that person has it only in the role of the seat.
    """
    if turn.owner_id is not None:
        return False
    holds = (turn.role, turn.organization_id) in hat.grants
    if turn.assignee_id is None:
        return holds
    return turn.assignee_id == hat.account_id and (holds or (turn.seat.startswith(ADDED) and hat.whole))


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
    tried: list[Authority] = []
    for hat in standing.hats(actor.account_id):
        tried.append(_as(definition, transition, text, actor, hat, parts, turns, last))
        if not tried[-1].reasons:
            return tried[-1]
    return tried[0]


def _as(
    definition: Definition,
    transition: Transition,
    text: TextRow,
    actor: Actor,
    hat: Hat,
    parts: tuple[Part, ...],
    turns: Sequence[Turn],
    last: LastStep | None,
) -> Authority:
    account_id, grants = hat.account_id, hat.grants
    role: str | None = None
    turn: Turn | None = None
    reasons: list[str] = []
    if transition.by == SUBMITTER:
        reasons = _submitter(definition, text, account_id, grants, parts)
    elif transition.by == LAST_ACTOR:
        reasons = _last_actor(definition, text, hat, last)
    elif transition.by == SIGN_OFF:
        reasons = ["由签署结果执行；请用 sign 投票"]
    elif transition.by == TASK_HOLDER:
        turn = pick(turns, hat)
        role = turn.role if turn else None
        reasons = [] if turn else _no_turn(definition, turns, account_id, grants)
    else:
        role = transition.by
        mine = [item for item in turns if item.role == role]
        turn = pick(mine, hat)
        if (role, organization_for(definition, role, text)) not in grants:
            reasons = [_not_in_role(definition, role)]
        elif mine and turn is None:
            reasons = _no_turn(definition, mine, account_id, grants)
    capacity = transition.capacity or role or (last.capacity if last and transition.by == LAST_ACTOR else transition.by)
    # Whoever takes back a step of their own has taken part in its capacity already.
    if transition.by != LAST_ACTOR or last is None or actor.account_id not in (last.account_id, last.principal_id):
        reasons = reasons + barred(definition, capacity, actor, hat.principal_id, parts)
    return Authority(tuple(reasons), role, capacity, turn, hat.principal_id)


def pick(turns: Iterable[Turn], hat: Hat) -> Turn | None:
    """The task that somebody acts on: one that is assigned to them before one of the pool."""
    able = [turn for turn in turns if may_hold(turn, hat)]
    return next((turn for turn in able if turn.assignee_id is not None), next(iter(able), None))


def _last_actor(definition: Definition, text: TextRow, hat: Hat, last: LastStep | None) -> list[str]:
    if last is not None and last.action == MIGRATE:
        return ["文本刚换到流程的另一版，之前的步骤不能再撤回"]
    if last is None or hat.account_id not in (last.account_id, last.principal_id):
        return ["只有上一步的办理人可以撤回"]
    return still_there(definition, text, hat, last.capacity)


def still_there(definition: Definition, text: TextRow, hat: Hat, capacity: str) -> list[str]:
    """Why somebody may not take back any more what was done in a capacity.

    Any role where they did it is enough, since who was asked to co-sign holds another than the seat's; but who was lent
    certain roles only must have been lent that of the capacity.
    """
    roles = roles_of(definition, capacity)
    if not hat.whole:
        held = {(role, organization_for(definition, role, text)) for role in roles}
        return [] if held & hat.grants else ["办理上一步的岗位没有代理给您"]
    department = any(definition.side(role) == "department" for role in roles) or not roles
    where = text.organization_id if department else text.reviewing_id
    there = any(organization_id == where for _, organization_id in hat.grants)
    return [] if there else ["您已不再担任办理上一步的单位的岗位"]


def roles_of(definition: Definition, capacity: str) -> tuple[str, ...]:
    """The roles that act in a capacity: itself, or those whose transitions name it."""
    if capacity in definition.roles:
        return (capacity,)
    acting = (item.by for item in definition.transitions if item.capacity == capacity)
    return tuple(dict.fromkeys(role for role in acting if role in definition.roles))


def _submitter(
    definition: Definition, text: TextRow, account_id: str, grants: Grants, parts: tuple[Part, ...]
) -> list[str]:
    held = {(role, organization_for(definition, role, text)) for role in roles_of(definition, SUBMITTER)}
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
