"""The registers of an installation are the fold of their events: organizations, accounts, tokens, delegations, definitions.

Whoever writes to one of these tables past the program can let somebody act as somebody else, or let texts run by a definition that
nobody checked, and every event of it would look like any other. Texts and grants are the matter of ``application.replaying``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import sqlalchemy as sa

from audit.acts import Act
from audit.events import Outcome, parse_event
from audit.snapshots import snapshot
from audit.verdicts import Kind, Problem
from models.base import timestamp
from models.check_settings import CheckSetting
from models.documents import NumberWord
from models.engine import Work
from models.errors import InvalidInput
from models.log import AuditEntry, AuditOutbox
from models.people import AccessToken, Account, Delegation, Organization
from models.process import WorkflowDefinition

# Problems that are kept in words; more of the same tell nothing new.
_KEPT: Final = 100

# Where the event of a number word says for which document it is, and the type of the object of check settings.
_WORD: Final = "/number_word/"
CHECKS: Final = "check_settings"

# The actor of what an installation does by itself.
_NOBODY: Final = "-"

Row = tuple[Any, ...]
Register = dict[str, Row]

_TITLES: Final = {
    "organization": "单位",
    "account": "账号",
    "token": "访问令牌",
    "delegation": "代理",
    "definition": "流程定义",
    "word": "发文字号设置",
    "checks": "检查设置",
}


class Registers:
    """Shown every event of the main log in order (``audit.eventchecks.EventCheck``), it compares with the tables at the end.

    Tokens, codes and aliases are told by logs that began with this check; of an older log they are not judged.
    """

    def __init__(self, engine: sa.Engine, *, log: str) -> None:
        self._engine = engine
        self._log = log
        self._next = 0
        self._told: dict[str, Register] = {kind: {} for kind in _TITLES}
        # The account of each token that came with a request.
        self._used: dict[str, set[str]] = {}
        self._is_whole: bool | None = None

    def see(self, index: int, event: dict[str, Any]) -> None:
        """Takes an event and folds what it tells of a register."""
        self._next = index + 1
        session, actor = event["ctx"].get("ses"), event["actor"]["sub"]
        if session is not None and actor != _NOBODY:
            self._used.setdefault(session, set()).add(actor)
        if event["out"] == Outcome.SUCCESS:
            self._fold(event["act"], event["obj"], {item["p"]: item for item in event.get("chg", ())})

    def finish(self) -> Iterable[Problem]:
        """What the tables hold that no event tells, and the other way round."""
        with snapshot(self._engine) as work:
            for event in _later(work, self._log, self._next):
                self.see(self._next, event)
            held = self._held(work)
        problems = [
            Problem(Kind.REPLAY, None, sentence)
            for sentence in (*self._differences(held), *(self._strange_tokens() if self._is_whole else ()))
        ]
        more = len(problems) - _KEPT
        told = [Problem(Kind.REPLAY, None, f"登记表另有 {more} 个问题没有逐一列出。")] if more > 0 else []
        return problems[:_KEPT] + told

    def _fold(self, act: str, obj: dict[str, Any], changes: dict[str, dict[str, Any]]) -> None:
        kind, object_id = obj["type"], obj["id"]
        new = {place: item.get("n") for place, item in changes.items()}
        if act == Act.ORGANIZATION_ADD:
            more = new.get("/code"), "\n".join(new.get("/aliases") or ())
            self._told["organization"][object_id] = (new.get("/name"), new.get("/kind"), *more)
        elif act == Act.ACCOUNT_ADD:
            self._told["account"][object_id] = (new.get("/organization"),)
        elif act in (Act.TOKEN_CREATE, Act.AUTH_LOGIN):
            token = new.get("/token")
            if self._is_whole is None:
                self._is_whole = isinstance(token, dict)
            if isinstance(token, dict):
                self._told["token"][token["id"]] = (object_id, token["until"])
        elif act == Act.DELEGATION_ADD:
            members = ("/principal", "/delegate", "/role", "/starts", "/ends")
            self._told["delegation"][object_id] = (*map(new.get, members), None)
        elif act == Act.DELEGATION_REVOKE and object_id in self._told["delegation"]:
            self._told["delegation"][object_id] = (*self._told["delegation"][object_id][:-1], new.get("/revoked"))
        elif act == Act.DEFINITION_PUBLISH:
            self._told["definition"][object_id] = (new.get("/name"), new.get("/sha256"))
        elif act == Act.CONFIG_CHANGE and "/sha256" in new and kind == CHECKS:
            self._told["checks"][object_id] = (new["/sha256"],)
        for place, word in new.items():
            if act == Act.ORGANIZATION_UPDATE and place.startswith(_WORD):
                document = place.removeprefix(_WORD)
                self._told["word"][f"{object_id} {document}"] = (word or "",)

    def _held(self, work: Work) -> dict[str, Register]:
        """The tables as the events tell them."""
        run = work.connection.execute
        organizations = run(
            sa.select(Organization.id, Organization.name, Organization.kind, Organization.code, Organization.aliases)
        )
        accounts = run(sa.select(Account.id, Account.organization_id))
        tokens = run(sa.select(AccessToken.id, AccessToken.account_id, AccessToken.expires_at))
        definitions = run(
            sa.select(
                WorkflowDefinition.id, WorkflowDefinition.name, WorkflowDefinition.version, WorkflowDefinition.sha256
            )
        )
        # In the order of their numbers, so that of several the newest stays.
        words = run(
            sa.select(NumberWord.organization_id, NumberWord.document, NumberWord.word).order_by(NumberWord.number)
        )
        checks = run(sa.select(CheckSetting.organization_id, CheckSetting.sha256).order_by(CheckSetting.number))
        return {
            "word": {f"{row.organization_id} {row.document or 'all'}": (row.word,) for row in words},
            "checks": {row.organization_id: (row.sha256,) for row in checks},
            "organization": {row.id: tuple(row)[1:] for row in organizations},
            "account": {row.id: (row.organization_id,) for row in accounts},
            "token": {row.id: (row.account_id, timestamp(row.expires_at)) for row in tokens},
            "delegation": {row.id: _delegation(row) for row in work.session.scalars(sa.select(Delegation))},
            "definition": {row.id: (f"{row.name}@{row.version}", row.sha256) for row in definitions},
        }

    def _differences(self, held: dict[str, Register]) -> Iterator[str]:
        for kind, title in _TITLES.items():
            if kind == "token" and not self._is_whole:
                continue
            told, rows = self._told[kind], held[kind]
            for name in sorted(told.keys() | rows.keys()):
                if name not in told:
                    yield f"{title} {name} 在数据库中，日志里却没有它；它是绕过程序写入的，请停用并核查用它办过的事。"
                elif name not in rows:
                    yield f"日志里有{title} {name}，数据库中却没有；它被绕过程序删除，请从备份核对。"
                elif self._judged(kind, told[name]) != self._judged(kind, rows[name]):
                    yield f"{title} {name} 与日志里的不同；它被绕过程序改动过，以日志为准。"

    def _judged(self, kind: str, row: Row) -> Row:
        return row[:2] if kind == "organization" and not self._is_whole else row

    def _strange_tokens(self) -> Iterator[str]:
        """Also a token that was deleted after it was used."""
        for session, accounts in sorted(self._used.items()):
            owner = self._told["token"].get(session, (None,))[0]
            for account in sorted(accounts - {owner}):
                yield f"有人以账号 {account} 办事，用的访问令牌 {session} 日志里没有发给这个账号；请核查这些事件。"


def _delegation(row: Delegation) -> Row:
    revoked = None if row.revoked_at is None else timestamp(row.revoked_at)
    return (row.principal_id, row.delegate_id, row.role, timestamp(row.starts_at), timestamp(row.ends_at), revoked)


def _later(work: Work, log: str, start: int) -> Iterator[dict[str, Any]]:
    """Events that a verification was not shown: written meanwhile, or waiting for their index."""
    entries = sa.select(AuditEntry.body).where(AuditEntry.log == log, AuditEntry.idx >= start).order_by(AuditEntry.idx)
    waiting = sa.select(AuditOutbox.body).where(AuditOutbox.log == log).order_by(AuditOutbox.seq)
    for query in (entries, waiting):
        for body in work.connection.scalars(query):
            try:
                yield parse_event(bytes(body))
            except InvalidInput:
                continue  # the replay says so of every such row
