"""What can be done with a text now: each action, who may do it, and why a given person may not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from models.engine import Work
from models.errors import GuardFailed, InvalidTransition, NotAllowed
from workflow.authority import authorize, titles_of, whom
from workflow.conditions import choose, facts_of
from workflow.definition import SIGN, SIGN_OFF, Transition
from workflow.guards import nobody_acted_since
from workflow.machine import advance, check_limit, machine_for
from workflow.moves import resumptions, targets
from workflow.records import definition_of, last_step_of, parts_of, standing_of, turns_of, votes_of
from workflow.situation import Actor, Authority, LastStep, Objection, Situation, Standing, TextRow
from workflow.undoing import against_withdrawal, vote_to_withdraw
from workflow.voting import against_vote, seat_for

# What the person will say when acting is not known yet: guards that ask only for words of theirs are met for the offer.
_WORDS = Objection(anchor="", kind="", problem="…")


@dataclass(frozen=True, slots=True)
class Offer:
    """An action in the text's state; ``reasons`` says why this actor can't perform it now.

    ``targets`` are the states to choose from and ``resume`` the ways after a return, where there is a choice; ``on_behalf_of``
    is the account for which the actor would stand in.
    """

    action: str
    title: str
    by: str
    to: str
    allowed: bool
    reasons: tuple[str, ...]
    targets: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    on_behalf_of: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The offer as a JSON object."""
        return {
            **asdict(self),
            "reasons": list(self.reasons),
            "targets": list(self.targets),
            "resume": list(self.resume),
        }


@dataclass(frozen=True, slots=True)
class _View:
    """A text as one actor finds it."""

    base: Situation
    sha: str
    standing: Standing
    last: LastStep | None


def offers(work: Work, text: TextRow, actor: Actor, now: datetime) -> tuple[Offer, ...]:
    """Every action that leaves the text's state, judged for one actor by the engine's own rules."""
    definition, sha = definition_of(work, text.definition_id)
    leaving = definition.leaving(text.state)
    if not leaving:
        return ()
    facts = facts_of(work, text)
    base = Situation(
        work,
        text,
        definition,
        leaving[0],
        actor,
        parts_of(work, text.id),
        turns_of(work, text.id),
        now,
        "…",
        (_WORDS,),
        facts=facts,
    )
    view = _View(base, sha, standing_of(work, actor, now), last_step_of(work, text.id))
    out = []
    for action in dict.fromkeys(item.action for item in leaving):
        found = definition.candidates(action, text.state)
        transition = choose(found, text, facts)
        if transition is None:
            reasons = tuple(f"条件“{item.when}”不成立" for item in found)
            out.append(Offer(action, found[0].title, whom(definition, found[0], base.turns), "", False, reasons))
        elif transition.by == SIGN_OFF:
            out.append(_vote(view, transition))
        else:
            out.append(_offer(view, transition))
    return tuple(out)


def _offer(view: _View, transition: Transition) -> Offer:
    base, text, definition = view.base, view.base.text, view.base.definition
    authority = authorize(definition, transition, text, base.actor, view.standing, base.parts, base.turns, view.last)
    situation = replace(base, transition=transition, authority=authority)
    if transition.undoes:
        return _taking_back(view, situation)
    possible = targets(transition, text.position)
    reasons = authority.reasons
    if not possible:
        reasons = (*reasons, "前面没有经过可以退回的环节")
    if not reasons:
        situation = replace(situation, target=possible[0])
        reasons = _asked(view.sha, situation)
    ways = resumptions(transition) if transition.resume == "choose" else ()
    return Offer(
        transition.action,
        transition.title,
        whom(definition, transition, base.turns),
        "／".join(definition.states[name].title for name in possible),
        not reasons,
        reasons,
        possible if len(possible) > 1 else (),
        ways,
        authority.principal_id,
    )


def _taking_back(view: _View, situation: Situation) -> Offer:
    base, last, definition = view.base, view.last, view.base.definition
    vote = vote_to_withdraw(situation)
    if vote is not None:
        denied, acted = against_withdrawal(situation, view.standing, vote)
        reasons = tuple(denied or acted)
    else:
        reasons = situation.authority.reasons or tuple(dict.fromkeys(nobody_acted_since(situation)))
    target = base.text.state if vote is not None or last is None else last.source
    return Offer(
        situation.transition.action,
        situation.transition.title,
        whom(definition, situation.transition, base.turns),
        definition.states[target].title if target in definition.states else target,
        not reasons,
        reasons,
        on_behalf_of=situation.authority.principal_id,
    )


def _vote(view: _View, transition: Transition) -> Offer:
    """A vote is offered under the name of the outcome that it votes for; ``sign`` casts it as well."""
    base, definition = view.base, view.base.definition
    sign = definition.states[base.text.state].sign
    situation = replace(base, transition=transition)
    reasons: tuple[str, ...] = ()
    authority = Authority((), None, "")
    try:
        authority = seat_for(situation, view.standing, votes_of(base.work, base.text.id, base.text.visit))
        reasons = tuple(against_vote(replace(situation, authority=authority)))
    except NotAllowed as error:
        reasons = tuple(error.facts["reasons"])
    except GuardFailed as error:
        reasons = tuple(error.reasons)
    against = sign is not None and transition.action == sign.failed
    possible = targets(transition, base.text.position)
    return Offer(
        f"{SIGN} --against" if against else transition.action,
        f"{transition.title}（{'表示不同意' if against else '签署同意'}）",
        titles_of(definition, base.turns) or whom(definition, transition),
        "／".join(definition.states[name].title for name in possible),
        not reasons,
        reasons,
        on_behalf_of=authority.principal_id,
    )


def _asked(sha: str, situation: Situation) -> tuple[str, ...]:
    """What limit, guards and machine say against a transition."""
    try:
        check_limit(situation)
        advance(machine_for(situation.definition, sha), situation)
    except GuardFailed as error:
        return tuple(error.reasons)
    except InvalidTransition as error:
        return (error.message,)
    return ()
