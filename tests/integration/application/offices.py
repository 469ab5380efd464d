"""An installation on each database, with a clock of our own and one person per role."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from application.accounts import insert_account, insert_grant
from application.acting import act
from application.answering import answer_findings
from application.demo import Demonstration, demonstration_people
from application.editing import confirm_repairs
from application.identity import authenticate, issue_token, token_details
from application.importing import import_text
from application.installation import Installation, Request
from application.installing import initialize
from application.settings import Settings
from audit.acts import Act
from models.engine import transaction
from models.ids import new_id
from models.people import Organization, Role

ANSWER = "已与业务股核对，情况属实"
SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"


# The straight way through the definition ``county``, and the state that each action reaches.
COUNTY: tuple[tuple[Role, str, str | None], ...] = (
    (Role.DEPARTMENT_HEAD, "submit", "submitted"),
    (Role.REVIEWER, "accept", "first_review"),
    (Role.REVIEWER, "pass", "second_review"),
    (Role.SECOND_REVIEWER, "pass", None),
    (Role.BUDGET_REVIEWER, "pass", "issuing"),
    (Role.APPROVER, "approve", "issued"),
    (Role.REVIEWER, "issue", "approved"),
    (Role.PUBLISHER, "publish", "published"),
)


class TickingClock:
    """A clock that stands at a fixed day and moves on a second with each look."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@dataclass
class Office:
    """An installation with people, and short ways to let them act."""

    installation: Installation
    people: dict[Role, Request]
    clock: TickingClock
    tokens: dict[str, str] = field(default_factory=dict)
    administrators: dict[str, str] = field(default_factory=dict)

    def imported(self, *, confirm: bool = True, workflow: str | None = None) -> str:
        """A text in draft, its repairs confirmed and its warnings answered."""
        drafter = self.people[Role.DRAFTER]
        text = import_text(drafter, SAMPLE.read_bytes(), name=SAMPLE.name, workflow=workflow)["text"]
        if confirm:
            confirm_repairs(drafter, text, (), everything=True)
            answer_findings(drafter, text, (), words=ANSWER, everything=True)
        return str(text)

    def answered(self, text: str) -> str:
        """The same text, the warnings that an edit brought answered."""
        answer_findings(self.people[Role.DRAFTER], text, (), words=ANSWER, everything=True)
        return text

    def act(self, role: Role, text: str, action: str, **given: Any) -> dict[str, Any]:
        """One action by the person of a role."""
        return act(self.people[role], text, action=action, **given)

    def another(self, role: Role, name: str) -> Request:
        """One more person who holds a role; a request of theirs."""
        return Request(self.installation, authenticate(self.installation, self.token(role, name)), name)

    def token(self, role: Role, name: str) -> str:
        """The token of one more person who holds a role."""
        now = self.installation.clock()
        first = self.people[role]
        with transaction(self.installation.engine) as work:
            account = insert_account(
                work,
                first.recorder,
                organization=work.session.get_one(Organization, first.person.organization_id),
                login=name,
                display_name=name,
                password=None,
                actor="-",
                role="-",
                now=now,
            )
            insert_grant(work, first.recorder, account=account, role=role, actor=None, actor_role="-", now=now)
            # These tests' clock stands in the past, and processes of their own have the real one.
            lifetime, token_id = timedelta(days=900), new_id(now)
            told = token_details(token_id, now + lifetime)
            obj = ("account", account.id)
            first.recorder.write(work, Act.TOKEN_CREATE, actor="-", role="-", obj=obj, now=now, details=told)
            return issue_token(work, account.id, "test", now=now, lifetime=lifetime, token_id=token_id)

    def county(self, state: str) -> str:
        """A text of the definition ``county`` that was driven straight to a state."""
        text = self.imported(workflow="county")
        for role, action, reached in COUNTY:
            if reached is not None and state == "draft":
                break
            self.act(role, text, action)
            if reached == state:
                break
        return text

    def driven(self, state: str) -> str:
        """A text that was driven to a state."""
        text = self.imported()
        for role, action, reached in (
            (Role.DEPARTMENT_HEAD, "submit", "submitted"),
            (Role.REVIEWER, "accept", "first_review"),
            (Role.REVIEWER, "pass", "second_review"),
            (Role.APPROVER, "approve", "approved"),
            (Role.PUBLISHER, "publish", "published"),
        ):
            self.act(role, text, action)
            if reached == state:
                return text
        raise AssertionError(state)


def make_office(home: Path, url: str) -> Office:
    """A new installation with the demonstration's people."""
    clock = TickingClock()
    settings = Settings(home=home, database_url=url)
    made = initialize(settings, clock=clock)
    demo = Demonstration(home)
    people = demonstration_people(made.installation, demo)
    return Office(made.installation, people, clock, demo.tokens, made.tokens)
