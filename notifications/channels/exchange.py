"""One HTTP request and its answer, bounded in time and size: what robots and web hooks have in common."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from notifications.channels.addresses import (
    NONE_ALLOWED,
    AllowList,
    RefusedAddressError,
    Resolver,
    judged_address,
    look_up,
)
from notifications.channels.limits import within
from notifications.channels.protocol import Outcome, Verdict

# More than any answer that says whether a message was taken.
_MOST_BYTES = 64 * 1024
# Seconds for a connection, for each wait on it, and for the whole exchange.
_CONNECT, _EACH, WHOLE = 5.0, 10.0, 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered; ``after`` are the seconds of its Retry-After."""

    status: int
    body: bytes
    after: float | None


@dataclass(frozen=True, slots=True)
class Target:
    """An address with what is known of it: whether it is judged (web hooks), and by which list and resolver."""

    url: str
    judged: bool = False
    allowed: AllowList = NONE_ALLOWED
    resolve: Resolver = look_up
    ca_file: str | None = None


def post(target: Target, body: bytes, headers: Mapping[str, str], *, whole: float = WHOLE) -> Answer | Outcome:
    """Posts and reads the answer; an Outcome where there is none. No redirect is followed."""
    answer = within(whole, lambda: _guarded(lambda: _exchange(target, body, headers)))
    return answer or Outcome(Verdict.LATER, f"对方 {whole:.0f} 秒内没有完整应答", fault=True)


def _guarded(call: Callable[[], Answer | Outcome]) -> Answer | Outcome:
    try:
        return call()
    except RefusedAddressError as refused:
        return Outcome(Verdict.NEVER, str(refused))
    except httpx.TimeoutException:
        return Outcome(Verdict.LATER, "对方应答超时", fault=True)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        # Only the name of the error: its words may hold the address, and the address of a robot is its password.
        kind = (
            "加密连接失败" if "certificate" in str(error).lower() or "ssl" in str(error).lower() else "连接失败或中断"
        )
        return Outcome(Verdict.LATER, f"{kind}（{type(error).__name__}）", fault=True)


def _exchange(target: Target, body: bytes, headers: Mapping[str, str]) -> Answer | Outcome:
    url = httpx.URL(target.url)
    sent = {**headers, "User-Agent": "jixiao", "Accept-Encoding": "identity"}
    extensions: dict[str, str] = {}
    if target.judged:
        port = url.port or (443 if url.scheme == "https" else 80)
        address = judged_address(url.host, port, target.allowed, target.resolve)
        sent["Host"] = url.netloc.decode("ascii")
        # The certificate is still asked for the name, not for the address.
        extensions["sni_hostname"] = url.host
        url = url.copy_with(host=address)
    # No proxies and no .netrc from the environment: a proxy would look names up by itself.
    timeout = httpx.Timeout(_EACH, connect=_CONNECT)
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=target.ca_file) if url.scheme == "https" else True
    with (
        httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False, verify=verify) as client,
        client.stream("POST", url, content=body, headers=sent, extensions=extensions) as answer,
    ):
        taken = b""
        for chunk in answer.iter_raw():
            taken += chunk
            if len(taken) > _MOST_BYTES:
                return Outcome(Verdict.LATER, "对方的应答过长", fault=True)
        return Answer(answer.status_code, taken, _seconds(answer.headers.get("Retry-After")))


def _seconds(value: str | None) -> float | None:
    """Seconds of a Retry-After (RFC 9110 section 10.2.3): a number, or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def by_status(answer: Answer) -> Outcome | None:
    """What the status alone decides; None for 2xx, whose body decides."""
    status = answer.status
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Outcome(Verdict.NEVER, f"对方要求转到别的地址（HTTP {status}），没有跟随；请改用最终地址")
    if status in (401, 403, 410):
        return Outcome(Verdict.OFF, f"对方不接受这个通道的凭据，或已经停用（HTTP {status}）")
    if status in (408, 425, 429) or status == 404:
        return Outcome(Verdict.LATER, f"对方暂不接受（HTTP {status}）", after=answer.after)
    if 400 <= status < 500:
        return Outcome(Verdict.NEVER, f"对方拒收这条消息（HTTP {status}）")
    return Outcome(Verdict.LATER, f"对方出错（HTTP {status}）", after=answer.after, fault=True)
