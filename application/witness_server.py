"""The HTTP side of a witness: one path, ``POST /add-checkpoint`` (C2SP ``tlog-witness``), on the standard library's server.

Requests carry no authority but the signature on the checkpoint, so that anybody may send one; what anybody may take is
bounded: the size of a request, the time for it, and how many there are at once.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import structlog

from application.witness_service import WitnessService
from audit.witness import MAX_REQUEST
from models.errors import Conflict, InvalidInput, JixiaoError

PATH = "/add-checkpoint"
# How long a connection may be silent, and a request's body may take, in seconds.
TIMEOUT = 10.0
MAX_CONNECTIONS = 64
_TEXT = "text/plain; charset=utf-8"


class WitnessServer(socketserver.ThreadingMixIn, HTTPServer):
    """A listening server; ``serve_forever`` serves, ``address`` is what clients are told."""

    daemon_threads = True
    # A client that dawdles must not keep Ctrl-C waiting; a transaction is whole or not there.
    block_on_close = False
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, witness: WitnessService, host: str, port: int) -> None:
        self.witness = witness
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidInput(f"不能在 {host} 的端口 {port} 上提供服务（{reason}）；请换一个地址或端口。") from error

    def server_bind(self) -> None:
        """Binds without the name look-up of the library, which may take long and is not needed."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def address(self) -> str:
        """The submission prefix: ``http://host:port``."""
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{host}:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for the connection, or none where all are taken: the client will try again."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The thread's work; its place is free afterwards."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 -- the library's signature
        """One line in the program's log; that a client went away is none."""
        error = sys.exception()
        if not isinstance(error, OSError):
            structlog.get_logger("jixiao").error(
                "add_checkpoint", outcome="crash", reason=f"{type(error).__name__}: {error}"
            )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "jixiao-witness"
    sys_version = ""
    timeout = TIMEOUT
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = _TEXT
    # An answer is written in one piece; waiting for more to send would only delay it.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: WitnessServer

    def do_POST(self) -> None:
        """``add-checkpoint``; other paths are 404."""
        length = self._length()
        if length is None:
            return
        body = self._body(length)
        if body is None:
            self.close_connection = True
        elif self.path != PATH:
            self._answer(HTTPStatus.NOT_FOUND, _TEXT, f"这里只有 POST {PATH}。\n")
        else:
            self._add_checkpoint(body)

    def do_GET(self) -> None:
        """There is nothing to read."""
        self._answer(HTTPStatus.NOT_FOUND, _TEXT, f"这里是见证服务，只有 POST {PATH}。\n")

    def _add_checkpoint(self, body: bytes) -> None:
        try:
            answer, facts = self.server.witness.add_checkpoint(body)
        except JixiaoError as error:
            structlog.get_logger("jixiao").error("add_checkpoint", outcome="failed", reason=error.message)
            busy = isinstance(error, Conflict)
            status = HTTPStatus.SERVICE_UNAVAILABLE if busy else HTTPStatus.INTERNAL_SERVER_ERROR
            self._answer(status, _TEXT, "见证者暂时不能保存，没有签名；请稍后重试。\n")
            return
        log = structlog.get_logger("jixiao")
        write = log.error if answer.suspicious else log.info
        write("add_checkpoint", status=int(answer.status), suspicious=answer.suspicious, **facts)
        self._answer(answer.status, answer.content_type, answer.body)

    def _length(self) -> int | None:
        """The length of the body, or None where it was refused; unread, the connection is then of no more use."""
        said = self.headers.get("Content-Length")
        if said is None:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "请求应写明 Content-Length。\n")
        elif not (said.isascii() and said.isdigit()):
            self._refuse(HTTPStatus.BAD_REQUEST, "Content-Length 不是数字。\n")
        elif len(said) > len(str(MAX_REQUEST)) or int(said) > MAX_REQUEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"请求最大 {MAX_REQUEST} 字节。\n")
        else:
            return int(said)
        return None

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self.close_connection = True
        self._answer(status, _TEXT, text)

    def _body(self, length: int) -> bytes | None:
        """The body; None where it does not come whole within the time."""
        deadline = time.monotonic() + TIMEOUT
        parts: list[bytes] = []
        while length and time.monotonic() < deadline:
            part = self.rfile.read1(length)
            if not part:
                return None
            parts.append(part)
            length -= len(part)
        return None if length else b"".join(parts)

    def _answer(self, status: int, content_type: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Nothing: requests stand in the program's log, and the addresses of people in none."""
