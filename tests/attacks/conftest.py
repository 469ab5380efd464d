"""The honest office is made once on each database; every test attacks a copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from intrusion import Intruder, Victim
from offices import Office, make_office
from witnessed_logs import made_witness

from application.auditing import checkpoint
from application.importing import import_text
from application.installation import LOG, Installation
from application.settings import Settings
from application.witness_service import WitnessService, open_witness
from audit.acts import Act
from audit.cosignatures import cosignatures
from audit.events import Outcome
from audit.notes import parse_note, parse_vkey
from audit.storage import StoredTree, read_head
from audit.witness import render_request
from audit.witnessing import store_cosignature
from models.engine import make_engine, transaction
from models.people import Role

TEMPLATE = "jixiao_attack_template"
SAMPLE = Path(__file__).parents[2] / "examples" / "library-2021.txt"


@dataclass(frozen=True)
class Honest:
    """The office as it was before anybody attacked it; ``folder`` holds home and witness."""

    office: Office
    folder: Path
    early: str
    late: str
    hidden: int
    text: str


def refused(office: Office, count: int, text: str) -> None:
    """So many refused attempts to look at a text: what somebody may want to be forgotten."""
    request = office.people[Role.PUBLISHER]
    for _ in range(count // 10):
        office.clock.moment += timedelta(seconds=30)
        with transaction(office.installation.engine) as work:
            for _ in range(10):
                request.recorder.write(
                    work,
                    Act.TEXT_READ,
                    actor=request.person.account_id,
                    role="-",
                    obj=("text", text),
                    now=request.now(),
                    out=Outcome.DENIED,
                    why="无权查看。",
                )
    office.installation.catch_up()


def witnessed(office: Office, witness: WitnessService, old: int) -> tuple[str, int]:
    """Signs, lets the witness cosign, and keeps the cosignature; returns the note and its size."""
    note = checkpoint(office.installation)
    with transaction(office.installation.engine, read_only=True) as work:
        head = read_head(work, LOG)
        proof = StoredTree(work, LOG, head).consistency(old, head.size)
    answer, _ = witness.add_checkpoint(render_request(old, proof, note))
    assert answer.status == 200
    (line,) = cosignatures(parse_note(note).text, answer.body, [witness.cosigner.key])
    with transaction(office.installation.engine) as work:
        assert store_cosignature(work, head.size, line)
    return note, head.size


def make_honest(folder: Path, url: str) -> Honest:
    office = make_office(folder / "home", url)
    witness = made_witness(folder / "witness", parse_vkey(office.installation.signer.vkey))
    witness = replace(witness, clock=lambda: int(office.clock.moment.timestamp()))
    text = office.driven("second_review")
    import_text(office.people[Role.DRAFTER], SAMPLE.read_bytes(), name="second.txt")
    office.installation.settle(checkpoint=True)
    _, size = witnessed(office, witness, 0)
    refused(office, 120, text)
    early, size = witnessed(office, witness, size)
    refused(office, 200, text)
    late, _ = witnessed(office, witness, size)
    refused(office, 10, text)
    with transaction(office.installation.engine, read_only=True) as work:
        query = "SELECT min(idx) FROM audit_projection WHERE log = 'main' AND act = 'text.read' AND out = 'denied'"
        hidden = int(work.connection.exec_driver_sql(query).scalar_one()) + 20
    office.installation.engine.dispose()
    return Honest(office, folder, early, late, hidden, text)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def honest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Honest]:
    folder = tmp_path_factory.mktemp("honest")
    if request.param == "sqlite":
        yield make_honest(folder, f"sqlite:///{folder / 'jixiao.db'}")
        return
    uri = request.getfixturevalue("postgresql_uri")
    template = request.getfixturevalue("migrated_template")
    with psycopg.connect(uri, autocommit=True) as database:
        database.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE {template} STRATEGY FILE_COPY")
    yield make_honest(folder, sa.make_url(uri).set(database=TEMPLATE).render_as_string(hide_password=False))
    with psycopg.connect(uri, autocommit=True) as database:
        database.execute(f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


Copy = Callable[[], Victim]


@pytest.fixture
def copy(honest: Honest, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Copy]:
    """Makes a victim: a copy of the honest office with its own home, database and witness."""
    made: list[Victim] = []

    def another() -> Victim:
        folder = tmp_path / str(len(made))
        shutil.copytree(honest.folder, folder)
        if honest.office.installation.engine.dialect.name == "sqlite":
            url = f"sqlite:///{folder / 'jixiao.db'}"
        else:
            url = request.getfixturevalue("new_postgresql")(TEMPLATE)
        clock = honest.office.clock
        installation = Installation(Settings(home=folder / "home", database_url=url), make_engine(url), clock)
        people = {role: replace(each, installation=installation) for role, each in honest.office.people.items()}
        made.append(
            Victim(
                installation,
                people,
                replace(open_witness(folder / "witness"), clock=lambda: int(clock.moment.timestamp())),
                installation.signer.vkey,
                honest.early,
                honest.late,
                honest.hidden,
                honest.text,
            )
        )
        return made[-1]

    yield another
    for victim in made:
        victim.engine.dispose()


@pytest.fixture
def victim(copy: Copy) -> Victim:
    return copy()


@pytest.fixture
def intruder(victim: Victim) -> Intruder:
    """All rights in the database, and no key."""
    return Intruder(victim)


@pytest.fixture
def thief(victim: Victim) -> Intruder:
    """All rights in the database, and the log's signing key with its head file."""
    return Intruder(victim, victim.installation.signer)
