"""Rows that every use case on a text reads and writes: the locked text, definitions, standing, parts, commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from models.canonical import digest
from models.engine import Work
from models.errors import Conflict, LogCorrupt, NotFound
from models.process import SignChoice
from workflow import statements as sql
from workflow.definition import Definition, SignRule, stored_definition
from workflow.signing import Seat, base_seats
from workflow.situation import Actor, Grants, LastStep, Part, Standing, TextRow, Turn

# Definitions never change once published, so a process reads each one once.
_definitions: dict[str, tuple[Definition, str]] = {}


def parts_of(work: Work, text_id: str) -> tuple[Part, ...]:
    """Everybody who took part in a text."""
    return tuple(Part(*row) for row in work.rows(sql.READ_PARTS, text_id=text_id))


def turns_of(work: Work, text_id: str) -> tuple[Turn, ...]:
    """The open tasks of a text."""
    return tuple(Turn(*row) for row in work.rows(sql.READ_TURNS, text_id=text_id))


def tasks_now(work: Work, text_id: str) -> list[dict[str, str]]:
    """The open tasks of a text as an event holds them, sorted by seat: ``{seat, role, assignee, owner, due}``, none empty."""
    return [
        {
            name: value
            for name, value in (
                ("seat", turn.seat),
                ("role", turn.role),
                ("assignee", turn.assignee_id),
                ("owner", turn.owner_id),
                ("due", turn.due_on),
            )
            if value
        }
        for turn in sorted(turns_of(work, text_id), key=lambda turn: turn.seat)
    ]


def last_step_of(work: Work, text_id: str) -> LastStep | None:
    """The newest step of a text, or None before its first."""
    row = work.one(sql.READ_LAST_STEP, text_id=text_id)
    return LastStep(*row) if row else None


class Vote(NamedTuple):
    """A vote that counts: whose, on which seat, in favour or not."""

    seat: str
    account_id: str
    principal_id: str | None
    agrees: bool


def votes_of(work: Work, text_id: str, visit: int) -> tuple[Vote, ...]:
    """The votes of a sign-off that count, in their order: what was withdrawn is gone."""
    counted: dict[str, Vote] = {}
    for _, seat, account_id, principal_id, choice in work.rows(sql.READ_SIGNATURES, text_id=text_id, visit=visit):
        counted.pop(seat, None)
        if choice != SignChoice.WITHDRAWN:
            counted[seat] = Vote(seat, account_id, principal_id, choice == SignChoice.AGREE)
    return tuple(counted.values())


def seats_of(work: Work, rule: SignRule, text_id: str, visit: int) -> tuple[Seat, ...]:
    """The seats of a sign-off, those that signers added included."""
    added = tuple(
        Seat(seat, role, anchor, place, account_id)
        for seat, role, anchor, place, account_id, _, removed_at in work.rows(
            sql.READ_SIGNERS, text_id=text_id, visit=visit
        )
        if removed_at is None
    )
    return base_seats(rule) + added


def times_taken(work: Work, text_id: str, action: str) -> int:
    """How often an action moved a text since it was last opened for an adjustment; what was taken back does not count."""
    return actions_since_reopening(work, text_id).count(action)


def actions_since_reopening(work: Work, text_id: str) -> list[str]:
    """The actions of a text since it began or was last opened for an adjustment, without what was taken back."""
    steps = work.rows(sql.READ_STEPS, text_id=text_id)
    undone = {undoes for _, _, undoes, _ in steps if undoes is not None}
    actions: list[str] = []
    for number, name, undoes, reopens in steps:
        if reopens and number not in undone:
            actions = []
        elif undoes is None and number not in undone:
            actions.append(name)
    return actions


def actions_on_content(work: Work, text_id: str, current_hash: str) -> frozenset[str]:
    """The actions that judged the content of a hash: from the submission that froze it on, without what was taken back."""
    steps = work.rows(sql.READ_STEPS_BEFORE, text_id=text_id)
    undone = {undoes for _, _, undoes, _, _ in steps if undoes is not None}
    done: set[str] = set()
    for number, name, undoes, reopens, before in reversed(steps):
        if undoes is not None or number in undone:
            continue
        if reopens:
            break
        done.add(name)
        # The step before which another content, or none, stood submitted is the one that submitted this.
        if not before or orjson.loads(before)["submitted_hash"] != current_hash:
            break
    return frozenset(done)


def lock_text(work: Work, text_id: str) -> TextRow:
    """The text's row, locked until the transaction ends; raises NotFound."""
    row = work.one(sql.LOCK_TEXT, text_id=text_id)
    if row is None:
        raise NotFound(f"没有编号为“{text_id}”的文本；请用 jixiao text list 查看。", text=text_id)
    return TextRow(*row)


