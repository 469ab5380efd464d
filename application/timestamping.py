"""Time stamps of checkpoints by an outside authority (RFC 3161): asked over the network, or by files carried there and back.

Like a signature or a cosignature, a time stamp is stored with its checkpoint and makes no event.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.x509 import Certificate

from application.installation import LOG, Installation
from application.posting import post
from audit.checkpoints import Checkpoint, latest_checkpoint
from audit.exposure import VerifyToken
from audit.timestamps import (
    QUERY_TYPE,
    TimeStamp,
    check_reply,
    make_query,
    read_certificates,
    read_reply,
    verify_reply,
)
from audit.token_storage import checkpoint_of_digest, store_token, tokens
from models.base import SHANGHAI, timestamp
from models.engine import transaction
from models.errors import DeliveryError, InvalidInput, NotFound

TSA_TIMEOUT = 15.0
_OK = 200


def token_verifier(pem: bytes | None) -> VerifyToken | None:
    """What verifies stored time stamps under the certificates of a PEM file; None without one."""
    if pem is None:
        return None
    return functools.partial(_verify, read_certificates(pem))


def _verify(certificates: Sequence[Certificate], reply: bytes, note: str) -> datetime:
    return verify_reply(reply, note, certificates)


def stamp_online(installation: Installation, url: str, *, pem: bytes | None = None, log: str = LOG) -> dict[str, Any]:
    """Has the newest checkpoint stamped; once a day is enough, and a day that has its stamp is left as it is.

    ``{size, time, verified, stored}``. Raises DeliveryError where the authority does not answer, InvalidInput where its
    answer does not hold.
    """
    today = installation.clock().astimezone(SHANGHAI).date()
    for size, note, reply in _stored(installation, log, limit=1):
        if _said(reply, note).time.astimezone(SHANGHAI).date() == today:
            return _result(size, reply, note, pem, stored=False)
    checkpoint = _fresh(installation, log)
    query, nonce = make_query(checkpoint.note, nonce=True)
    answer = post(url, query, QUERY_TYPE, TSA_TIMEOUT)
    if answer.status != _OK:
        raise DeliveryError(f"时间戳机构 {url} 答复 {answer.status}，没有时间戳；请核对地址，或联系该机构。")
    check_reply(answer.body, checkpoint.note, nonce)
    return _keep(installation, log, checkpoint.size, checkpoint.note, answer.body, pem)


def query_file(installation: Installation, *, log: str = LOG) -> tuple[bytes, int]:
    """The query for the newest checkpoint, for an office without a network, and the checkpoint's size."""
    checkpoint = _fresh(installation, log)
    return make_query(checkpoint.note, nonce=False)[0], checkpoint.size


def take_reply(installation: Installation, reply: bytes, *, pem: bytes | None = None, log: str = LOG) -> dict[str, Any]:
    """Stores a reply that was brought back, with the checkpoint that it is about: ``{size, time, verified, stored}``.

    Raises NotFound where it is about none of ours, and InvalidInput where it does not hold.
    """
    said = read_reply(reply)
    with transaction(installation.engine, read_only=True) as work:
        found = checkpoint_of_digest(work, said.digest, log=log)
    if found is None:
        raise NotFound("时间戳应答不是给这里任何一个检查点的；请核对文件，或用 --log 指明日志。")
    return _keep(installation, log, *found, reply, pem)


def list_tokens(
    installation: Installation, *, pem: bytes | None = None, log: str = LOG, limit: int = 100
) -> list[dict[str, Any]]:
    """The newest stamped checkpoints: ``{size, time, verified, message}``.

    ``verified`` is None without certificates; ``message`` says what is wrong with a stamp that does not hold.
    """
    verify = token_verifier(pem)
    found = []
    for size, note, reply in _stored(installation, log, limit=limit):
        row: dict[str, Any] = {"size": size, "time": None, "verified": None, "message": ""}
        try:
            row["time"] = timestamp(check_reply(reply, note).time)
            if verify is not None:
                verify(reply, note)
                row["verified"] = True
        except InvalidInput as error:
            row |= {"verified": False, "message": error.message}
        found.append(row)
    return found


def _fresh(installation: Installation, log: str) -> Checkpoint:
    installation.catch_up(log)
    installation.sign(log, now=installation.clock())
    # What is stamped is what is stored: the same head may have been signed before, by fewer keys.
    with transaction(installation.engine, read_only=True) as work:
        checkpoint = latest_checkpoint(work, log=log)
    if checkpoint is None:
        raise InvalidInput("审计日志还是空的，没有可以加盖时间戳的内容。")
    return checkpoint


def _stored(installation: Installation, log: str, *, limit: int) -> list[tuple[int, str, bytes]]:
    with transaction(installation.engine, read_only=True) as work:
        return tokens(work, log=log, limit=limit)


def _said(reply: bytes, note: str) -> TimeStamp:
    try:
        return check_reply(reply, note)
    except InvalidInput:
        # What is stored proves nothing, so that the day has no stamp yet.
        return TimeStamp(b"", datetime.min.replace(tzinfo=SHANGHAI), None)


def _keep(
    installation: Installation, log: str, size: int, note: str, reply: bytes, pem: bytes | None
) -> dict[str, Any]:
    # Before it is stored: a stamp that the given certificates do not bear must not take the place of a good one.
    result = _result(size, reply, note, pem, stored=True)
    with transaction(installation.engine) as work:
        result["stored"] = store_token(work, size, reply, log=log)
    return result


def _result(size: int, reply: bytes, note: str, pem: bytes | None, *, stored: bool) -> dict[str, Any]:
    verify = token_verifier(pem)
    time = check_reply(reply, note).time if verify is None else verify(reply, note)
    return {"size": size, "time": timestamp(time), "verified": verify is not None, "stored": stored}
