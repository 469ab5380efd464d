"""Replay for a strict verification: the live tables of texts and grants must equal the fold of the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from application.accounts import UNLIMITED
from application.changes import expanded
from audit.events import Act, parse_event
from audit.snapshots import snapshot
from audit.verdicts import Kind, Problem
from models.base import timestamp
from models.documents import IssuedDocument, shown_number
from models.engine import Work
from models.errors import InvalidInput, JixiaoError
from models.log import AuditEntry, AuditOutbox
from models.people import Account, RoleGrant
from models.process import Participation, Signature, Step, WorkflowDefinition
from models.review_forms import ReviewForm
from models.texts import BudgetText, FindingAnswer, Opinion, OpinionAnswer, TextVersion
from workflow.definition import Definition
from workflow.records import definition_of, tasks_now
from workflow.replay import TextFold, distinct, form_words, way_of
from workflow.situation import Part, TextRow
from workflow.steps import opinion_words

# Problems of one kind that are kept in words; more of the same tell nothing new.
_KEPT = 100
_GRANTED = "/roles"
_SUBJECT = "/subject"


class Replay:
    """Shown every event of the main log in order (``audit.eventchecks.EventCheck``), it compares at the end.

    Keeps one fold per text, a few kilobytes each. Events that are committed and not in the log yet (PostgreSQL's outbox, and
    what is written while a verification runs) are folded in before the comparison, so that a log in use is not accused.
    """

    def __init__(self, engine: sa.Engine, *, log: str) -> None:
        self._engine = engine
        self._log = log
        self._next = 0
        self._texts: dict[str, TextFold] = {}
        # Until when; None where the event is of a time in which it was not told.
        self._grants: dict[tuple[str, str, str], str | None] = {}
        self._disabled: set[str] = set()
        self._definitions: dict[str, Definition | None] = {}
        self._problems: list[Problem] = []
        self._dropped = 0
        self._open: Any = None
        self._work: Work | None = None

    def see(self, index: int, event: dict[str, Any]) -> None:
        """Takes an event: its transition is judged, its effects are folded."""
        self._next = max(self._next, index + 1)
        if self._work is None:
            # Definitions and long changes never change, so that any moment's snapshot shows them.
            self._open = snapshot(self._engine)
            self._work = self._open.__enter__()
        self._fold(self._work, index, event)

    def finish(self) -> Iterable[Problem]:
        """What the events broke, and what the tables hold that no event tells."""
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._work = self._open = None
        with snapshot(self._engine) as work:
            for index, event in self._later(work):
                self._fold(work, index, event)
            self._compare_texts(work)
            self._compare_grants(work)
            self._compare_accounts(work)
        if self._dropped:
            self._problems.append(Problem(Kind.REPLAY, None, f"重放另有 {self._dropped} 个问题没有逐一列出。"))
        return self._problems

    def _add(self, kind: Kind, index: int | None, message: str) -> None:
        if len(self._problems) < _KEPT:
            self._problems.append(Problem(kind, index, message))
        else:
            self._dropped += 1

    def _fold(self, work: Work, index: int | None, event: Mapping[str, Any]) -> None:
        kind, object_id = event["obj"]["type"], event["obj"]["id"]
        if kind == "text":
            fold = self._texts.setdefault(object_id, TextFold())
            try:
                changes = [item for change in event.get("chg", ()) for item in expanded(work, change)]
                wrong = fold.apply(event, changes, lambda pin: self._definition(work, pin))
            except (JixiaoError, KeyError, TypeError, ValueError) as error:
                wrong = [f"事件的内容不完整，无法重放（{error}）"]
            for sentence in wrong:
                self._add(Kind.TRANSITION, index, f"文本 {object_id}：{sentence}。")
        elif event["out"] == "success" and event["act"] == Act.ROLE_GRANT:
            for change in event.get("chg", ()):
                if change["p"] == _GRANTED and isinstance(change.get("n"), dict):
                    said = change["n"]
                    self._grants[object_id, said["role"], said["organization"]] = said.get("until")
        elif event["out"] == "success" and event["act"] == Act.ACCOUNT_DISABLE:
            self._disabled.add(object_id)
        elif event["out"] == "success" and event["act"] == Act.PRIVACY_ERASE:
            # An account whose names were erased is closed with them.
            said = {change["p"]: change.get("n") for change in event.get("chg", ())}
            self._disabled |= {said[_SUBJECT]} if isinstance(said.get(_SUBJECT), str) else set()
        elif event["out"] == "success" and event["act"] == Act.ROLE_REVOKE:
            for change in event.get("chg", ()):
                if change["p"] == _GRANTED and isinstance(change.get("o"), dict):
                    self._grants.pop((object_id, change["o"]["role"], change["o"]["organization"]), None)

    def _definition(self, work: Work, pin: str) -> Definition | None:
        if pin not in self._definitions:
            name, _, sha = pin.rpartition(":")
            query = sa.select(WorkflowDefinition.id).where(WorkflowDefinition.sha256 == sha).limit(1)
            found = work.connection.scalar(query)
            known = None if found is None else definition_of(work, found)[0]
            self._definitions[pin] = known if known is not None and f"{known.name}@{known.version}" == name else None
        return self._definitions[pin]

    def _later(self, work: Work) -> Iterator[tuple[int | None, dict[str, Any]]]:
        entries = (
            sa.select(AuditEntry.idx, AuditEntry.body)
            .where(AuditEntry.log == self._log, AuditEntry.idx >= self._next)
            .order_by(AuditEntry.idx)
        )
        waiting = sa.select(sa.null(), AuditOutbox.body).where(AuditOutbox.log == self._log).order_by(AuditOutbox.seq)
        for query in (entries, waiting):
            for index, body in work.connection.execute(query):
                try:
                    yield index, parse_event(bytes(body))
                except InvalidInput:
                    self._add(Kind.REPLAY, index, "有一条等待写入日志的事件无法读取，无法重放。")

    def _compare_texts(self, work: Work) -> None:
        columns = [BudgetText.__table__.c[name] for name in TextRow._fields]
        known = set(self._texts)
        for row in map(TextRow._make, work.connection.execute(sa.select(*columns).order_by(BudgetText.id)).all()):
            fold = self._texts.get(row.id)
            known.discard(row.id)
            if fold is None or not fold.state:
                self._add(Kind.REPLAY, None, f"文本 {row.id} 在数据库中，日志里却没有它的事件；它是绕过程序写入的。")
                continue
            wrong = "、".join(differences(fold, live(work, row)))
            if wrong:
                self._add(
                    Kind.REPLAY,
                    None,
                    f"文本 {row.id} 的{wrong}与日志重放的结果不同；数据库被绕过程序改动过，以日志为准。",
                )
        for text_id in sorted(known):
            if self._texts[text_id].state:
                self._add(Kind.REPLAY, None, f"日志里有文本 {text_id}，数据库中却没有；它被删除了。")

    def _compare_grants(self, work: Work) -> None:
        query = sa.select(RoleGrant.account_id, RoleGrant.role, RoleGrant.organization_id, RoleGrant.expires_at).where(
            RoleGrant.revoked_at.is_(None)
        )
        held = {
            (row.account_id, row.role, row.organization_id): timestamp(row.expires_at) if row.expires_at else UNLIMITED
            for row in work.connection.execute(query)
        }
        for key in sorted(held.keys() | self._grants.keys()):
            account_id, role, _ = key
            if key not in self._grants:
                said = f"账号 {account_id} 的岗位 {role} 在数据库中，日志里却没有授予；它是绕过程序写入的。"
            elif key not in held:
                said = f"日志里授予了账号 {account_id} 岗位 {role}，数据库中却没有；它被绕过程序删除或撤销。"
            elif self._grants[key] is not None and held[key] != self._grants[key]:
                said = f"账号 {account_id} 的岗位 {role} 的到期时间与日志不同；它被绕过程序改动过。"
            else:
                continue
            self._add(Kind.REPLAY, None, said)

    def _compare_accounts(self, work: Work) -> None:
        held = set(work.connection.scalars(sa.select(Account.id).where(Account.disabled_at.is_not(None))))
        known = set(work.connection.scalars(sa.select(Account.id)))
        for account_id in sorted(held - self._disabled):
            self._add(Kind.REPLAY, None, f"账号 {account_id} 已停用，日志里却没有停用它；它被绕过程序停用。")
        for account_id in sorted((self._disabled & known) - held):
            self._add(Kind.REPLAY, None, f"日志里停用了账号 {account_id}，数据库中它却能用；它被绕过程序恢复。")


def live(work: Work, row: TextRow) -> dict[str, Any]:
    """A text as the tables hold it, by the names of ``TextFold``; raises LogCorrupt for a changed definition."""
    definition, sha = definition_of(work, row.definition_id)
    versions = work.connection.execute(
        sa.select(TextVersion.content_hash, TextVersion.author_id)
        .where(TextVersion.text_id == row.id)
        .order_by(TextVersion.number)
    )
    opinions = work.connection.execute(
        sa.select(Opinion.anchor, Opinion.kind, Opinion.problem, Opinion.wanted).where(
            Opinion.text_id == row.id, Opinion.withdrawn_at.is_(None)
        )
    )
    answers = work.connection.execute(
        sa.select(OpinionAnswer.opinion_id, OpinionAnswer.kind, OpinionAnswer.text)
        .join(Opinion, Opinion.id == OpinionAnswer.opinion_id)
        .where(Opinion.text_id == row.id, OpinionAnswer.withdrawn_at.is_(None))
    )
    signatures = work.connection.execute(
        sa.select(Signature.seat, Signature.choice, Signature.account_id).where(Signature.text_id == row.id)
    )
    steps = work.connection.execute(
        sa.select(Step.number, Step.action, Step.source, Step.target, Step.account_id, Step.principal_id)
        .where(Step.text_id == row.id)
        .order_by(Step.number)
    )
    parts = work.connection.execute(
        sa.select(Participation.account_id, Participation.capacity, Participation.round).where(
            Participation.text_id == row.id
        )
    )
    explained = work.connection.execute(
        sa.select(FindingAnswer.code, FindingAnswer.anchor, FindingAnswer.text).where(FindingAnswer.text_id == row.id)
    )
    forms = work.connection.execute(
        sa.select(ReviewForm.subject, ReviewForm.scores, ReviewForm.notes, ReviewForm.conclusion).where(
            ReviewForm.text_id == row.id
        )
    )
    letters = work.connection.execute(
        sa.select(IssuedDocument.document, IssuedDocument.word, IssuedDocument.year, IssuedDocument.number).where(
            IssuedDocument.text_id == row.id, IssuedDocument.voided_step.is_(None)
        )
    )
    return {
        **row._asdict(),
        "definition": f"{definition.name}@{definition.version}:{sha}",
        "path": tuple(row.path.split()),
        "way": way_of(row.resume),
        "steps": [tuple(item) for item in steps],
        "taken_part": distinct(Part(*item) for item in parts),
        "versions": [tuple(item) for item in versions],
        "tasks": tasks_now(work, row.id),
        "opinions": Counter((item.anchor, opinion_words(item.kind, item.problem, item.wanted)) for item in opinions),
        "answers": Counter((item.opinion_id, f"{item.kind}：{item.text}") for item in answers),
        "signatures": Counter(tuple(item) for item in signatures),
        "explained": Counter((f"{item.code}{item.anchor}", item.text) for item in explained),
        "letters": Counter((row.document, shown_number(row.word, row.year, row.number)) for row in letters),
        "forms": Counter(
            (item.subject, str(form_words(orjson.loads(item.scores), orjson.loads(item.notes), item.conclusion)))
            for item in forms
        ),
    }


def differences(fold: TextFold, live: Mapping[str, Any]) -> Iterable[str]:
    """Where the tables differ from the fold; ``live`` has the fold's members as the tables hold them."""
    titles = {
        "definition": "流程定义",
        "state": "状态",
        "round": "轮次",
        "path": "经过的环节",
        "way": "退回后的去向",
        "step": "步数",
        "steps": "办理步骤",
        "taken_part": "参与记录",
        "current_hash": "内容哈希",
        "submitted_hash": "报送的内容哈希",
        "approved_version": "批复的版本",
        "approved_hash": "批复的内容哈希",
        "published_version": "公开的版本",
        "organization_id": "编制部门",
        "reviewing_id": "审核机关",
        "current_version": "版本号",
        "versions": "版本",
        "tasks": "待办任务",
        "opinions": "审核意见",
        "answers": "意见答复",
        "signatures": "签署",
        "explained": "检查问题的答复",
        "forms": "审核表",
        "letters": "发文字号",
    }
    for name, title in titles.items():
        told, held = getattr(fold, name), live[name]
        if told is None and name in ("organization_id", "reviewing_id", "tasks"):
            continue  # events from before they were told
        if fold.untold and name in ("opinions", "answers", "steps"):
            continue
        if isinstance(told, Counter):
            told, held = +told, +Counter(held)
        if told != held:
            yield title
