"""Rows that every use case on a text reads and writes: the locked text, definitions, standing, parts, commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from models.canonical import digest
from models.engine import Work
from models.errors import Conflict, LogCorrupt, NotFound
from workflow import statements as sql
from workflow.definition import Definition, parse_definition
from workflow.situation import Actor, Part, Standing, TextRow

# Definitions never change once published, so a process reads each one once.
_definitions: dict[str, tuple[Definition, str]] = {}


def parts_of(work: Work, text_id: str) -> tuple[Part, ...]:
    """Everybody who took part in a text."""
    return tuple(Part(*row) for row in work.rows(sql.READ_PARTS, text_id=text_id))


def task_role_of(work: Work, text_id: str) -> str | None:
    """The role whose turn it is, or None."""
    row = work.one(sql.READ_TASK, text_id=text_id)
    return row[0] if row else None


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
        known = _definitions[definition_id] = (parse_definition(bytes(body)), sha)
    return known


def standing_of(work: Work, actor: Actor, now: datetime) -> Standing:
    """What an actor holds at ``now``; an account that is gone is not active."""
    rows = work.rows(sql.READ_STANDING, account_id=actor.account_id)
    grants = frozenset(
        (role, organization_id)
        for _, role, organization_id, expires_at, revoked_at in rows
        if role and revoked_at is None and (expires_at is None or expires_at > now)
    )
    return Standing(bool(rows) and rows[0][0] is None, grants)


def take_part(
    work: Work, text_id: str, actor: Actor, capacity: str, round_: int, parts: Sequence[Part], now: datetime
) -> None:
    """Notes that an actor took part; once per capacity and round."""
    if Part(actor.account_id, capacity, round_) in parts:
        return
    work.run(
        sql.INSERT_PART,
        text_id=text_id,
        account_id=actor.account_id,
        capacity=capacity,
        round=round_,
        created_at=now,
    )


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
