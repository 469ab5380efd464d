"""The one door through which a text moves.

``perform`` holds, in the caller's transaction: the state change or the vote, the tasks, opinions and answers, who took part,
the step, the audit event, the effects (outbox rows) and the memory of the command. No audit event, no transition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from audit.recorder import Recorder
from models.canonical import canonical_bytes, digest, without_empty
from models.engine import Work
from models.errors import Conflict, GuardFailed, InvalidInput, InvalidTransition, NotAllowed
from workflow.authority import authorize, whom
from workflow.conditions import Facts, choose, facts_of
from workflow.definition import SIGN, SIGN_OFF, TASK_HOLDER, Definition, Transition
from workflow.guards import UNANSWERED
from workflow.machine import advance, check_limit, machine_for
from workflow.moves import Resume, resumptions, targets
from workflow.performed import Performed
from workflow.records import (
    check_version,
    definition_of,
    last_step_of,
    lock_text,
    parts_of,
    replay,
    standing_of,
    turns_of,
)
from workflow.situation import Actor, Objection, Reply, Situation, TextRow, Turn
from workflow.steps import Desk, take_step
from workflow.undoing import take_back, vote_to_withdraw, withdraw_vote
from workflow.voting import cast_vote


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
    to: str | None = None,
    resume: str | None = None,
    against: bool = False,
    fingerprint: str | None = None,
    bulk: Mapping[str, Any] | None = None,
) -> Performed:
    """Performs an action on a text, whole or not at all.

    ``expected_version`` is the row version that the caller saw (None: whatever it is now). A ``command_id`` given again
    with the same arguments returns the first result; ``fingerprint`` is the digest of the arguments as they were given, where
    the caller resolved them (by default that of these). ``to`` chooses among the states of a return, ``resume`` whether the text
    comes straight back (``direct``) or goes the whole way again (``restart``), ``against`` votes against in a sign-off.
    ``bulk`` is what the events of one bulk action have in common.

    Raises NotFound, Conflict (stale, somebody was first, voted already, command id used for something else), InvalidTransition
    (with the actions that are possible), NotAllowed or GuardFailed (with every reason), InvalidInput.
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
                    "to": to,
                    "resume": resume,
                    "against": against or None,
                }
            )
        )
    )
    text = lock_text(work, text_id)
    earlier = replay(work, command_id, arguments)
    if earlier is not None:
        return Performed.again(earlier)
    definition, definition_sha = definition_of(work, text.definition_id)
    check_version(text, expected_version)
    desk = Desk(work, recorder, definition_sha, command_id, arguments, bulk)
    turns = turns_of(work, text.id)
    facts = facts_of(work, text)
    transition, against = _transition(desk, definition, text, action, against, turns, facts)
    situation = Situation(
        work,
        text,
        definition,
        transition,
        actor,
        parts_of(work, text.id),
        turns,
        now,
        reason,
        tuple(objections),
        replies,
        facts=facts,
    )
    standing = standing_of(work, actor, now)
    if transition.by == SIGN_OFF:
        if to is not None or resume is not None:
            raise InvalidInput("签署时不能选择去向（--to）和退回后的走法（--resume）：结果的去向由流程决定。")
        return cast_vote(desk, situation, standing, agrees=not against)
    if transition.undoes:
        _check_plain(situation, to, resume)
        if vote_to_withdraw(situation) is not None:
            return withdraw_vote(desk, situation, standing)
    last = last_step_of(work, text.id) if transition.undoes else None
    authority = authorize(definition, transition, text, actor, standing, situation.parts, turns, last)
    if authority.reasons:
        raise NotAllowed(
            f"您不能{transition.title}：{'；'.join(authority.reasons)}。",
            action=action,
            reasons=list(authority.reasons),
        )
    situation = replace(situation, authority=authority)
    _check_sides(situation)
    _check_replies(work, text, replies)
    if transition.undoes:
        return take_back(desk, situation, last)
    target = _target(situation, to)
    way = _resume(transition, resume, back_to_author=definition.states[target].editable)
    situation = replace(situation, target=target, resume=way)
    check_limit(situation)
    advance(machine_for(definition, definition_sha), situation)
    return take_step(desk, situation)


