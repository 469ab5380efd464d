"""Time stamps of checkpoints by ``openssl ts`` as a real authority, over the network and by files."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from offices import Office
from time_authority import TimeAuthority, make_time_authority

from application.exposing import exposure
from application.timestamping import list_tokens, query_file, stamp_online, take_reply, token_verifier
from audit.exposure import stamps
from audit.timestamps import QUERY_TYPE, check_reply, make_query, read_certificates, read_reply, verify_reply
from models.engine import transaction
from models.errors import DeliveryError, InvalidInput, NotFound

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl plays the time stamping authority")

NOTE = "log.example\n1\nAAAA\n\n— log.example AAAA\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimeAuthority:
    return make_time_authority(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> TimeAuthority:
    return make_time_authority(tmp_path_factory.mktemp("tsa") / "other", "Other")


@pytest.fixture(scope="module")
def reply(authority: TimeAuthority) -> bytes:
    return authority.reply(make_query(NOTE, nonce=False)[0])


def test_a_reply_proves_its_time_under_the_authority_s_root(authority: TimeAuthority, reply: bytes) -> None:
    proven = verify_reply(reply, NOTE, read_certificates(authority.root))
    assert abs(proven - datetime.now(UTC)) < timedelta(minutes=10)
    assert read_reply(reply).nonce is None


def test_openssl_agrees(authority: TimeAuthority, reply: bytes, tmp_path: Path) -> None:
    (tmp_path / "note").write_text(NOTE)
    (tmp_path / "reply").write_bytes(reply)
    said = authority.openssl(
        *("ts", "-verify", "-data", str(tmp_path / "note"), "-in", str(tmp_path / "reply"), "-CAfile", "ca.pem")
    )
    assert "Verification: OK" in said


def test_a_reply_does_not_hold_for_another_note_or_root(
    authority: TimeAuthority, stranger: TimeAuthority, reply: bytes
) -> None:
    with pytest.raises(InvalidInput, match="另一个检查点"):
        verify_reply(reply, NOTE + " ", read_certificates(authority.root))
    with pytest.raises(InvalidInput, match="不能用给出的证书验证"):
        verify_reply(reply, NOTE, read_certificates(stranger.root))
    with pytest.raises(InvalidInput, match="根证书"):
        verify_reply(reply, NOTE, read_certificates((authority.folder / "tsa.pem").read_bytes()))
    with pytest.raises(InvalidInput, match="PEM"):
        read_certificates(b"nothing")


def test_a_nonce_binds_a_reply_to_its_query(authority: TimeAuthority) -> None:
    query, nonce = make_query(NOTE, nonce=True)
    found = authority.reply(query)
    assert nonce is not None
    assert check_reply(found, NOTE, nonce).nonce == nonce
    with pytest.raises(InvalidInput, match="随机数"):
        check_reply(found, NOTE, nonce + 1)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # of a serial number below 0
@given(place=st.integers(0, 10**6), mask=st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_changed_reply_never_gives_another_time(
    authority: TimeAuthority, reply: bytes, place: int, mask: int
) -> None:
    data = bytearray(reply)
    data[place % len(data)] ^= mask
    roots = read_certificates(authority.root)
    try:
        found = verify_reply(bytes(data), NOTE, roots)
    except InvalidInput:
        return
    # Some bytes of a reply, such as the chain that it carries, are not signed; what is proven stays the same.
    assert found == verify_reply(reply, NOTE, roots)


def test_a_certificate_of_no_known_version_does_not_hold(authority: TimeAuthority, reply: bytes) -> None:
    version, places = bytes.fromhex("a003020102"), []
    while (place := reply.find(version, places[-1] + 1 if places else 0)) >= 0:
        places.append(place)
    said = []
    for place in places:
        changed = reply[: place + 4] + b"\x0a" + reply[place + 5 :]
        with pytest.raises(InvalidInput) as caught:
            verify_reply(changed, NOTE, read_certificates(authority.root))
        said.append(caught.value.message)
    assert any("10 is not a valid X509 version" in message for message in said)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_arbitrary_bytes_are_no_reply(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="RFC 3161"):
        read_reply(data)


def test_a_refusal_of_the_authority_is_said(authority: TimeAuthority) -> None:
    with pytest.raises(InvalidInput, match="没有签发"):
        read_reply(authority.reply(b"0\x03\x02\x01\x01"))


def test_stamping_by_files(office: Office, authority: TimeAuthority, stranger: TimeAuthority) -> None:
    office.imported()
    query, size = query_file(office.installation)
    answer = authority.reply(query)
    with pytest.raises(InvalidInput, match="不能用给出的证书验证"):
        take_reply(office.installation, answer, pem=stranger.root)
    assert list_tokens(office.installation) == []

    # Meanwhile people go on working; the reply finds its checkpoint all the same.
    office.imported()
    office.installation.settle(checkpoint=True)
    taken = take_reply(office.installation, answer, pem=authority.root)
    assert (taken["size"], taken["verified"], taken["stored"]) == (size, True, True)
    again = take_reply(office.installation, authority.reply(query))
    assert (again["size"], again["verified"], again["stored"]) == (size, False, False)

    (row,) = list_tokens(office.installation, pem=authority.root)
    assert (row["size"], row["time"], row["verified"]) == (size, taken["time"], True)
    (row,) = list_tokens(office.installation, pem=stranger.root)
    assert (row["verified"], "不能用给出的证书验证" in row["message"]) == (False, True)
    with pytest.raises(NotFound, match="任何一个检查点"):
        take_reply(office.installation, authority.reply(make_query(NOTE, nonce=False)[0]))


def test_a_stamped_head_is_outside_only_with_the_authority_s_certificates(
    office: Office, authority: TimeAuthority
) -> None:
    office.imported()
    query, size = query_file(office.installation)
    take_reply(office.installation, authority.reply(query))
    assert exposure(office.installation).newest is None
    verify = token_verifier(authority.root)
    found = exposure(office.installation, verify_token=verify)
    assert (found.newest.size, found.newest.kept, found.exposed) == (size, "timestamp", 0)
    with transaction(office.installation.engine, read_only=True) as work:
        (stamp,) = stamps(work, verify_token=verify)
        assert list(stamps(work)) == []
    # The office's clock stands months before the authority's: the reply did not come at once.
    assert (stamp.size, stamp.prompt) == (size, False)


@pytest.fixture
def online(authority: TimeAuthority, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """The authority over HTTP, and what it was asked."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["Content-Type"])
            data = authority.reply(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200 if self.path == "/tsa" else 503)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_stamping_online_once_a_day(
    sqlite_office: Office, authority: TimeAuthority, online: tuple[str, list[str]]
) -> None:
    url, asked = online
    # The authority's clock is the real one.
    sqlite_office.clock.moment = datetime.now(UTC)
    first = stamp_online(sqlite_office.installation, f"{url}/tsa", pem=authority.root)
    assert (first["verified"], first["stored"], asked) == (True, True, [QUERY_TYPE])
    sqlite_office.imported()
    second = stamp_online(sqlite_office.installation, f"{url}/tsa", pem=authority.root)
    assert (second["size"], second["stored"], len(asked)) == (first["size"], False, 1)

    sqlite_office.clock.moment += timedelta(days=1)
    third = stamp_online(sqlite_office.installation, f"{url}/tsa")
    assert (third["size"] > first["size"], third["verified"], third["stored"]) == (True, False, True)
    assert verify_reply(*newest_reply(sqlite_office), read_certificates(authority.root))


def newest_reply(office: Office) -> tuple[bytes, str]:
    with office.installation.engine.begin() as connection:
        row = connection.execute(
            sa.text("SELECT timestamp_token, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
        ).one()
    return bytes(row[0]), str(row[1])


def test_an_authority_that_does_not_answer_is_said(sqlite_office: Office, online: tuple[str, list[str]]) -> None:
    url, _asked = online
    with pytest.raises(DeliveryError, match="503"):
        stamp_online(sqlite_office.installation, f"{url}/other")
    with pytest.raises(DeliveryError, match="没有应答"):
        stamp_online(sqlite_office.installation, "http://127.0.0.1:1/tsa")
    assert list_tokens(sqlite_office.installation) == []
