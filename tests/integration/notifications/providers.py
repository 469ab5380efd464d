"""HTTP servers on this machine that answer as providers do, wrong answers included."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson


@dataclass
class Taken:
    """A request as the server got it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Provider:
    """What a server was asked, and what it answers: (status, body, headers), one a request, the last one for ever."""

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)

    def answer(self, status: int, body: object = b"", **headers: str) -> None:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        self.answers.append((status, data, {key.replace("_", "-"): value for key, value in headers.items()}))


@contextmanager
def provider(context: ssl.SSLContext | None = None) -> Iterator[Provider]:
    """A running provider."""
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.taken.append(Taken(self.path, {key.lower(): value for key, value in self.headers.items()}, body))
            status, data, headers = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST  # noqa: N815 -- the library's name

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}/hook?key=secret-token"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def raw_server(say: bytes, *, drip: float = 0.0, hold: bool = False) -> Iterator[int]:
    """A server that says these bytes to whoever comes, one every ``drip`` seconds, and then hangs up (or holds on); its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        listening.settimeout(0.05)
        while not stop.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            with connection:
                _talk(connection)

    def _talk(connection: socket.socket) -> None:
        try:
            for byte in (say[number : number + 1] for number in range(len(say))):
                connection.sendall(byte if drip else say)
                if not drip:
                    break
                if stop.wait(drip):
                    return
            while hold and not stop.is_set():
                time.sleep(0.02)
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        listening.close()


def server_context(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A TLS server's context with a fresh certificate for a name, and the file to trust it by."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    chain = folder / f"{name}.pem"
    chain.write_bytes(pem)
    private = folder / f"{name}.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return context, chain
