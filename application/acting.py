"""Acting on a text: every action of the workflow is this one use case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from application.access import read_allowed_version, require_party
from application.installation import Request
from application.use_cases import refusals_recorded, typed, use_case
from audit.events import workflow_act
from models.canonical import canonical_bytes, digest
from models.content import to_json
from models.engine import Work, retried, transaction
from models.errors import InvalidInput
from models.ids import new_id
from models.places import anchor, exists, get
from models.texts import AnswerKind, OpinionKind
from workflow.definition import Definition
from workflow.engine import perform
from workflow.guards import UNANSWERED
from workflow.performed import Performed
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


@dataclass(frozen=True, slots=True)
class Choice:
    """What an action may be given besides words: the state of a return, how it is followed, and a vote against."""

    to: str | None = None
    resume: str | None = None
    against: bool = False


_NO_CHOICE = Choice()


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
    choice: Choice = _NO_CHOICE,
    expected: int | None = None,
    command_id: str | None = None,
) -> dict[str, Any]:
    """Performs an action; ``accept_all`` answers every waiting opinion with 接受.

    An approval or a publication answers only after its event has an index and a signed checkpoint covers it.
    """
    installation = request.installation
    installation.require_writable()
    order = order_of(
        action,
        reason=reason,
        remarks=remarks,
        replies=replies,
        accept_all=accept_all,
        choice=choice,
        expected=expected,
        command_id=command_id,
    )

    def once() -> tuple[Performed, Definition, bool]:
        with transaction(installation.engine) as work:
            return carry_out(work, request, text_id, order)

    with refusals_recorded(request, workflow_act(action), ("text", text_id)):
        done, definition, binding = retried(once)
    installation.settle(done.event_id, checkpoint=binding)
    return {**done.to_json(), "state_title": definition.states[done.state].title}


@dataclass(frozen=True, slots=True)
class Order:
    """An action with everything that it is given, cleaned and checked as far as it can be without the text."""

    action: str
    reason: str | None = None
    remarks: tuple[Remark, ...] = ()
    replies: Mapping[str, Reply] = field(default_factory=dict)
    accept_all: bool = False
    choice: Choice = _NO_CHOICE
    expected: int | None = None
    command_id: str | None = None

    def fingerprint(self, text_id: str, account_id: str) -> str:
        """The digest by which a repeated command is known: the request as it was given."""
        return digest(
            canonical_bytes(
                {
                    "text": text_id,
                    "action": self.action,
                    "actor": account_id,
                    "reason": self.reason or "",
                    "remarks": [asdict(remark) for remark in self.remarks],
                    "replies": {key: asdict(reply) for key, reply in self.replies.items()},
                    "accept_all": self.accept_all,
                    "choice": asdict(self.choice),
                }
            )
        )


def order_of(
    action: str,
    *,
    reason: str | None = None,
    remarks: Sequence[Remark] = (),
    replies: Mapping[str, Reply] | None = None,
    accept_all: bool = False,
    choice: Choice = _NO_CHOICE,
    expected: int | None = None,
    command_id: str | None = None,
) -> Order:
    """An order with its words cleaned; raises InvalidInput for what no text could be given."""
    workflow_act(action)  # an action's name as the log can hold it; anything else does not come near the engine
    return Order(
        action,
        None if reason is None else typed(reason),
        tuple(remarks),
        _checked(replies or {}),
        accept_all,
        choice,
        expected,
        command_id,
    )


def carry_out(
    work: Work, request: Request, text_id: str, order: Order, *, bulk: Mapping[str, Any] | None = None
) -> tuple[Performed, Definition, bool]:
    """One action in the caller's transaction; also the text's definition, and whether the action binds the bureau or the public."""
    fingerprint = order.fingerprint(text_id, request.actor.account_id)
    text = lock_text(work, text_id)
    require_party(work, request, text)
    # The time is taken under the lock: whoever waited for it acts after the one who held it.
    now = request.now()
    command_id = order.command_id or new_id(now)
    first_time = replay(work, command_id, fingerprint) is None
    given = dict(order.replies)
    if order.accept_all and first_time:
        for opinion_id, _, _ in work.rows(UNANSWERED, text_id=text_id):
            given.setdefault(opinion_id, Reply(AnswerKind.ACCEPTED))
    done = perform(
        work,
        text_id,
        order.action,
        actor=request.actor,
        expected_version=order.expected,
        command_id=command_id,
        recorder=request.recorder,
        now=now,
        reason=order.reason,
        objections=_objections(work, request, text, order.remarks) if first_time else (),
        replies=given,
        to=order.choice.to,
        resume=order.choice.resume,
        against=order.choice.against,
        fingerprint=fingerprint,
        bulk=bulk,
    )
    definition, _ = definition_of(work, text.definition_id)
    # A vote that decides performs another action than the one that was asked for.
    binding = any(item.action == done.action and (item.approves or item.publishes) for item in definition.transitions)
    return done, definition, binding


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


def _objections(work: Work, request: Request, text: TextRow, remarks: Sequence[Remark]) -> list[Objection]:
    if not remarks:
        return []
    content = to_json(read_allowed_version(work, request, text).content)
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
