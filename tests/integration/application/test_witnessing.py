"""The log's side of witnesses: asked after signing, kept with the checkpoint, and what is shown where they are not there."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from intruder import disarm
from offices import Office
from structlog.testing import capture_logs
from witnessed_logs import WITNESS, made_witness, serving

from application import witnessing
from application.exposing import exposure, exposure_json, exposure_sentence, status
from application.installation import LOG, READS, Installation
from application.posting import at_once
from application.settings import WitnessSetting
from application.witness_server import WitnessServer
from application.witness_service import WitnessService, trust_logs, witness_report
from application.witnessing import ask_witnesses, require_no_fork
from audit import witnessing as client
from audit.cosignatures import Cosignature, CosignerKey, cosign, cosignatures, verified
from audit.events import Via
from audit.exposure import stamps
from audit.notes import parse_note
from models.engine import make_engine, transaction
from models.errors import InvalidInput, LogCorrupt
from models.people import Role


class Seconds:
    """The witness's clock, which follows the office's without moving it."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def __call__(self) -> int:
        return int(self._office.clock.moment.timestamp()) + 1


def with_witnesses(office: Office, *found: tuple[WitnessService, str]) -> Office:
    """The office with witnesses in its settings."""
    named = tuple(WitnessSetting(vkey=str(witness.cosigner.key), url=url) for witness, url in found)
    settings = office.installation.settings.model_copy(update={"witnesses": named})
    installation = Installation(settings, office.installation.engine, office.clock)
    people = {role: replace(request, installation=installation) for role, request in office.people.items()}
    return Office(installation, people, office.clock, office.tokens, office.administrators)


def a_witness(office: Office, folder: Path) -> WitnessService:
    """A witness that trusts the office's logs."""
    witness = made_witness(folder)
    trust_logs(folder, "\n".join(vkey for log in status(office.installation) for vkey in log["vkeys"]))
    return replace(witness, clock=Seconds(office))


@pytest.fixture
def witnessed(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Office, WitnessServer]]:
    """An office on each database whose witness is there."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    witness = a_witness(office, tmp_path / "witness")
    with serving(witness) as server:
        yield with_witnesses(office, (witness, server.address)), server


def rows(office: Office, sql: str, **values: Any) -> list[Any]:
    with office.installation.engine.begin() as connection:
        return list(connection.execute(sa.text(sql), values))


def stored(office: Office, log: str = LOG) -> list[tuple[int, str, str]]:
    found = rows(office, "SELECT size, note, cosignatures FROM audit_checkpoint WHERE log = :l ORDER BY size", l=log)
    return [tuple(row) for row in found]


def seen(server: WitnessServer) -> int:
    return next(item.seen.size for item in server.witness.storage.logs() if item.seen and "reads" not in item.origin)


def test_an_approval_is_outside_when_it_answers(witnessed: tuple[Office, WitnessServer]) -> None:
    office, server = witnessed
    text = office.imported()
    for role, action in ((Role.DEPARTMENT_HEAD, "submit"), (Role.REVIEWER, "accept"), (Role.REVIEWER, "pass")):
        office.act(role, text, action)
    office.act(Role.APPROVER, text, "approve")
    (main, *_rest) = status(office.installation)
    assert main["exposure"]["exposed"] == 0
    assert main["witnesses"][0]["size"] == main["size"] == seen(server)
    size, note, lines = stored(office)[-1]
    assert size == main["size"]
    assert len(list(cosignatures(parse_note(note).text, lines, [server.witness.cosigner.key]))) == 1
    assert "就是最新的" in exposure_sentence(main["exposure"])


def test_asking_again_stores_nothing_twice(witnessed: tuple[Office, WitnessServer]) -> None:
    office, _server = witnessed
    (first,) = ask_witnesses(office.installation)
    assert (first["log"], first["witness"], first["trouble"]) == (LOG, WITNESS, None)
    before = stored(office)
    (second,) = ask_witnesses(office.installation)
    assert (second["size"], second["trouble"]) == (first["size"], None)
    assert stored(office) == before
    assert before[-1][2].count(WITNESS) == 1


def test_the_log_of_reads_is_witnessed_as_well(witnessed: tuple[Office, WitnessServer]) -> None:
    office, server = witnessed
    recorder = office.installation.recorder("r", Via.CLI, log=READS)
    with transaction(office.installation.engine) as work:
        recorder.write(work, "text.read", actor="-", role="-", obj=("text", "t"), now=office.clock())
    found = ask_witnesses(office.installation)
    assert [(item["log"], item["trouble"]) for item in found] == [(LOG, None), (READS, None)]
    assert [item.seen.size for item in server.witness.storage.logs()] == [item["size"] for item in found]


def test_a_witness_that_was_away_is_asked_from_the_size_it_knows(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    witness = a_witness(office, tmp_path / "witness")
    with serving(witness) as server:
        watched = with_witnesses(office, (witness, server.address))
        ask_witnesses(watched.installation)
        address, known = server.address, seen(server)
    with capture_logs() as lines:
        text = watched.driven("approved")
    said = [line for line in lines if line["event"] == "witness"]
    assert {(line["outcome"], line["log_level"]) for line in said} == {("unreachable", "warning")}
    window = exposure_json(exposure(watched.installation))
    assert window["outside"]["size"] == known
    assert window["exposed"] == window["size"] - known > 4
    assert f"最后 {window['exposed']} 条" in exposure_sentence(window)

    # The log's own memory of it is lost: the witness tells the size that it knows.
    tamper(watched, "UPDATE audit_checkpoint SET cosignatures = ''")
    port = int(address.rsplit(":", 1)[1])
    again = WitnessServer(witness, "127.0.0.1", port)
    thread = threading.Thread(target=again.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        assert [item["trouble"] for item in ask_witnesses(watched.installation)] == [None]
        watched.act(Role.PUBLISHER, text, "publish")
        assert exposure(watched.installation).exposed == 0
    finally:
        again.shutdown()
        thread.join()
        again.server_close()


def tamper(office: Office, sql: str) -> None:
    """Changes the database as its owner, past the program and its triggers."""
    with office.installation.engine.begin() as connection:
        disarm(connection)
        assert connection.execute(sa.text(sql)).rowcount


def test_work_goes_on_without_any_witness(
    sqlite_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessing, "WITNESS_TIMEOUT", 0.3)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    witness = a_witness(sqlite_office, tmp_path / "witness")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # It takes connections and never says a word.
        office = with_witnesses(sqlite_office, (witness, f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with capture_logs() as lines:
            office.driven("published")
        (reply,) = ask_witnesses(office.installation)
    assert reply["trouble"] == "unreachable"
    said = [line for line in lines if line["event"] == "witness"]
    assert said
    assert all(line["outcome"] == "unreachable" for line in said)


class Drip(BaseHTTPRequestHandler):
    """Answers a byte now and then, so that no single wait is ever long."""

    def do_POST(self) -> None:
        try:
            while True:
                self.wfile.write(b"H")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            return

    def log_message(self, *_args: Any) -> None:
        pass


class Elsewhere(BaseHTTPRequestHandler):
    """Sends everybody to another address, where they must not turn up."""

    visits: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.visits.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        pass


class Flood(BaseHTTPRequestHandler):
    """Answers more than anybody asked for."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            self.wfile.write(b"x" * 2_000_000)
        except OSError:
            return

    def log_message(self, *_args: Any) -> None:
        pass


