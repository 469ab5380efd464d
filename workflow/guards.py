"""The registry of guards. A guard is a function with a name and a Chinese title; it returns its reasons to refuse.

Content checks are registered from outside (``text_complete`` by application/): the engine knows states, people and
definitions, and nothing of budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.errors import InvalidInput
from models.prepared import Prepared
from models.texts import Opinion, OpinionAnswer
from workflow import statements as sql
from workflow.authority import titles_of
from workflow.definition import MIGRATE
from workflow.records import last_step_of, votes_of
from workflow.situation import Situation
from workflow.tasks import HELPED

Judge = Callable[[Situation], Iterable[str]]
# What the event of a step says of how its guard judged, as details (pointer, old, new).
Told = Callable[[Situation], Iterable[tuple[str, Any, Any]]]


@dataclass(frozen=True, slots=True)
class Guard:
    """A registered guard; ``judge`` yields one Chinese sentence for each reason to refuse.

    ``told`` gives what the event of a step that passed is to say of it.
    """

    name: str
    title: str
    judge: Judge
    told: Told | None = None


_REGISTRY: dict[str, Guard] = {}


def guard(name: str, title: str, *, told: Told | None = None) -> Callable[[Judge], Judge]:
    """Registers a guard under a name that definitions may use."""

    def register(judge: Judge) -> Judge:
        if name in _REGISTRY:
            raise ValueError(f"guard {name} is registered twice")
        _REGISTRY[name] = Guard(name, title, judge, told)
        return judge

    return register


def find_guards(names: Iterable[str]) -> tuple[Guard, ...]:
    """The guards of these names; raises InvalidInput for one that nobody registered."""
    wanted = tuple(names)
    unknown = sorted(set(wanted) - set(_REGISTRY))
    if unknown:
        raise InvalidInput(f"流程定义用到没有注册的条件：{'、'.join(unknown)}。", guards=unknown)
    return tuple(_REGISTRY[name] for name in wanted)


def details_of(situation: Situation) -> list[tuple[str, Any, Any]]:
    """What the guards of a step say of it in its event."""
    found = find_guards(situation.transition.guards)
    return [detail for item in found if item.told is not None for detail in item.told(situation)]


UNANSWERED = Prepared(
    sa.select(Opinion.id, Opinion.anchor, Opinion.problem)
    .where(Opinion.text_id == sa.bindparam("text_id"), Opinion.withdrawn_at.is_(None))
    .where(~sa.exists().where(OpinionAnswer.opinion_id == Opinion.id, OpinionAnswer.withdrawn_at.is_(None)))
    .order_by(Opinion.id)
)


@guard("opinions_answered", "每条意见都已答复")
def _opinions_answered(situation: Situation) -> Iterable[str]:
    for opinion_id, anchor, problem in situation.work.rows(UNANSWERED, text_id=situation.text.id):
        if opinion_id not in situation.replies:
            yield f"意见 {opinion_id}（{anchor or '全文'}：{problem}）还没有答复"


@guard("places_named", "退回意见逐处写明")
def _places_named(situation: Situation) -> Iterable[str]:
    if not situation.objections:
        yield "退回必须逐处写明意见（位置和问题），不能只有总的理由"


@guard("nobody_acted_since", "下一环节尚未处理")
def nobody_acted_since(situation: Situation) -> Iterable[str]:
    """Reasons why the last step can't be taken back: it is somebody else's, or something came after it."""
    text, account_id = situation.text, situation.actor.account_id
    last = last_step_of(situation.work, text.id)
    if last is None:
        yield "还没有可以撤回的步骤"
        return
    if last.action == MIGRATE:
        yield "文本刚换到流程的另一版，之前的步骤不能再撤回"
        return
    me = situation.authority.principal_id or account_id
    if not {account_id, me} & {last.account_id, last.principal_id}:
        yield "最后一步不是您办理的，只有办理的人可以撤回"
    if last.undoes is not None:
        yield "上一步本身就是撤回，不能再撤回"
    work, here = situation.work, {"text_id": text.id, "visit": text.visit}
    if (
        text.row_version != last.row_version
        or any(turn.owner_id is not None for turn in situation.turns)
        or work.one(sql.READ_HELPED, text_id=text.id, of_version=text.row_version, of_outcome=HELPED) is not None
        or work.rows(sql.READ_SIGNERS, **here)
        or votes_of(work, text.id, text.visit)
    ):
        yield "下一环节已经处理，不能撤回"


@guard("holds_task", "任务在本岗位")
def _holds_task(situation: Situation) -> Iterable[str]:
    if all(turn.role != situation.transition.by for turn in situation.turns):
        yield f"任务现在由“{titles_of(situation.definition, situation.turns) or '别人'}”处理"


@guard("content_unchanged", "内容与报送时相同")
def _content_unchanged(situation: Situation) -> Iterable[str]:
    if situation.text.current_hash != situation.text.submitted_hash:
        yield "当前内容与报送时的内容哈希不同，不能据此审核；请退回后重新报送"


@guard("approved_content_unchanged", "内容与批复时相同")
def _approved_content_unchanged(situation: Situation) -> Iterable[str]:
    if situation.text.current_hash != situation.text.approved_hash:
        yield "当前内容与批复时的内容哈希不同，批复已失效，不能公开"
