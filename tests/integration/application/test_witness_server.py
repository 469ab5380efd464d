"""A witness server on a real port: every answer of the specification, many clients at once, a kill at any moment."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from witnessed_logs import WITNESS, MadeLog, made_witness, send, serving

from application import witness_server, witness_service
from application.witness_server import WitnessServer
from application.witness_service import (
    create_witness,
    open_witness,
    trust_logs,
    witness_report,
    witnessed_checkpoint,
)
from audit.cosignatures import cosignatures, parse_cosigner
from audit.notes import open_checkpoint, parse_note
from audit.witness import MAX_REQUEST
from models.errors import Conflict, DatabaseUnavailable, InvalidInput, LogCorrupt, NotFound

COMMAND = Path(sys.executable).with_name("jixiao")


@pytest.fixture
def log() -> MadeLog:
    return MadeLog()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "witness"


@pytest.fixture
def server(log: MadeLog, folder: Path) -> Iterator[WitnessServer]:
    with serving(made_witness(folder, log.key)) as running:
        yield running


def test_a_log_is_witnessed_from_its_beginning_on(log: MadeLog, server: WitnessServer, folder: Path) -> None:
    key = server.witness.cosigner.key
    for old, size in ((0, 1), (1, 5), (5, 5), (5, 300)):
        answer = send(server.address, log.request(old, size))
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
        (found,) = cosignatures(parse_note(log.note(size)).text, answer.body.decode(), [key])
        assert found.key.name == WITNESS
    (seen,) = witness_report(folder)["logs"]
    assert (seen["origin"], seen["size"]) == (log.origin, 300)
    kept = witnessed_checkpoint(folder, log.origin)
    assert open_checkpoint(kept, [log.key]).size == 300
    assert len(list(cosignatures(parse_note(kept).text, kept.split("\n\n")[1], [key]))) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (lambda log: b"", 400),
        (lambda log: b"old x\n\n" + log.note(5).encode(), 400),
        (lambda log: log.request(6, 5), 400),
        (lambda log: b"\xff" * 50, 400),
        (lambda log: MadeLog().request(0, 5), 403),
        (lambda log: MadeLog("other.example/log").request(0, 5), 404),
        (lambda log: log.request(2, 5), 409),
        (lambda log: log.request(0, 5), 409),
        (lambda log: log.branch(3).request(4, 4), 409),
        (lambda log: log.branch(3).request(4, 9), 422),
        (lambda log: log.request(4, 9).replace(b"old 4\n", b"old 4\n" + b"A" * 43 + b"=\n"), 422),
    ],
)
def test_each_refusal_has_its_code_and_changes_nothing(
    log: MadeLog, server: WitnessServer, folder: Path, body, status: int
) -> None:
    assert send(server.address, log.request(0, 4)).status == 200
    answer = send(server.address, body(log))
    assert answer.status == status, answer.body.decode()
    if status == 409:
        assert (answer.content_type, answer.body) == ("text/x.tlog.size", b"4\n")
    else:
        assert answer.body.decode().strip()
    assert [item["size"] for item in witness_report(folder)["logs"]] == [4]
    assert send(server.address, log.request(4, 6)).status == 200


def test_a_fork_is_kept_as_evidence_once(log: MadeLog, server: WitnessServer, folder: Path) -> None:
    send(server.address, log.request(0, 10))
    forked = log.branch(7)
    for _ in range(3):
        assert send(server.address, forked.request(10, 10)).status == 409
        assert send(server.address, forked.request(10, 12)).status == 422
    evidence = witness_report(folder)["evidence"]
    assert [(item["size"], item["known"], item["status"]) for item in evidence] == [(10, 10, 409), (12, 10, 422)]
    # The operator's own signature is what convicts.
    assert open_checkpoint(evidence[0]["note"], [log.key]).size == 10


def test_two_clients_at_once_never_get_two_histories(log: MadeLog, server: WitnessServer, folder: Path) -> None:
    honest, forked = [], []
    barrier = threading.Barrier(2)

    def climb(mine: MadeLog, answers: list[int]) -> None:
        old = 0
        barrier.wait()
        for size in range(1, 40):
            answer = send(server.address, mine.request(old, size))
            if answer.status == 200:
                answers.append(size)
                old = size
            elif answer.status == 409:
                old = min(int(answer.body), size)

    threads = [
        threading.Thread(target=climb, args=(log, honest)),
        threading.Thread(target=climb, args=(log.branch(0), forked)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bool(honest) != bool(forked), "one history was taken, and then no other"
    assert witness_report(folder)["logs"][0]["size"] == max(honest or forked)


def test_clients_at_once_of_one_history_never_roll_it_back(log: MadeLog, server: WitnessServer, folder: Path) -> None:
    failures = []

    def climb(step: int) -> None:
        old = 0
        for size in range(step, 60, step):
            for _ in range(20):
                answer = send(server.address, log.request(old, size))
                if answer.status == 200 or (answer.status == 409 and int(answer.body) > size):
                    break
                old = int(answer.body)
            else:
                failures.append(size)
            reported = witness_report(folder)["logs"][0]["size"]
            if reported < size:
                failures.append((size, reported))

    threads = [threading.Thread(target=climb, args=(step,)) for step in (1, 2, 3, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_stated_times_follow_the_sizes_whatever_the_clock_does(log: MadeLog, folder: Path) -> None:
    moments = iter([1000, 1000, 400, 400, 2000, 2000])
    made_witness(folder, log.key)
    witness = open_witness(folder, clock=lambda: next(moments))
    times = []
    for old, size in ((0, 1), (1, 2), (2, 3)):
        answer, _facts = witness.add_checkpoint(log.request(old, size))
        (found,) = cosignatures(parse_note(log.note(size)).text, answer.body, [witness.cosigner.key])
        times.append(int(found.time.timestamp()))
    assert times == [1000, 1000, 2000]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["POST /add-checkpoint HTTP/1.1", "Host: x"], 411),
        (["POST /add-checkpoint HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"], 411),
        (["POST /add-checkpoint HTTP/1.1", "Host: x", f"Content-Length: {MAX_REQUEST + 1}"], 413),
        (["POST /add-checkpoint HTTP/1.1", "Host: x", "Content-Length: " + "9" * 30], 413),
        (["POST /add-checkpoint HTTP/1.1", "Host: x", "Content-Length: -1"], 400),
        (["POST /other HTTP/1.1", "Host: x", "Content-Length: 0"], 404),
        (["GET /add-checkpoint HTTP/1.1", "Host: x"], 404),
        (["DELETE /add-checkpoint HTTP/1.1", "Host: x"], 501),
        (["nonsense"], 400),
    ],
)
def test_what_is_no_request_is_answered_and_bounded(server: WitnessServer, lines: list[str], status: int) -> None:
    parts = urlsplit(server.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    if lines == ["nonsense"]:
        assert str(status) in answer.decode()
    else:
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Python" not in answer


def test_a_connection_may_carry_several_requests(log: MadeLog, server: WitnessServer) -> None:
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=10)
    try:
        for old, size in ((0, 1), (1, 2), (2, 3)):
            connection.request("POST", "/add-checkpoint", log.request(old, size))
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()
    finally:
        connection.close()


def test_a_body_that_never_ends_is_dropped(log: MadeLog, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_server, "TIMEOUT", 0.3)
    monkeypatch.setattr(witness_server._Handler, "timeout", 0.3)
    with serving(made_witness(folder, log.key)) as server:
        parts = urlsplit(server.address)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nold 0\n")
            assert connection.recv(100) == b"", "it is closed, not waited for"
        assert send(server.address, log.request(0, 1)).status == 200


def test_more_connections_than_places_are_turned_away(
    log: MadeLog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_server, "MAX_CONNECTIONS", 2)
    with serving(made_witness(folder, log.key)) as server:
        parts = urlsplit(server.address)
        held = [socket.create_connection((parts.hostname, parts.port), timeout=10) for _ in range(2)]
        for connection in held:
            connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as late:
            assert late.recv(100) == b""
        for connection in held:
            connection.sendall(b"wrong")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
            connection.close()


def test_a_damaged_memory_signs_nothing(log: MadeLog, server: WitnessServer, folder: Path) -> None:
    assert send(server.address, log.request(0, 3)).status == 200
    (folder / "witness.db").write_bytes(b"no database" * 1000)
    assert send(server.address, log.request(3, 4)).status == 500
    with pytest.raises(DatabaseUnavailable, match="停用"):
        witness_report(folder)


def test_a_lost_memory_is_not_made_anew_beside_the_key(log: MadeLog, folder: Path) -> None:
    made_witness(folder, log.key)
    (folder / "witness.db").unlink()
    with pytest.raises(LogCorrupt, match="两份历史"):
        open_witness(folder)
    with pytest.raises(Conflict):
        create_witness(folder, WITNESS)


def test_the_folder_s_secrets_are_its_owner_s(log: MadeLog, folder: Path) -> None:
    vkey = create_witness(folder, WITNESS)
    assert (folder.stat().st_mode & 0o777, (folder / "witness.pem").stat().st_mode & 0o777) == (0o700, 0o600)
    assert (folder / "witness.db").stat().st_mode & 0o777 == 0o600
    assert str(parse_cosigner((folder / "witness.vkey").read_text().strip())) == vkey
    (folder / "witness.pem").chmod(0o644)
    with pytest.raises(InvalidInput, match="权限过宽"):
        open_witness(folder)


def test_a_start_that_was_broken_off_is_gone_on_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(witness_service, "replace_file", full)
        with pytest.raises(OSError, match="No space"):
            create_witness(folder, WITNESS)
    key = (folder / "witness.pem").read_bytes()
    vkey = create_witness(folder, WITNESS)
    assert (folder / "witness.pem").read_bytes() == key
    assert str(open_witness(folder).cosigner.key) == vkey
    assert (folder / "witness.vkey").stat().st_mode & 0o777 == 0o644


def test_a_memory_is_never_made_anew_beside_a_key(folder: Path) -> None:
    create_witness(folder, WITNESS)
    (folder / "witness.vkey").unlink()
    (folder / "witness.db").unlink()
    with pytest.raises(Conflict, match="没有记录"):
        create_witness(folder, WITNESS)
    assert not (folder / "witness.db").exists()


def test_a_key_of_another_witness_is_noticed(tmp_path: Path, folder: Path) -> None:
    create_witness(folder, WITNESS)
    create_witness(tmp_path / "other", WITNESS)
    (tmp_path / "other" / "witness.vkey").replace(folder / "witness.vkey")
    with pytest.raises(LogCorrupt, match="不符"):
        open_witness(folder)


def test_keys_are_trusted_one_in_a_line_and_once(log: MadeLog, folder: Path) -> None:
    create_witness(folder, WITNESS)
    other = MadeLog("finance.example/reads")
    lines = f"{log.key}\n{other.key}\n"
    assert [(key.name, new) for key, new in trust_logs(folder, lines)] == [(log.origin, True), (other.origin, True)]
    assert [new for _key, new in trust_logs(folder, lines)] == [False, False]
    with pytest.raises(InvalidInput):
        trust_logs(folder, f"{MadeLog('third.example').key}\nnonsense\n")
    assert len(witness_report(folder)["logs"]) == 2
    with pytest.raises(NotFound, match="还没有见证过"):
        witnessed_checkpoint(folder, log.origin)


class Process:
    """``jixiao audit witness serve`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JIXIAO_")}
        self.process = subprocess.Popen(
            [COMMAND, "audit", "witness", "serve", str(folder), "--port", "0"],
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**kept, "PYTHONUTF8": "1", "JIXIAO_LOG_LEVEL": "error", "JIXIAO_HOME": str(folder / "none")},
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        self.address = line.split(" ")[1].split("；")[0]
        assert self.address.startswith("http://127.0.0.1:"), line

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_server_cleanly(log: MadeLog, folder: Path, number: int) -> None:
    made_witness(folder, log.key)
    process = Process(folder)
    assert send(process.address, log.request(0, 3)).status == 200
    code, said = process.end(number)
    assert code == 0
    assert "已停止" in said
    assert "Traceback" not in said


def test_a_kill_at_any_moment_loses_no_answer_and_no_rule(log: MadeLog, folder: Path) -> None:
    made_witness(folder, log.key)
    answered = 0
    for enough in (1, 4, 9):
        process = Process(folder)
        parts = urlsplit(process.address)
        half = socket.create_connection((parts.hostname, parts.port), timeout=10)
        half.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nold 0\n")
        sizes: list[int] = []
        reached = threading.Event()

        def climb(start: int, address: str, sizes: list[int], reached: threading.Event, enough: int) -> None:
            old = 0
            try:
                for size in range(start, start + 10_000):
                    answer = send(address, log.request(min(old, size), size))
                    if answer.status == 409:
                        old = int(answer.body)
                        continue
                    old = size
                    sizes.append(size)
                    if len(sizes) >= enough:
                        reached.set()
            except (OSError, http.client.HTTPException):
                return

        threads = [
            threading.Thread(target=climb, args=(answered + 1 + shift, process.address, sizes, reached, enough))
            for shift in (0, 3)
        ]
        for thread in threads:
            thread.start()
        assert reached.wait(30)
        process.end(signal.SIGKILL)
        for thread in threads:
            thread.join()
        half.close()
        with sqlite3.connect(folder / "witness.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        (seen,) = witness_report(folder)["logs"]
        assert seen["size"] >= max(sizes), "what was answered had been stored"
        answered = seen["size"]

    process = Process(folder)
    assert send(process.address, log.request(0, 1)).body == b"%d\n" % answered
    assert send(process.address, log.branch(answered - 1).request(answered, answered + 1)).status == 422
    assert send(process.address, log.request(answered, answered + 1)).status == 200
    process.end(signal.SIGTERM)


def test_a_taken_port_is_said(server: WitnessServer) -> None:
    with pytest.raises(InvalidInput, match="端口"):
        WitnessServer(server.witness, "127.0.0.1", server.server_port)
