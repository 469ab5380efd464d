"""How much of a log is known outside, for people: the exposed window, and where the logs stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from application.installation import LOG, Installation
from application.verifying import cosigner_keys
from application.witnessing import log_names, witnesses
from audit.checkpoints import latest_checkpoint
from audit.exposure import Exposure, Kept, VerifyToken, exposed_window
from audit.lag import outbox_lag
from audit.notes import parse_vkey
from audit.rotation import active_vkeys
from audit.storage import read_head, read_identity
from audit.witnessing import newest_cosigned
from models.base import timestamp
from models.engine import transaction

_KEPT_TITLES = {Kept.WITNESS: "见证", Kept.TIMESTAMP: "时间戳", Kept.CHECKPOINT: "留存的检查点"}
_UNITS = ((86_400, "天"), (3_600, "小时"), (60, "分钟"))


def exposure(
    installation: Installation,
    *,
    log: str = LOG,
    vkeys: Sequence[str] = (),
    trusted: Sequence[str] = (),
    outside: Sequence[str] = (),
    verify_token: VerifyToken | None = None,
) -> Exposure:
    """The exposed window of a log.

    ``vkeys`` are witnesses' keys known from outside (else those of the settings), ``trusted`` the log's (else the
    database's), ``outside`` checkpoint notes that somebody keeps; the installation's own head file is none of them.
    """
    with transaction(installation.engine, read_only=True) as work:
        return exposed_window(
            work,
            log=log,
            cosigners=cosigner_keys(installation, vkeys),
            verify_token=verify_token,
            outside=outside,
            trusted=[parse_vkey(text) for text in trusted or (read_identity(work, log).vkey,)],
            now=installation.clock(),
        )


def exposure_json(found: Exposure) -> dict[str, Any]:
    """The exposed window as a JSON object; ``age`` in seconds."""
    newest = found.newest
    return {
        "size": found.size,
        "waiting": found.waiting,
        "exposed": found.exposed,
        "outside": None
        if newest is None
        else {"size": newest.size, "kept": str(newest.kept), "name": newest.name, "time": _stamp(newest.time)},
        "age": None if found.age is None else int(found.age.total_seconds()),
    }


def exposure_sentence(found: dict[str, Any]) -> str:
    """One sentence for people on an exposed window, given as its JSON object."""
    exposed, outside = found["exposed"], found["outside"]
    if outside is None and not exposed:
        return "日志还是空的，没有暴露窗口。"
    if outside is None:
        return (
            f"暴露窗口：全部 {exposed} 条。还没有外部留存的日志头，持有数据库和密钥的人可以改写全部历史而不被发现；"
            "请设置见证者，或把检查点交给审计机关。"
        )
    name = f"：{outside['name']}" if outside["name"] else ""
    who = f"{_KEPT_TITLES[Kept(outside['kept'])]}{name}"
    if found["age"] is not None:
        who += f"，{_ago(found['age'])}"
    if not exposed:
        return f"暴露窗口：0 条。外部已知的日志头就是最新的 {outside['size']} 条（{who}）。"
    return (
        f"暴露窗口：最后 {exposed} 条。外部已知的日志头是 {outside['size']} 条（{who}）；其后的还可能被改写而不被发现。"
    )


def _ago(seconds: int) -> str:
    for unit, title in _UNITS:
        if seconds >= unit:
            return f"{seconds // unit} {title}前"
    return f"{seconds} 秒前"


def log_status(installation: Installation, log: str = LOG) -> dict[str, Any]:
    """Where a log stands, as a JSON object: head, last checkpoint, key, witnesses, exposed window, outbox.

    Reads only, and needs no log-in: whoever can run it holds the database.
    """
    named = witnesses(installation)
    with transaction(installation.engine, read_only=True) as work:
        identity = read_identity(work, log)
        head = read_head(work, log)
        last = latest_checkpoint(work, log=log)
        known = [newest_cosigned(work, item.key, log=log) for item in named]
        waiting, since = outbox_lag(work, log=log)
        vkeys = active_vkeys(work, log)
    now = installation.clock()
    return {
        "log": log,
        "origin": identity.origin,
        "vkeys": list(vkeys),
        "size": head.size,
        "root": head.root.hex(),
        "checkpoint": None if last is None else {"size": last.size, "time": _stamp(last.created)},
        "witnesses": [
            {
                "name": item.key.name,
                "url": item.url,
                "size": found[0] if found else None,
                "time": _stamp(found[1].time) if found else None,
            }
            for item, found in zip(named, known, strict=True)
        ],
        "exposure": exposure_json(exposure(installation, log=log)),
        "outbox": {
            "waiting": waiting,
            "seconds": None if since is None else max(int((now - since).total_seconds()), 0),
        },
    }


def status(installation: Installation) -> list[dict[str, Any]]:
    """Where each log of an installation stands, the main one first."""
    return [log_status(installation, name) for name in log_names(installation)]


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)
