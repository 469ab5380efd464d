"""Sending a few bytes to a service outside and reading a few back: witnesses, time stamping authorities."""

from __future__ import annotations

import http.client
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from models.errors import DeliveryError, InvalidInput

# More than any answer that we ask for: a cosignature is 200 bytes, a timestamp with its certificates some kilobytes.
MAX_ANSWER = 256 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Posted:
    """What a service answered: status, content type without parameters, body."""

    status: int
    content_type: str
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A witness is whom we were told, at the address that we were told."""

    def redirect_request(self, *_args: object, **_given: object) -> None:
        """Refuses: the answer 3xx is then an error like others."""


def check_url(url: str) -> str:
    """The address, where it is one of http or https; raises InvalidInput."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not url.isascii() or any(character.isspace() for character in url):
        raise InvalidInput(f"地址“{url}”应以 http:// 或 https:// 开头；请检查设置。")
    return url


def post(url: str, body: bytes, content_type: str, timeout: float) -> Posted:
    """Sends a POST and returns the answer, of whatever status; ``timeout`` in seconds bounds each wait for the network.

    Raises DeliveryError where there is no answer, or one that is too long.
    """
    request = urllib.request.Request(  # noqa: S310 -- check_url lets http and https through only
        check_url(url), data=body, headers={"Content-Type": content_type, "User-Agent": "jixiao"}, method="POST"
    )
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        try:
            with opener.open(request, timeout=timeout) as answer:
                return _posted(answer.status, answer.headers.get_content_type(), answer.read(MAX_ANSWER + 1))
        except urllib.error.HTTPError as error:
            with error:
                return _posted(error.code, error.headers.get_content_type(), error.read(MAX_ANSWER + 1))
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DeliveryError(f"{url} 没有应答（{reason}）；请检查地址和网络。") from error


def _posted(status: int, content_type: str, body: bytes) -> Posted:
    if len(body) > MAX_ANSWER:
        raise DeliveryError(f"应答超过 {MAX_ANSWER} 字节；请检查地址是否正确。")
    return Posted(status, content_type, body)


def at_once(calls: Sequence[Callable[[], T]], timeout: float) -> list[T | None]:
    """The results of calls that run side by side, None for those that have not ended after ``timeout`` seconds.

    The time bounds them all together. A service that sends a byte now and then keeps every single wait short and would
    hold a thread for ever; such a thread is left behind, and does not keep the process from ending.
    """
    results: queue.SimpleQueue[tuple[int, T | None]] = queue.SimpleQueue()

    def run(number: int, call: Callable[[], T]) -> None:
        result = None
        try:
            result = call()
        finally:
            results.put((number, result))

    for number, call in enumerate(calls):
        threading.Thread(target=run, args=(number, call), daemon=True).start()
    found: list[T | None] = [None] * len(calls)
    deadline = time.monotonic() + timeout
    try:
        for _ in calls:
            number, result = results.get(timeout=max(deadline - time.monotonic(), 0.001))
            found[number] = result
    except queue.Empty:
        pass
    return found