class Nonsense(BaseHTTPRequestHandler):
    """Signs with a key that nobody knows."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"— {WITNESS} AAAAAAAAAAAAAAAAAAAAAAAA\n".encode())

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("handler", "trouble"),
    [(Drip, "unreachable"), (Elsewhere, "refused"), (Flood, "unreachable"), (Nonsense, "refused")],
)
def test_a_bad_witness_costs_no_more_than_the_time_limit(
    sqlite_office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    handler: type[BaseHTTPRequestHandler],
    trouble: str,
) -> None:
    monkeypatch.setattr(witnessing, "WITNESS_TIMEOUT", 1.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    witness = a_witness(sqlite_office, tmp_path / "witness")
    office = with_witnesses(sqlite_office, (witness, f"http://127.0.0.1:{server.server_port}"))
    (reply,) = ask_witnesses(office.installation)
    assert reply["trouble"] == trouble
    assert stored(office)[-1][2] == ""
    assert Elsewhere.visits == []
    if handler is not Drip:
        server.shutdown()
        thread.join()
    server.server_close()


def test_one_of_two_witnesses_is_enough_and_each_has_its_line(
    sqlite_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    first, second = (a_witness(sqlite_office, tmp_path / name) for name in ("first", "second"))
    with serving(first) as one, serving(second) as two:
        office = with_witnesses(sqlite_office, (first, one.address), (second, two.address))
        office.imported()
        assert [item["trouble"] for item in ask_witnesses(office.installation)] == [None, None]
        assert stored(office)[-1][2].count("\n") == 2
    with serving(second) as two:
        office = with_witnesses(sqlite_office, (first, "http://127.0.0.1:1"), (second, two.address))
        office.imported()
        assert [item["trouble"] for item in ask_witnesses(office.installation)] == ["unreachable", None]
        assert exposure(office.installation).exposed == 0


def test_a_restored_backup_that_goes_on_is_refused_by_the_witness(
    sqlite_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator sets back the database and the signer's own memory, which nothing inside can notice."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    witness = a_witness(sqlite_office, tmp_path / "witness")
    with serving(witness) as server:
        office = with_witnesses(sqlite_office, (witness, server.address))
        office.imported()
        ask_witnesses(office.installation)
        backup = tmp_path / "backup"
        office.installation.engine.dispose()
        shutil.copytree(office.installation.settings.home, backup)
        shutil.copy(tmp_path / "jixiao.db", backup / "jixiao.db")
        office.driven("published")
        ask_witnesses(office.installation)
        witnessed_size = seen(server)

        settings = office.installation.settings.model_copy(
            update={"home": backup, "database_url": f"sqlite:///{backup / 'jixiao.db'}"}
        )
        engine = make_engine(settings.engine_url())
        restored = Installation(settings, engine, office.clock)
        people = {role: replace(request, installation=restored) for role, request in office.people.items()}
        behind = Office(restored, people, office.clock)
        try:
            (reply,) = ask_witnesses(restored)
            assert reply["trouble"] == "ahead"
            assert f"已见证到 {witnessed_size} 条" in reply["message"]
            with pytest.raises(LogCorrupt, match="旧备份"):
                require_no_fork([reply])
            # It goes on beyond what was witnessed: people can work, and the alarm is in the program's log.
            with capture_logs() as lines:
                behind.driven("published")
                behind.driven("published")
            alarms = [line for line in lines if line["event"] == "witness"]
            assert {line["log_level"] for line in alarms} == {"error"}
            assert alarms[-1]["outcome"] == "forked"
            (reply,) = ask_witnesses(restored)
            assert reply["trouble"] == "forked"
            assert seen(server) == witnessed_size
            assert witness_report(tmp_path / "witness")["evidence"]
            assert exposure(restored).newest.size < witnessed_size
        finally:
            engine.dispose()


def test_a_witness_that_does_not_know_the_log_says_what_to_do(
    sqlite_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    witness = made_witness(tmp_path / "witness")
    with serving(witness) as server:
        office = with_witnesses(sqlite_office, (witness, server.address))
        (reply,) = ask_witnesses(office.installation)
    assert (reply["trouble"], "登记" in reply["message"]) == ("refused", True)


def test_settings_of_witnesses_are_checked(sqlite_office: Office, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="没有见证者"):
        ask_witnesses(sqlite_office.installation)
    witness = made_witness(tmp_path / "witness")
    for url in ("ftp://x", "http://", "http://a b", "nonsense", "http://x:99999", "http://例.cn"):
        with pytest.raises(InvalidInput, match="地址"):
            ask_witnesses(with_witnesses(sqlite_office, (witness, url)).installation)
    with pytest.raises(InvalidInput, match="重复"):
        ask_witnesses(with_witnesses(sqlite_office, (witness, "http://x"), (witness, "http://y")).installation)


def test_without_witnesses_everything_is_exposed_until_somebody_keeps_a_checkpoint(office: Office) -> None:
    office.imported()
    alone = exposure_json(exposure(office.installation))
    assert alone["outside"] is None
    assert alone["exposed"] == alone["size"] + alone["waiting"] > 10
    assert "全部" in exposure_sentence(alone)

    size, note, _lines = stored(office)[0]
    kept = exposure(office.installation, outside=[note])
    assert (kept.newest.size, kept.newest.kept) == (size, "checkpoint")
    assert kept.exposed == kept.size + kept.waiting - size
    assert kept.age > timedelta(0)
    # A note that the log's key did not sign is nobody's outside head.
    forged = note.replace(f"\n{size}\n", f"\n{size + 1}\n")
    assert exposure(office.installation, outside=[forged]).newest is None


def test_waiting_events_are_exposed_and_their_lag_is_shown(office: Office) -> None:
    office.installation.settle()
    before = status(office.installation)[0]
    recorder = office.installation.recorder("r", Via.CLI)
    with transaction(office.installation.engine) as work:
        recorder.write(work, "text.read", actor="-", role="-", obj=("text", "t"), now=office.clock())
    after = status(office.installation)[0]
    assert after["exposure"]["exposed"] == before["exposure"]["exposed"] + 1
    if office.installation.engine.dialect.name == "postgresql":
        assert after["outbox"]["waiting"] == 1
        assert after["outbox"]["seconds"] >= 0
    else:
        assert after["outbox"] == {"waiting": 0, "seconds": None}


@pytest.mark.parametrize(
    "change",
    [
        "cosignatures = 'nothing'",
        "note = 'nothing'",
        "created = 'nothing'",
        "note = 5",
        "cosignatures = x'00'",
        "timestamp_token = 'text'",
        "size = size + 5",
    ],
)
def test_a_tampered_checkpoint_row_is_no_outside_head_and_no_crash(
    sqlite_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    witness = a_witness(sqlite_office, tmp_path / "witness")
    with serving(witness) as server:
        office = with_witnesses(sqlite_office, (witness, server.address))
        ask_witnesses(office.installation)
    key = witness.cosigner.key
    tamper(office, f"UPDATE audit_checkpoint SET {change}")
    spared = change.startswith(("created", "timestamp"))
    assert (exposure(office.installation).newest is not None) == spared
    with transaction(office.installation.engine, read_only=True) as work:
        found = list(stamps(work, cosigners=[key]))
    assert [item.prompt for item in found] == ([not change.startswith("created")] if spared else [])


def test_stamps_are_prompt_where_the_witness_answered_at_once(witnessed: tuple[Office, WitnessServer]) -> None:
    office, server = witnessed
    key = server.witness.cosigner.key
    ask_witnesses(office.installation)
    office.clock.moment += timedelta(minutes=10)
    office.driven("published")
    ask_witnesses(office.installation)
    with transaction(office.installation.engine, read_only=True) as work:
        found = list(stamps(work, cosigners=[key]))
        assert list(stamps(work)) == []
    assert [item.size for item in found] == sorted(item.size for item in found)
    assert len(found) >= 2
    assert all(item.prompt and item.source == WITNESS for item in found)
    earlier = "2020-01-01T00:00:00.000000Z"  # both databases read this spelling
    tamper(office, f"UPDATE audit_checkpoint SET created = '{earlier}'")
    with transaction(office.installation.engine, read_only=True) as work:
        assert not any(item.prompt for item in stamps(work, cosigners=[key]))


def test_the_age_is_counted_from_the_witness_s_time(witnessed: tuple[Office, WitnessServer]) -> None:
    office, _server = witnessed
    ask_witnesses(office.installation)
    office.clock.moment += timedelta(hours=5)
    window = exposure_json(exposure(office.installation))
    assert 5 * 3600 <= window["age"] < 5 * 3600 + 60
    assert "5 小时前" in exposure_sentence(window)
    assert datetime.fromisoformat(window["outside"]["time"]) < datetime(2027, 1, 1, tzinfo=UTC)


def test_processes_at_once_raise_no_alarm(witnessed: tuple[Office, WitnessServer]) -> None:
    """One that asks with the head of a moment ago learns that the witness knows more: from the other process."""
    office, _server = witnessed
    found: list[dict[str, Any]] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(4):
                office.imported()
                found.extend(ask_witnesses(office.installation))
        except Exception as error:  # noqa: BLE001 -- a thread's failure must reach the test, whatever it is
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {item["trouble"] for item in found} <= {None, "overtaken"}
    ask_witnesses(office.installation)
    assert exposure(office.installation).exposed == 0


def test_a_head_signed_by_another_process_meanwhile_is_no_alarm(
    witnessed: tuple[Office, WitnessServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _server = witnessed
    real, done = witnessing.post, []

    def slow(url: str, body: bytes, content_type: str, timeout: float) -> Any:
        if not done:
            done.append(True)
            office.imported()
            ask_witnesses(office.installation)
        return real(url, body, content_type, timeout)

    monkeypatch.setattr(witnessing, "post", slow)
    (reply,) = ask_witnesses(office.installation)
    assert reply["trouble"] == "overtaken"
    require_no_fork([reply])


def test_two_cosignatures_stored_at_the_same_moment_are_both_kept(
    witnessed: tuple[Office, WitnessServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _server = witnessed
    if office.installation.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    office.installation.settle(checkpoint=True)
    size, note, _lines = stored(office)[-1]
    text = parse_note(note).text
    private = [Ed25519PrivateKey.generate() for _ in range(2)]
    keys = [CosignerKey(f"w{i}", key.public_key().public_bytes_raw()) for i, key in enumerate(private)]
    lines = [cosign(text, key.name, secret, 1_700_000_000) for key, secret in zip(keys, private, strict=True)]
    first, second = (verified(text, line, key) for line, key in zip(lines, keys, strict=True))
    assert first is not None
    assert second is not None
    real = client.added

    def overtaken(text: str, lines: str, new: Cosignature) -> str:
        monkeypatch.setattr(client, "added", real)
        witnessing._store(office.installation, LOG, size, second)
        return real(text, lines, new)

    monkeypatch.setattr(client, "added", overtaken)
    witnessing._store(office.installation, LOG, size, first)
    assert [item.key for item in cosignatures(text, stored(office)[-1][2], keys)] == [keys[1], keys[0]]


def test_calls_side_by_side_are_bounded_together() -> None:
    never = threading.Event()
    assert at_once([lambda: "a", lambda: str(never.wait(600)), lambda: "c"], 0.5) == ["a", None, "c"]
    never.set()
    assert at_once([], 0.5) == []
