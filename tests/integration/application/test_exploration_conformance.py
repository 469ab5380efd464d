"""The explored state space against the real engine: random definitions, random walks, every offer compared.

The walk follows all configurations that the exploration holds possible. Whatever the exploration says can happen, somebody must
be able to do in the engine; whatever the engine offers to somebody, the exploration must know; and what the engine wrote must be
one of the configurations.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from offices import make_office
from random_definitions import ROLES, definitions

from application.importing import snapshot_of
from application.replaying import Replay
from documents.reading import read_text
from models.engine import Work, transaction
from models.errors import JixiaoError
from models.ids import new_id
from models.people import Account, Delegation, Role, RoleGrant
from models.process import WorkflowDefinition
from workflow.cosigning import add_signer
from workflow.definition import LAST_ACTOR, SIGN, SUBMITTER, Definition, canonical, definition_hash
from workflow.engine import perform
from workflow.exploration import Space, explore
from workflow.handling import case_of
from workflow.offers import offers
from workflow.performed import Performed
from workflow.possibilities import Config, Edge, Kind
from workflow.records import last_step_of, lock_text, parts_of, turns_of, votes_of
from workflow.signing import base_seats
from workflow.situation import Actor, TextRow
from workflow.versions import begin_revision, open_text, revise

SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"
CONTENT = read_text(SAMPLE.read_bytes()).content
ACTED = (Kind.MOVE, Kind.VOTE, Kind.DECISION)
_versions = itertools.count(1)


@dataclass
class Town:
    """An office with as many people of each role as a walk takes."""

    office: Any = field(repr=False)
    people: dict[str, list[str]] = field(repr=False)

    def organization(self, role: str) -> str:
        holder = Role.DRAFTER if ROLES[role]["of"] == "department" else Role.REVIEWER
        return self.office.people[holder].person.organization_id


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = tmp_path_factory.mktemp("town")
    office = make_office(home / "home", f"sqlite:///{home / 'jixiao.db'}")
    made = Town(office, {role: [] for role in ROLES})
    now = office.clock()
    with transaction(office.installation.engine) as work:
        for role, number in itertools.product(ROLES, range(60)):
            account_id, where = new_id(now), made.organization(role)
            work.session.add(
                Account(
                    id=account_id,
                    organization_id=where,
                    login=f"{role}{number}",
                    display_name=role,
                    password_hash=None,
                    created_at=now,
                    disabled_at=None,
                )
            )
            work.session.flush()
            work.session.add(
                RoleGrant(
                    id=new_id(now),
                    account_id=account_id,
                    organization_id=where,
                    role=role,
                    granted_by=None,
                    granted_at=now,
                    expires_at=None,
                    revoked_at=None,
                )
            )
            made.people[role].append(account_id)
    yield made
    # Whatever was walked must be what its events tell.
    wrong = [item.message for item in Replay(office.installation.engine, log="main").finish() if "文本" in item.message]
    office.installation.engine.dispose()
    assert not wrong


@dataclass
class Walk:
    """One text of one definition, in the engine and in the exploration at once."""

    town: Town
    definition: Definition
    space: Space
    text_id: str = ""
    possible: set[Config] = field(default_factory=set)
    used: dict[str, Iterator[str]] = field(default_factory=dict)
    edits: int = 0
    # Whoever acted last, and for whom: either may take it back.
    hands: tuple[str, ...] = ()

    def begin(self) -> None:
        self.used = {role: iter(people) for role, people in self.town.people.items()}
        now = self.town.office.clock()
        self.text_id = new_id(now)
        with transaction(self.town.office.installation.engine) as work:
            made = WorkflowDefinition(
                id=new_id(now),
                name="random",
                version=next(_versions),
                body=canonical(self.definition),
                sha256=definition_hash(self.definition),
                published_at=now,
            )
            work.session.add(made)
            work.session.flush()
            open_text(
                work,
                text_id=self.text_id,
                organization_id=self.town.organization("drafter"),
                reviewing_id=self.town.organization("clerk"),
                definition_id=made.id,
                snapshot=snapshot_of(CONTENT),
                source=b"",
                doubts=[],
                actor=self.fresh("drafter"),
                reason="walk",
                recorder=self.recorder,
                now=now,
            )
        self.possible = self.lapsed(set(self.space.rules.starts()))

    @property
    def recorder(self) -> Any:
        return self.town.office.people[Role.DRAFTER].recorder

    def fresh(self, role: str) -> Actor:
        return Actor(next(self.used[role]), self.town.organization(role))

    def guest(self, beside: Actor) -> Actor:
        """Somebody new, of a person's organization and without a role."""
        now = self.town.office.clock()
        made = Account(
            id=new_id(now),
            organization_id=beside.organization_id,
            login=new_id(now),
            display_name="guest",
            password_hash=None,
            created_at=now,
            disabled_at=None,
        )
        with transaction(self.town.office.installation.engine) as work:
            work.session.add(made)
        return Actor(made.id, beside.organization_id)

    def stand_in(self, actor: Actor) -> Actor:
        """Somebody without a role of their own, who stands in for a person from now on."""
        guest, now = self.guest(actor), self.town.office.clock()
        with transaction(self.town.office.installation.engine) as work:
            work.session.add(
                Delegation(
                    id=new_id(now),
                    principal_id=actor.account_id,
                    delegate_id=guest.account_id,
                    role=None,
                    reason="walk",
                    starts_at=now,
                    ends_at=now + timedelta(days=30),
                    created_by=actor.account_id,
                    created_at=now,
                    revoked_at=None,
                )
            )
        return guest

    def ask_before(self, actor: Actor) -> None:
        """A signer asks somebody to sign before them, who agrees: nothing that the exploration looks at has changed."""
        engine, now = self.town.office.installation.engine, self.town.office.clock()
        asked = self.guest(actor)
        with transaction(engine) as work:
            case = case_of(work, self.row(work), actor=actor, recorder=self.recorder, now=now)
            add_signer(case, asked, place="before")
        with transaction(engine) as work:
            assert self.perform(work, asked, SIGN).vote == "pending"
            self.agree(work, self.possible)

    def perform(self, work: Work, actor: Actor, action: str, **given: Any) -> Performed:
        now = self.town.office.clock()
        common: dict[str, Any] = {
            "expected_version": None,
            "command_id": new_id(now),
            "recorder": self.recorder,
            "now": now,
        }
        return perform(work, self.text_id, action, actor=actor, **common, **given)

    def lapsed(self, configs: set[Config]) -> set[Config]:
        return configs | {
            config._replace(last="") for config in configs if config._replace(last="") in self.space.edges
        }

    def edges(self, *kinds: Kind) -> dict[tuple[Any, ...], list[Edge]]:
        """What may happen, by what a person chooses: action, who, where to, how to go on, in favour or not."""
        found: dict[tuple[Any, ...], list[Edge]] = {}
        for config in sorted(self.possible, key=repr):
            for edge in self.space.edges[config]:
                if edge.kind in kinds:
                    key = self.key(edge) if edge.kind in ACTED else ("edit",)
                    found.setdefault(key, []).append(edge)
        return found

    def key(self, edge: Edge) -> tuple[Any, ...]:
        item = self.definition.transitions[edge.number]
        if edge.kind is Kind.MOVE:
            return (item.action, edge.who, edge.target.state, edge.resume, True)
        return (SIGN, edge.who, "", "restart", edge.agrees)

    def actors(self, work: Work, who: str) -> list[Actor]:
        """The people who could be meant: somebody new in a role, or whoever it has to be."""
        if who in ROLES:
            # A task may be that of whoever returned the text; anybody else gets it by reassignment only.
            held = [turn.assignee_id for turn in turns_of(work, self.text_id) if turn.role == who and turn.assignee_id]
            return [self.fresh(who), *(Actor(name, self.town.organization(who)) for name in held)]
        if who == SUBMITTER:
            row = self.row(work)
            names = [
                part.account_id
                for part in parts_of(work, row.id)
                if part.capacity == SUBMITTER and part.round == row.round
            ]
            return [Actor(name, self.town.organization("head")) for name in names]
        last = last_step_of(work, self.text_id)
        return [] if last is None else [Actor(last.account_id, "")]

    def row(self, work: Work) -> TextRow:
        return lock_text(work, self.text_id)

    def seen(self, work: Work) -> tuple[Any, ...]:
        """What the database holds of a configuration."""
        row = self.row(work)
        sign = self.definition.states[row.state].sign
        counted = {vote.seat: vote.agrees for vote in votes_of(work, row.id, row.visit)}
        votes: dict[str, list[str]] = {}
        for seat in base_seats(sign) if sign else ():
            votes.setdefault(seat.role, []).append(str(counted.get(seat.key)))
        roles = () if sign else tuple(turn.role for turn in turns_of(work, row.id))
        return (
            *(row.position.state, row.position.path, row.position.resume),
            *(row.current_hash == row.submitted_hash, row.current_hash == row.approved_hash),
            tuple(sorted((role, tuple(sorted(given))) for role, given in votes.items())),
            roles,
        )

    def projected(self, config: Config) -> tuple[Any, ...]:
        sign = self.definition.states[config.state].sign
        votes: dict[str, list[str]] = {}
        for role, vote in zip(sign.seats, config.votes, strict=True) if sign else ():
            votes.setdefault(role, []).append(str(vote))
        return (
            *(config.state, config.path, config.resume, config.submitted, config.approved),
            tuple(sorted((role, tuple(sorted(given))) for role, given in votes.items())),
            () if sign else self.space.rules.holders(config),
        )

    def agree(self, work: Work, arrived: set[Config]) -> None:
        """What was written is one of the configurations; from now on only those that look like it are possible."""
        seen = self.seen(work)
        matching = {config for config in arrived if self.projected(config) == seen}
        assert matching, (seen, [self.projected(config) for config in arrived])
        self.possible = self.lapsed(matching)

    def act(self, key: tuple[Any, ...], leading: list[Edge], choice: int) -> None:
        """What the exploration says can happen, somebody does: by themselves, through another, after somebody they asked."""
        action, who, target, resume, agrees = key
        engine = self.town.office.installation.engine
        item = self.definition.transitions[leading[0].number]
        failures: list[JixiaoError] = []
        with transaction(engine, read_only=True) as work:
            actors = self.actors(work, who)
        for actor in actors:
            hands: tuple[Actor, ...] = (actor,)
            try:
                if action == SIGN and agrees and choice % 5 == 0:
                    self.ask_before(actor)
                if who in ROLES and choice % 2:
                    hands = (self.stand_in(actor), actor)
                with transaction(engine) as work:
                    self.perform(
                        work,
                        hands[0],
                        action,
                        reason="walk",
                        to=target or None,
                        resume=resume if item.resume and action != SIGN else None,
                        against=not agrees,
                    )
                    self.hands = tuple(hand.account_id for hand in hands)
                    self.agree(work, {edge.target for edge in leading})
                    return
            except JixiaoError as error:
                failures.append(error)
        # A person who has to come again may be barred, or gone in another history that looks the same.
        assert who not in ROLES, (key, [error.message for error in failures])

    def undo(self, before: set[Config], action: str) -> None:
        """Whoever acted, or for whom it was, takes it back: a step, a vote, or the vote that decided."""
        with transaction(self.town.office.installation.engine) as work:
            self.perform(work, Actor(self.hands[-1], ""), action)
            kept = {config._replace(submitter=True, last="") for config in before}
            self.agree(work, {config for config in self.lapsed(before) | kept if config in self.space.edges})

    def edit(self, leading: list[Edge]) -> None:
        self.edits += 1
        engine, now = self.town.office.installation.engine, self.town.office.clock()
        content = CONTENT.model_copy(update={"title": f"{CONTENT.title}{self.edits}"})
        with transaction(engine) as work:
            text, author = begin_revision(
                work, self.text_id, actor=self.fresh("drafter"), expected_version=None, now=now
            )
            revise(
                work,
                text,
                author,
                snapshot=snapshot_of(content),
                changes=[("/title", None, content.title)],
                corrected=(),
                reason="walk",
                recorder=self.recorder,
                now=now,
            )
            self.agree(work, {edge.target for edge in leading})

    def compare_offers(self) -> None:
        """Whatever the engine offers to somebody new in a role, the exploration holds possible."""
        known = {(action, who) for action, who, *_ in self.edges(*ACTED)}
        votes = {agrees for action, _, _, _, agrees in self.edges(*ACTED) if action == SIGN}
        with transaction(self.town.office.installation.engine, read_only=True) as work:
            row = self.row(work)
            sign = self.definition.states[row.state].sign
            for role in ROLES:
                actor = Actor(self.town.people[role][-1], self.town.organization(role))
                for offer in offers(work, row, actor, self.town.office.clock()):
                    item = self.definition.transition(offer.action, row.state)
                    if not offer.allowed or (item is not None and item.by in (SUBMITTER, LAST_ACTOR)):
                        continue
                    vote = offer.action.startswith(SIGN) or (sign is not None and offer.action == sign.passed)
                    assert (SIGN if vote else offer.action, role) in known, (offer, known)
                    if vote:
                        assert offer.action.startswith(SIGN) is not True or False in votes


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(definition=definitions(properties=False), choices=st.lists(st.integers(0, 1_000), min_size=1, max_size=14))
def test_engine_and_exploration_agree_step_by_step(town: Town, definition: Definition, choices: list[int]) -> None:
    space = explore(definition)
    assert space.complete
    walk = Walk(town, definition, space)
    walk.begin()
    for choice in choices:
        walk.compare_offers()
        moves = walk.edges(*ACTED, Kind.EDIT)
        if not moves:
            break
        key = sorted(moves, key=repr)[choice % len(moves)]
        before = walk.possible
        if key == ("edit",):
            walk.edit(moves[key])
            continue
        walk.act(key, moves[key], choice)
        state = next(iter(walk.possible)).state
        undoing = [item for item in definition.leaving(state) if item.undoes]
        if undoing and choice % 3 != 0 and walk.possible != before:
            walk.undo(before, undoing[0].action)
