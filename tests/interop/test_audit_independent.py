"""The formats are public ones: programs that share no code with ours come to the same root and accept the signature."""

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from pymerkle import InmemoryTree

from audit.checkpoints import sign_checkpoint
from audit.events import Act, Actor, EventDraft, Outcome, Via
from audit.journal import create_log, record
from audit.keys import Signer
from models.engine import make_engine, metadata, transaction
from models.ids import new_id

SCRIPT = Path(__file__).with_name("independent_root.py")
NOW = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
ORIGIN = "example.gov.cn/audit/1"


@pytest.fixture
def log(tmp_path):
    """Engine, signer and database file of a log with 300 events, signed at the end."""
    path = tmp_path / "jixiao.db"
    engine = make_engine(f"sqlite:///{path}")
    metadata().create_all(engine)
    signer = Signer.create(tmp_path / "log.pem", ORIGIN)
    with transaction(engine) as work:
        create_log(work, log_id="main", origin=ORIGIN, vkey=signer.vkey, now=NOW)
        for number in range(300):
            draft = EventDraft(
                act=Act.TEXT_FIELD_UPDATE,
                out=Outcome.SUCCESS,
                actor=Actor("account-1", "drafter", Via.WEB),
                obj_type="budget_text",
                obj_id=f"text-{number % 3}",
                ctx={"req": f"r{number}", "app": "jixiao/test"},
                why="按意见修改绩效指标",
            )
            record(work, draft, event_id=new_id(NOW), now=NOW, mac_key=None)
    sign_checkpoint(engine, signer, now=NOW)
    yield engine, signer, path
    engine.dispose()


def run(path, vkey):
    """Answer and exit code of the script, run where none of our packages can be imported."""
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), vkey], capture_output=True, text=True, cwd="/", timeout=60
    )
    assert done.stderr == ""
    return json.loads(done.stdout), done.returncode


def stored_root(engine):
    with engine.connect() as connection:
        return bytes(connection.execute(sa.text("SELECT root FROM audit_head")).scalar_one())


def test_the_script_imports_nothing_of_ours():
    names = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names == {"base64", "hashlib", "json", "sqlite3", "sys", "cryptography"}


def test_an_independent_program_finds_the_same_root_and_signature(log):
    engine, signer, path = log
    answer, code = run(path, signer.vkey)
    assert (code, answer["ok"], answer["size"]) == (0, True, 300)
    assert answer["root"] == answer["signed"] == stored_root(engine).hex()


def test_an_independent_program_notices_one_changed_byte(log):
    engine, signer, path = log
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE audit_entry SET body = CAST(body || x'20' AS BLOB) WHERE idx = 123"))
    answer, code = run(path, signer.vkey)
    assert (code, answer["ok"]) == (1, False)
    assert answer["root"] != answer["signed"]


def test_an_independent_program_notices_another_key(log, tmp_path):
    _engine, _signer, path = log
    other = Signer.create(tmp_path / "other.pem", ORIGIN)
    answer, code = run(path, other.vkey)
    assert (code, answer["ok"]) == (1, False)
    assert "no signature" in answer["reason"]


def test_pymerkle_finds_the_same_root_in_the_stored_bytes(log):
    engine, _signer, _path = log
    with engine.connect() as connection:
        bodies = [bytes(row[0]) for row in connection.execute(sa.text("SELECT body FROM audit_entry ORDER BY idx"))]
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(bodies)
    assert tree.get_root() == stored_root(engine)
