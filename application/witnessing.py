"""Witnesses of the logs: asking them after a checkpoint was signed, and what they are known to have.

A cosignature is an answer of somebody else about a checkpoint. It is stored with the checkpoint and makes no event: an event
would need a new checkpoint, that one a new cosignature, and so on for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog

from application.installation import LOG, Installation
from application.posting import at_once, check_url, post
from audit.checkpoints import Checkpoint, latest_checkpoint
from audit.cosignatures import Cosignature, CosignerKey, parse_cosigner
from audit.storage import StoredTree, read_head
from audit.witnessing import Reply, Trouble, ask, newest_cosigned, store_cosignature
from models.base import timestamp
from models.engine import transaction
from models.errors import Conflict, InvalidInput, JixiaoError, LogCorrupt
from models.log import AuditLog
from models.prepared import Prepared

# All witnesses together may take this long, in seconds, whatever they do: somebody waits at the keyboard.
WITNESS_TIMEOUT = 5.0
_TRIES = 5
_PATH = "/add-checkpoint"
_TEXT = "text/plain; charset=utf-8"

_LOGS = Prepared(sa.select(AuditLog.id).order_by(AuditLog.id))


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness of the settings: its key, and its address before ``/add-checkpoint``."""

    key: CosignerKey
    url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to one witness: for which log and checkpoint, and what it came to."""

    log: str
    size: int
    reply: Reply


def witnesses(installation: Installation) -> list[Witness]:
    """The witnesses of the settings; raises InvalidInput for a key or an address that is none, or a key named twice."""
    found = [
        Witness(parse_cosigner(item.vkey), check_url(item.url.rstrip("/"))) for item in installation.settings.witnesses
    ]
    if len({(item.key.name, item.key.key_id) for item in found}) < len(found):
        raise InvalidInput("设置中的 witnesses 有重复的见证公钥；每个见证者只写一次。")
    return found


def log_names(installation: Installation) -> list[str]:
    """The logs of an installation, the main one first."""
    with transaction(installation.engine, read_only=True) as work:
        names = [name for (name,) in work.rows(_LOGS)]
    return sorted(names, key=lambda name: (name != LOG, name))


def ask_quietly(installation: Installation) -> None:
    """Asks the witnesses about the newest checkpoint of each log, after somebody's work was saved and signed; never fails.

    What goes wrong is a line in the program's log: the work is done, the exposed window grows, and is shown.
    """
    if not installation.settings.witnesses:
        return
    try:
        asked = _ask(installation, witnesses(installation))
    except (JixiaoError, OSError) as error:
        reason = error.message if isinstance(error, JixiaoError) else str(error)
        structlog.get_logger("jixiao").error("witness", outcome="failed", reason=reason)
        return
    for item in asked:
        if item.reply.trouble not in (None, Trouble.OVERTAKEN):
            log = structlog.get_logger("jixiao")
            write = log.error if item.reply.trouble in _ALARMING else log.warning
            write("witness", log=item.log, outcome=str(item.reply.trouble), reason=item.reply.message)


_ALARMING = frozenset((Trouble.AHEAD, Trouble.FORKED))


def ask_witnesses(installation: Installation) -> list[dict[str, Any]]:
    """Signs the heads as they stand and asks all witnesses: ``{log, witness, size, time, trouble, message}`` for each.

    Raises InvalidInput where there are no witnesses.
    """
    asked = witnesses(installation)
    if not asked:
        raise InvalidInput("设置中没有见证者；请在 settings.toml 里写 [[witnesses]]，给出 vkey 和 url。")
    for name in log_names(installation):
        installation.catch_up(name)
        installation.sign(name, now=installation.clock())
    return [
        {
            "log": item.log,
            "witness": item.reply.key.name,
            "size": item.size,
            "time": timestamp(item.reply.cosignature.time) if item.reply.cosignature else None,
            "trouble": None if item.reply.trouble is None else str(item.reply.trouble),
            "message": item.reply.message,
        }
        for item in _ask(installation, asked, again=True)
    ]


def require_no_fork(replies: Sequence[dict[str, Any]]) -> None:
    """Raises LogCorrupt where a witness has seen another history, or more of it than there is here."""
    for reply in replies:
        if reply["trouble"] in _ALARMING:
            raise LogCorrupt(reply["message"])


def _newest(installation: Installation) -> dict[str, Checkpoint]:
    names = log_names(installation)
    with transaction(installation.engine, read_only=True) as work:
        found = {name: latest_checkpoint(work, log=name) for name in names}
    return {name: checkpoint for name, checkpoint in found.items() if checkpoint is not None}


def _ask(installation: Installation, asked: Sequence[Witness], *, again: bool = False) -> list[Asked]:
    """Asks about the newest checkpoint of each log, all side by side, and stores what comes back.

    A witness that has cosigned it already is asked only ``again``: whether it has seen more since, which a database that was
    set back can't know by itself.
    """
    checkpoints = _newest(installation)
    pairs = [(log, checkpoint, witness) for log, checkpoint in checkpoints.items() for witness in asked]
    with transaction(installation.engine, read_only=True) as work:
        known = [newest_cosigned(work, witness.key, log=log) for log, _checkpoint, witness in pairs]
    answers: list[Reply | None] = [
        Reply(witness.key, found[1]) if not again and found is not None and found[0] == checkpoint.size else None
        for (_log, checkpoint, witness), found in zip(pairs, known, strict=True)
    ]
    open_ = [number for number, answer in enumerate(answers) if answer is None]
    calls = []
    for number in open_:
        found = known[number]
        calls.append(_question(installation, *pairs[number], found[0] if found else 0))
    for number, reply in zip(open_, at_once(calls, WITNESS_TIMEOUT), strict=True):
        log, checkpoint, _witness = pairs[number]
        answers[number] = reply and _judged(installation, log, reply)
        if reply is not None and reply.cosignature is not None:
            _store(installation, log, checkpoint.size, reply.cosignature)
    return [
        Asked(log, checkpoint.size, answer or _late(witness))
        for (log, checkpoint, witness), answer in zip(pairs, answers, strict=True)
    ]


def _question(
    installation: Installation, log: str, checkpoint: Checkpoint, witness: Witness, known: int
) -> Callable[[], Reply]:
    def prove(old: int) -> list[bytes]:
        with transaction(installation.engine, read_only=True) as work:
            return StoredTree(work, log, read_head(work, log)).consistency(old, checkpoint.size)

    def send(body: bytes) -> tuple[int, bytes]:
        answer = post(witness.url + _PATH, body, _TEXT, WITNESS_TIMEOUT)
        return answer.status, answer.body

    def run() -> Reply:
        try:
            return ask(witness.key, checkpoint.note, known, prove, send)
        except JixiaoError as error:
            return Reply(witness.key, None, Trouble.REFUSED, error.message)

    return run


def _judged(installation: Installation, log: str, reply: Reply) -> Reply:
    """A head that is ahead may be our own: another process has signed it since and was quicker."""
    if reply.trouble is not Trouble.AHEAD:
        return reply
    with transaction(installation.engine, read_only=True) as work:
        newest = latest_checkpoint(work, log=log)
    if newest is None or newest.size < reply.told:
        return reply
    message = f"见证者 {reply.key.name}：另一个进程刚刚送去了更新的检查点（{reply.told} 条）；无需重试。"
    return Reply(reply.key, None, Trouble.OVERTAKEN, message)


def _late(witness: Witness) -> Reply:
    message = f"见证者 {witness.key.name}：{WITNESS_TIMEOUT:g} 秒内没有答复；请检查地址和网络。"
    return Reply(witness.key, None, Trouble.UNREACHABLE, message)


def _store(installation: Installation, log: str, size: int, cosignature: Cosignature) -> None:
    for rest in reversed(range(_TRIES)):
        try:
            with transaction(installation.engine) as work:
                store_cosignature(work, size, cosignature, log=log)
        except Conflict:
            if not rest:
                raise
        else:
            return