def _transition(
    desk: Desk,
    definition: Definition,
    text: TextRow,
    action: str,
    against: bool,
    turns: tuple[Turn, ...],
    facts: Facts,
) -> tuple[Transition, bool]:
    """The transition that is meant, and whether it is a vote against; a vote means the outcome that it votes for."""
    sign = definition.states[text.state].sign
    wanted = action
    if sign is not None and action == SIGN:
        if against and sign.failed is None:
            raise InvalidInput("这个环节没有“不同意”；不同意时请退回，并逐处写明意见。")
        wanted = sign.failed if against and sign.failed is not None else sign.passed
    elif against and action != SIGN:
        raise InvalidInput(f"“{action}”不是投票，不能表示不同意；投票用 sign --against。")
    found = definition.candidates(wanted, text.state)
    if not found:
        raise _impossible(desk.work, definition, text, action, turns)
    chosen = choose(found, text, facts)
    if chosen is None:
        raise GuardFailed(
            f"不能{found[0].title}：内容不符合任何一条去向的条件。",
            [f"{item.title}的条件“{item.when}”不成立" for item in found],
            action=action,
        )
    return chosen, sign is not None and wanted == sign.failed and chosen.by == SIGN_OFF


def _target(situation: Situation, to: str | None) -> str:
    """Where the transition leads; raises InvalidInput where the choice is missing or none of those possible."""
    transition, states = situation.transition, situation.definition.states
    possible = targets(transition, situation.text.position)
    if not possible:
        reason = "前面没有经过可以退回的环节"
        raise GuardFailed(f"不能{transition.title}：{reason}。", [reason], action=transition.action)
    if to is None:
        return possible[0]
    # People may give a state by its name or its title.
    named = [name for name in possible if to in (name, states[name].title)]
    if not named:
        listed = "、".join(f"{name} {states[name].title}" for name in possible)
        raise InvalidInput(f"“{transition.title}”不能到“{to}”；可以到：{listed}。", targets=list(possible))
    return named[0]


def _resume(transition: Transition, wanted: str | None, *, back_to_author: bool) -> Resume:
    possible = resumptions(transition)
    if wanted is None:
        return possible[0]
    if not transition.returns and not back_to_author:
        raise InvalidInput(f"“{transition.title}”不是退回，不能选择退回后的走法。")
    for way in possible:
        if way == wanted:
            return way
    titles = {"restart": "重走流程（restart）", "direct": "直送退回人（direct）"}
    raise InvalidInput(
        f"“{transition.title}”之后只能{'或'.join(titles[way] for way in possible)}，不能选择“{titles.get(wanted, wanted)}”。"
    )


def _check_plain(situation: Situation, to: str | None, resume: str | None) -> None:
    # What is taken back restores what was: there is nothing to choose, and nothing to object or to answer.
    if to is not None or resume is not None:
        raise InvalidInput(f"“{situation.transition.title}”恢复到上一步之前，不能选择去向（--to）和走法（--resume）。")
    if situation.objections or situation.replies:
        raise InvalidInput(f"“{situation.transition.title}”时不能写审核意见，也不能答复意见；可以写理由（--reason）。")


def _check_sides(situation: Situation) -> None:
    # An opinion is the bureau's word and an answer the department's, whoever may act.
    transition, roles = situation.transition, situation.definition.roles
    role = situation.authority.role
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


def _named(definition: Definition, state: str, item: Transition) -> str:
    """What people write to perform a transition."""
    sign = definition.states[state].sign
    if item.by != SIGN_OFF or sign is None:
        return item.action
    return f"{SIGN} --against" if item.action == sign.failed else SIGN


def _impossible(
    work: Work, definition: Definition, text: TextRow, action: str, turns: tuple[Turn, ...]
) -> InvalidTransition | Conflict:
    state = definition.states[text.state].title
    known = [item for item in definition.transitions if item.action == action]
    last = last_step_of(work, text.id)
    if last is not None and last.action == action and last.undoes is None and last.target == text.state:
        # The state that the action leads to is already there, by this very action: somebody was first.
        title = next((item.title for item in known if last.source in item.sources), action)
        return Conflict(f"“{title}”刚刚已经完成，文本现在是“{state}”；请重新读取。", state=text.state, action=action)
    if action == SIGN:
        return InvalidTransition(
            f"文本现在是“{state}”，没有进行中的签署；可能刚刚已经结束，请重新读取。",
            state=text.state,
            action=action,
            available=[],
        )
    possible = [
        {
            "action": _named(definition, text.state, item),
            "title": item.title,
            "by": whom(definition, item, turns),
        }
        for item in definition.leaving(text.state)
        if item.by != TASK_HOLDER or turns
    ]
    listed = "、".join(f"{item['action']} {item['title']}（{item['by']}）" for item in possible) or "无（流程已结束）"
    title = "／".join(dict.fromkeys(item.title for item in known)) or action
    return InvalidTransition(
        f"文本现在是“{state}”，不能“{title}”；可以做的是：{listed}。",
        state=text.state,
        action=action,
        available=possible,
    )
