"""Who may act: role and organization, the separation of duties, administrators included. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from models.people import ADMINISTRATORS, ROLE_TITLES, Role
from workflow.definition import SUBMITTER, TASK_HOLDER, Definition, Transition
from workflow.situation import Actor, Part, Standing, TextRow

_CAPACITY_TITLES = {"drafter": "编制", "editor": "修改", "submitter": "报送"}


def organization_for(definition: Definition, role: str, text: TextRow) -> str:
    """The organization in which a role is held for a text: the department's, or the reviewing bureau's."""
    return text.organization_id if definition.side(role) == "department" else text.reviewing_id


def role_wanted(transition: Transition, task_role: str | None) -> str | None:
    """The role that an action asks for; None where it asks for a certain person (the submitter) or nobody's turn it is."""
    if transition.by == TASK_HOLDER:
        return task_role
    return None if transition.by == SUBMITTER else transition.by


def capacity_of(transition: Transition, task_role: str | None) -> str:
    """The capacity in which an actor takes part by an action."""
    return transition.capacity or role_wanted(transition, task_role) or transition.by


def whom(definition: Definition, transition: Transition, task_role: str | None) -> str:
    """Chinese title of who may act."""
    role = role_wanted(transition, task_role)
    if role is None:
        return "本轮报送人" if transition.by == SUBMITTER else "当前任务的岗位"
    return definition.roles[role].title


def separation_reasons(definition: Definition, capacity: str, actor: Actor, parts: Iterable[Part]) -> list[str]:
    """Why an actor may not take part in a capacity, after all that they did on the text in any round."""
    group = definition.group(capacity)
    if group is None:
        return []
    clashes = {
        part.capacity
        for part in parts
        if part.account_id == actor.account_id
        and part.capacity not in group
        and definition.group(part.capacity) is not None
    }
    if not clashes:
        return []
    done = "、".join(sorted(_title(definition, capacity) for capacity in clashes))
    return [f"您已参与本文本的{done}，不相容岗位应由不同的人担任"]


def refusals(
    definition: Definition,
    transition: Transition,
    text: TextRow,
    actor: Actor,
    standing: Standing,
    parts: Iterable[Part],
    task_role: str | None,
) -> list[str]:
    """Every reason why an actor may not perform a transition on a text; empty where they may."""
    parts = tuple(parts)
    if not standing.active:
        return ["您的账号已停用"]
    administers = sorted(role for role, _ in standing.grants if role in ADMINISTRATORS)
    if administers:
        return [f"{ROLE_TITLES[Role(administers[0])]}不能报送、审核或批复"]
    reasons = []
    role = role_wanted(transition, task_role)
    if role is not None:
        if (role, organization_for(definition, role, text)) not in standing.grants:
            where = "编制部门" if definition.side(role) == "department" else "审核机关"
            reasons.append(f"此动作由{where}的“{definition.roles[role].title}”执行，您没有这个岗位")
    elif transition.by == SUBMITTER:
        mine = Part(actor.account_id, SUBMITTER, text.round)
        submitting = {item.by for item in definition.transitions if item.capacity == SUBMITTER}
        held = {(role_, organization_for(definition, role_, text)) for role_ in submitting if role_ in definition.roles}
        if mine not in parts:
            reasons.append("只有本轮报送人可以执行此动作")
        elif not held & standing.grants:
            reasons.append("您已不再担任报送的岗位")
    else:
        reasons.append("当前没有待办任务")
    return reasons + separation_reasons(definition, capacity_of(transition, task_role), actor, parts)


def _title(definition: Definition, capacity: str) -> str:
    role = definition.roles.get(capacity)
    return _CAPACITY_TITLES.get(capacity) or (role.title if role else capacity)