def check_version(text: TextRow, expected_version: int | None) -> None:
    """Raises Conflict where the caller saw another row version than the text has now."""
    if expected_version is not None and text.row_version != expected_version:
        raise Conflict(
            f"文本已被别人改动（您看到的是第 {expected_version} 次改动，现在是第 {text.row_version} 次）；请重新读取后再试。",
            expected=expected_version,
            actual=text.row_version,
            state=text.state,
        )


def definition_of(work: Work, definition_id: str) -> tuple[Definition, str]:
    """A definition and its hash; raises LogCorrupt where the stored body is not what its hash says."""
    known = _definitions.get(definition_id)
    if known is None:
        row = work.one(sql.READ_DEFINITION, definition_id=definition_id)
        if row is None:
            raise NotFound(f"没有编号为“{definition_id}”的流程定义。", definition=definition_id)
        body, sha = row
        if digest(bytes(body)) != sha:
            raise LogCorrupt(f"流程定义 {definition_id} 的内容与它的哈希不符；请停止使用并核查数据库。")
        known = _definitions[definition_id] = (stored_definition(bytes(body)), sha)
    return known


def standing_of(work: Work, actor: Actor, now: datetime) -> Standing:
    """What an actor holds at ``now``, and for whom they stand in; an account that is gone is not active."""
    rows = work.rows(sql.READ_STANDING, account_id=actor.account_id)
    grants = frozenset(
        (role, organization_id)
        for _, role, organization_id, expires_at, revoked_at in rows
        if role and revoked_at is None and (expires_at is None or expires_at > now)
    )
    lent: dict[str, set[tuple[str, str]]] = {}
    whole: set[str] = set()
    for principal, role, organization_id, expires_at, lent_role in work.rows(
        sql.READ_PRINCIPALS, account_id=actor.account_id, moment=now
    ):
        if expires_at is None or expires_at > now:
            lent.setdefault(principal, set()).add((role, organization_id))
        if lent_role is None:
            whole.add(principal)
    principals: tuple[tuple[str, Grants], ...] = tuple((who, frozenset(held)) for who, held in lent.items())
    return Standing(bool(rows) and rows[0][0] is None, grants, principals, frozenset(lent) - whole)


def take_part(
    work: Work, text_id: str, account_id: str, capacity: str, round_: int, parts: Sequence[Part], now: datetime
) -> None:
    """Notes that somebody took part; once per capacity and round."""
    if Part(account_id, capacity, round_) in parts:
        return
    work.run(sql.INSERT_PART, text_id=text_id, account_id=account_id, capacity=capacity, round=round_, created_at=now)


def replay(work: Work, command_id: str, arguments: str) -> dict[str, Any] | None:
    """The result that a command id gave before, or None; raises Conflict where its arguments were others."""
    row = work.one(sql.READ_COMMAND, command_id=command_id)
    if row is None:
        return None
    known, result = row
    if known != arguments:
        raise Conflict(f"命令编号 {command_id} 已用于另一个操作；请换一个编号。", command=command_id)
    stored: dict[str, Any] = orjson.loads(result)
    return stored


def remember(work: Work, command_id: str, actor: Actor, arguments: str, result: dict[str, Any], now: datetime) -> None:
    """Stores a command with its result."""
    work.run(
        sql.INSERT_COMMAND,
        id=command_id,
        account_id=actor.account_id,
        digest=arguments,
        result=orjson.dumps(result).decode(),
        created_at=now,
    )
