"""Acting on a text: every action of the workflow is this one use case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from application.access import read_version
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import workflow_act
from models.canonical import canonical_bytes, digest
from models.content import to_json
from models.engine import Work, transaction
from models.errors import InvalidInput
from models.ids import new_id
from models.places import anchor, exists, get
from models.texts import AnswerKind, OpinionKind
from workflow.engine import perform
from workflow.guards import UNANSWERED
from workflow.records import definition_of, lock_text, replay
from workflow.situation import Objection, TextRow
from workflow.situation import Reply as Reply

_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Remark:
    """An opinion as a person gives it: where (pointer or anchor), what is wrong, what is wanted, how it binds."""

    place: str
    problem: str
    wanted: str = ""
    kind: OpinionKind = OpinionKind.REQUIRED


@use_case("text.act")
def act(
    request: Request,
    text_id: str,
    *,
    action: str,
    reason: str | None = None,
    remarks: Sequence[Remark] = (),
    replies: Mapping[str, Reply] | None = None,
    accept_all: bool = False,
    expected: int | None = None,
    command_id: str | None = None,
) -> dict[str, Any]:
    """Performs an action; ``accept_all`` answers every waiting opinion with 接受.

    An approval or a publication answers only after its event has an index and a signed checkpoint covers it.
    """
    installation = request.installation
    installation.require_writable()
    given = _checked(replies or {})
    fingerprint = digest(
        canonical_bytes(
            {
                "text": text_id,
                "action": action,
                "actor": request.actor.account_id,
                "reason": _clean(reason) or "",
                "remarks": [asdict(remark) for remark in remarks],
                "replies": {key: asdict(reply) for key, reply in given.items()},
                "accept_all": accept_all,
            }
        )
    )
    with (
        refusals_recorded(request, workflow_act(_named(action)), ("text", text_id)),
        transaction(installation.engine) as work,
    ):
        text = lock_text(work, text_id)
        # The time is taken under the lock: whoever waited for it acts after the one who held it.
        now = request.now()
        command_id = command_id or new_id(now)
        first_time = replay(work, command_id, fingerprint) is None
        if accept_all and first_time:
            for opinion_id, _, _ in work.rows(UNANSWERED, text_id=text_id):
                given.setdefault(opinion_id, Reply(AnswerKind.ACCEPTED))
        performed = perform(
            work,
            text_id,
            action,
            actor=request.actor,
            expected_version=expected,
            command_id=command_id,
            recorder=request.recorder,
            now=now,
            reason=_clean(reason),
            objections=_objections(work, text, remarks) if first_time else (),
            replies=given,
            fingerprint=fingerprint,
        )
        definition, _ = definition_of(work, text.definition_id)
    binding = any(item.action == action and (item.approves or item.publishes) for item in definition.transitions)
    installation.settle(performed.event_id, checkpoint=binding)
    return {**performed.to_json(), "state_title": definition.states[performed.state].title}


def _checked(replies: Mapping[str, Reply]) -> dict[str, Reply]:
    """Answers with their words cleaned; raises InvalidInput for an unknown kind, or 说明 without words."""
    out = {}
    for opinion_id, reply in replies.items():
        if reply.kind not in set(AnswerKind):
            raise InvalidInput(f"答复“{reply.kind}”无法识别；可以是 {'、'.join(AnswerKind)}。")
        text = typed(reply.text)
        if reply.kind == AnswerKind.EXPLAINED and not text:
            raise InvalidInput("答复“说明”时要写明理由。")
        out[opinion_id] = Reply(str(reply.kind), text)
    return out


def _objections(work: Work, text: TextRow, remarks: Sequence[Remark]) -> list[Objection]:
    if not remarks:
        return []
    content = to_json(read_version(work, text).content)
    out = []
    for remark in remarks:
        place = anchor(content, remark.place)
        if not exists(content, remark.place) and not exists(content, remark.place.rpartition("/")[0]):
            raise InvalidInput(
                f"意见的位置“{remark.place}”在文本中不存在；请用 jixiao text show {text.id} --json 查看。"
            )
        if remark.kind not in set(OpinionKind):
            raise InvalidInput(f"意见类别“{remark.kind}”无法识别；可以是 {'、'.join(OpinionKind)}。")
        if not remark.problem.strip():
            raise InvalidInput(f"位置“{remark.place}”的意见没有写明问题。")
        quoted = get(content, remark.place)
        out.append(
            Objection(
                anchor=place,
                kind=remark.kind,
                problem=typed(remark.problem),
                wanted=typed(remark.wanted),
                quote=quoted[:_QUOTE] if isinstance(quoted, str) else "",
            )
        )
    return out


def _named(action: str) -> str:
    """An action's name as the log can hold it; anything else is refused before it comes near the engine."""
    workflow_act(action)
    return action


def _clean(text: str | None) -> str | None:
    return None if text is None else typed(text)
