"""The fold of a text's events: where it must stand, whatever the tables say. Pure.

Each event of the log that moves a text, or changes what belongs to it, is applied to a ``TextFold`` and judged by the
definition that the text was pinned to at that time: whether such a transition exists, leads there, and is performed by such a
role; whether the content is the one that was submitted or approved; whether duties were kept apart. What the tables hold is
compared with the fold by ``application/replaying.py``. Guards that look at more than the history (complete content, a day) are
not judged again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from workflow.authority import separation_reasons
from workflow.definition import SIGN, SIGN_OFF, SUBMITTER, TASK_HOLDER, Definition, Transition
from workflow.moves import Position, move, resumptions, targets
from workflow.situation import Part

# The definition of a pin ``name@version:sha256``; None where the database has none whose body has this hash.
Definitions = Callable[[str], Definition | None]
# The changes of an event, with those that are kept outside of it.
Changes = list[dict[str, Any]]

_OTHER = ("document.", "text.read", "export.", "text.copy")


@dataclass(slots=True)
class TextFold:
    """A text as its events leave it; members are named as the columns of the tables."""

    definition: str = ""
    state: str = ""
    round: int = 0
    path: tuple[str, ...] = ()
    way: tuple[str, ...] = ()
    step: int = 0
    current_hash: str = ""
    submitted_hash: str | None = None
    approved_version: int | None = None
    approved_hash: str | None = None
    published_version: int | None = None
    organization_id: str | None = None
    reviewing_id: str | None = None
    versions: list[tuple[str, str]] = field(default_factory=list)
    # None where the last event is of a time in which events did not tell the open tasks.
    tasks: list[dict[str, str]] | None = None
    steps: list[tuple[int, str, str, str, str, str | None]] = field(default_factory=list)
    opinions: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    signatures: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    # Answers to the checks' findings by code and place, and filled review forms by subject.
    explained: Counter[tuple[str, str]] = field(default_factory=Counter)
    forms: Counter[tuple[str, str]] = field(default_factory=Counter)
    # The letters that steps issued, by document and number.
    letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    parts: set[Part] = field(default_factory=set)
    # Whether an event of that time is among them: it may have withdrawn opinions without saying so.
    untold: bool = False
    # What the last step changed, while it can be taken back.
    before: tuple[int, dict[str, Any]] | None = None

    _RESTORED = (
        *("state", "round", "path", "way"),
        *("submitted_hash", "approved_version", "approved_hash", "published_version"),
    )

    @property
    def current_version(self) -> int:
        """The number of the newest version."""
        return len(self.versions)

    @property
    def taken_part(self) -> set[Part]:
        """Who took part as what, to compare."""
        return distinct(self.parts)

    @property
    def position(self) -> Position:
        """Where the text stands, as the pure rules see it."""
        return Position(self.state, self.path, self.way)

    def apply(self, event: Mapping[str, Any], changes: Changes, definitions: Definitions) -> list[str]:
        """Takes the next event of the text; what is wrong with it, as Chinese sentences."""
        if event["out"] != "success" or event["act"].startswith(_OTHER):
            return []
        return list(self._applied(event, changes, definitions))

    def _applied(self, event: Mapping[str, Any], changes: Changes, definitions: Definitions) -> Iterator[str]:
        act, wf = event["act"], event.get("wf") or {}
        if act in ("text.import", "text.create"):
            yield from self._begin(event, changes, wf)
            return
        if not self.state:
            yield "文本还没有导入，却有别的事件"
            return
        if act == "text.field.update":
            self._write(event)
            return
        if wf:
            self.untold |= "tasks" not in wf
        if event.get("after") not in (None, self.current_hash):
            yield "事件所说的内容不是当时的内容"
        self._talk(changes)
        self._judge(act, changes)
        self._help(event, changes)
        if act == "definition.migrate":
            yield from self._migrate(event, changes, wf)
        elif act.startswith("workflow."):
            definition = definitions(self.definition)
            if definition is None:
                yield f"数据库里没有流程定义 {self.definition}"
                return
            yield from self._move(event, changes, wf, definition)
        if wf:
            self.tasks = list(wf["tasks"]) if "tasks" in wf else None

    def _begin(self, event: Mapping[str, Any], changes: Changes, wf: Mapping[str, Any]) -> Iterator[str]:
        if self.state:
            yield "同一份文本导入了两次"
        said = {item["p"]: item.get("n") for item in changes}
        self.definition, self.state, self.round = wf["definition"], wf["to"], wf["round"]
        self.organization_id, self.reviewing_id = said.get("/organization"), said.get("/reviewing")
        self.tasks, self.untold = list(wf["tasks"]) if "tasks" in wf else None, "tasks" not in wf
        self.parts.add(Part(event["actor"]["sub"], "drafter", self.round))
        self._write(event)

    def _write(self, event: Mapping[str, Any]) -> None:
        # An edit voids what was submitted or approved: both bind to one content hash.
        self.current_hash = event["after"]
        self.versions.append((self.current_hash, event["actor"]["sub"]))
        self.submitted_hash = self.approved_hash = self.approved_version = None
        self.before = None
        if event["act"] == "text.field.update":
            self._takes_part(event, "editor")

    def _talk(self, changes: Changes) -> None:
        """Opinions and answers: given where a change has only a new value, withdrawn where it has only an old one."""
        for item in changes:
            place = item["p"]
            for prefix, counter in (("/opinions", self.opinions), ("/answers/", self.answers)):
                if not place.startswith(prefix):
                    continue
                where = place.removeprefix(prefix)
                if "n" in item:
                    counter[where, item["n"]] += 1
                elif "o" in item:
                    counter[where, item["o"]] -= 1

    def _judge(self, act: str, changes: Changes) -> None:
        """Answers to findings and filled review forms, which are only ever added, and letters, which may be made void."""
        for item in changes:
            if item["p"].startswith("/documents/"):
                document = item["p"].removeprefix("/documents/")
                if "n" in item:
                    self.letters[document, item["n"]] += 1
                else:
                    self.letters[document, item["o"]] -= 1
            elif act == "finding.answer" and item["p"].startswith("/findings/"):
                self.explained[item["p"].removeprefix("/findings/"), item["n"]] += 1
            elif act == "review_form.update" and item["p"].startswith("/review_forms/"):
                words = {name: item["n"][name] for name in ("scores", "notes", "conclusion")}
                self.forms[item["p"].removeprefix("/review_forms/"), str(words)] += 1

    def _help(self, event: Mapping[str, Any], changes: Changes) -> None:
        """Who takes part without moving the text: repairs are confirmed, signers added or removed, help is given."""
        act, role = event["act"], event["actor"]["role"]
        if act in ("text.confirm", "finding.answer"):
            self._takes_part(event, "editor")
        elif act in ("signer.add", "signer.remove", "review_form.update"):
            self._takes_part(event, role)
        elif act == "task.resolve" and any(
            item["p"].endswith("/assignee") and item.get("o") == event["actor"]["sub"] for item in changes
        ):
            # Ended by the helper, whose task it was; the owner who only takes it back has done nothing yet.
            self._takes_part(event, role)

    def _migrate(self, event: Mapping[str, Any], changes: Changes, wf: Mapping[str, Any]) -> Iterator[str]:
        said = {item["p"]: item for item in changes}
        if said.get("/definition", {}).get("o") != self.definition:
            yield "更换流程之前的定义不是文本当时的定义"
        self._step(event, "migrate", self.state, wf)
        self.definition, self.state = wf["definition"], wf["to"]
        if "/path" in said:
            self.path = tuple(said["/path"].get("n", "").split())
        if "/resume" in said:
            self.way = way_of(said["/resume"].get("n", ""))
        self.before = None

    def _move(
        self, event: Mapping[str, Any], changes: Changes, wf: Mapping[str, Any], definition: Definition
    ) -> Iterator[str]:
        action = event["act"].removeprefix("workflow.")
        said = {item["p"]: item for item in changes}
        if wf.get("from") != self.state:
            yield f"事件从“{wf.get('from')}”开始，而文本当时在“{self.state}”"
        if wf.get("definition") != self.definition:
            yield "事件所按的流程定义不是文本当时的定义"
        if "/undoes" in said:
            yield from self._undo(event, action, said, wf, definition)
        elif action == SIGN or "/sign/choice" in said:
            yield from self._vote(event, action, said, definition)
        else:
            yield from self._take(event, action, said, wf, definition)

    def _take(
        self,
        event: Mapping[str, Any],
        action: str,
        said: Mapping[str, Any],
        wf: Mapping[str, Any],
        definition: Definition,
    ) -> Iterator[str]:
        possible = [
            item
            for item in definition.candidates(action, self.state)
            if not item.undoes and wf["to"] in targets(item, self.position)
        ]
        # Conditions on the content may choose between several; what they have in common is what is judged here.
        item = next((each for each in possible if wf["round"] == self.round + each.next_round), None)
        if item is None:
            yield f"按流程定义，“{self.state}”不能由“{action}”到“{wf['to']}”第 {wf['round']} 轮"
            return
        yield from self._performed_by(event, item, definition)
        yield from self._binds(item)
        if wf.get("step", self.step + 1) != self.step + 1:
            yield f"这是第 {wf['step']} 步，之前只有 {self.step} 步"
        self.before = (self.step + 1, {name: getattr(self, name) for name in self._RESTORED})
        resume = said.get("/resume", {}).get("n") or resumptions(item)[0]
        where = move(definition, item, self.position, wf["to"], resume)
        self._step(event, action, self.state, wf)
        self.state, self.path, self.way = where.state, where.path, where.resume
        self.round = wf["round"]
        if item.freeze:
            self.submitted_hash = self.current_hash
        if item.approves:
            self.approved_hash, self.approved_version = self.current_hash, self.current_version
        if item.publishes:
            self.published_version = self.current_version

    def _performed_by(self, event: Mapping[str, Any], item: Transition, definition: Definition) -> Iterator[str]:
        role = event["actor"]["role"]
        turns = {task["role"] for task in self.tasks or ()}
        if item.by in definition.roles and role != item.by:
            yield f"“{item.title}”由“{item.by}”执行，而事件是“{role}”做的"
        if item.by == TASK_HOLDER and self.tasks is not None and role not in turns:
            yield f"“{item.title}”由任务的岗位执行，而事件是“{role}”做的"
        if item.by == SIGN_OFF and definition.states[self.state].sign is None:
            yield f"“{item.title}”是签署的结果，而“{self.state}”没有签署"
        if item.by == SUBMITTER and not any(
            Part(account_id, SUBMITTER, self.round) in self.parts for account_id in self._persons(event)
        ):
            yield f"“{item.title}”由本轮报送人执行，而事件是别人做的"
        capacity = role if item.by == SIGN_OFF else item.capacity or (SUBMITTER if item.by == SUBMITTER else role)
        yield from self._kept_apart(event, capacity, definition)
        # As the engine notes it: in the round that the step leads into.
        self._takes_part(event, capacity, self.round + item.next_round)

    def _kept_apart(self, event: Mapping[str, Any], capacity: str, definition: Definition) -> Iterator[str]:
        for account_id in self._persons(event):
            if separation_reasons(definition, capacity, account_id, self.parts):
                yield f"账号 {account_id} 参与了不相容的岗位"

    def _step(self, event: Mapping[str, Any], action: str, source: str, wf: Mapping[str, Any]) -> None:
        self.step = wf.get("step", self.step + 1)
        actor = event["actor"]
        self.steps.append((self.step, action, source, wf["to"], actor["sub"], actor.get("on_behalf_of")))

    def _takes_part(self, event: Mapping[str, Any], capacity: str, round_: int | None = None) -> None:
        number = self.round if round_ is None else round_
        self.parts |= {Part(account_id, capacity, number) for account_id in self._persons(event)}

    @staticmethod
    def _persons(event: Mapping[str, Any]) -> list[str]:
        actor = event["actor"]
        return [who for who in (actor["sub"], actor.get("on_behalf_of")) if who]

    def _binds(self, item: Transition) -> Iterator[str]:
        if "content_unchanged" in item.guards and self.current_hash != self.submitted_hash:
            yield f"“{item.title}”时的内容不是报送的内容"
        if "approved_content_unchanged" in item.guards and self.current_hash != self.approved_hash:
            yield f"“{item.title}”时的内容不是批复的内容"

    def _undo(
        self,
        event: Mapping[str, Any],
        action: str,
        said: Mapping[str, Any],
        wf: Mapping[str, Any],
        definition: Definition,
    ) -> Iterator[str]:
        number = said["/undoes"]["n"]["step"]
        if not any(item.undoes for item in definition.candidates(action, self.state)):
            yield f"按流程定义，“{self.state}”没有“{action}”"
        if self.before is None or self.before[0] != number:
            yield f"撤回的是第 {number} 步，而它不是可以撤回的最后一步"
            return
        if "/sign/choice" in said:
            self._sign(event, said, "withdrawn")
        self._step(event, action, self.state, wf)
        for name, value in self.before[1].items():
            setattr(self, name, value)
        self.before = None
        self._takes_part(event, event["actor"]["role"])
        if self.state != wf["to"]:
            yield f"撤回之后应当在“{self.state}”，事件却说是“{wf['to']}”"

    def _vote(
        self, event: Mapping[str, Any], action: str, said: Mapping[str, Any], definition: Definition
    ) -> Iterator[str]:
        sign = definition.states[self.state].sign
        if sign is None:
            yield f"“{self.state}”没有签署，却有投票"
            return
        withdrawn = action != SIGN
        if not withdrawn:
            role = event["actor"]["role"]
            if role not in sign.seats:
                yield f"“{role}”在“{self.state}”没有席位，却投了票"
            yield from self._kept_apart(event, role, definition)
            self._takes_part(event, role)
        self._sign(event, said, "withdrawn" if withdrawn else str(said["/sign/choice"].get("n")))
        # A vote is an act of the next: the step before can't be taken back any more. A decision follows with its own event.

    def _sign(self, event: Mapping[str, Any], said: Mapping[str, Any], choice: str) -> None:
        self.signatures[said["/sign/seat"]["n"], choice, event["actor"]["sub"]] += 1


def form_words(scores: Mapping[str, str], notes: Mapping[str, str], conclusion: str) -> dict[str, Any]:
    """A filled review form as its event says it; the items are words of the bureau's, and keys of events are ASCII."""
    return {
        "scores": [f"{name}：{score}" for name, score in scores.items()],
        "notes": [f"{name}：{words}" for name, words in notes.items()],
        "conclusion": conclusion,
    }


def distinct(parts: Iterable[Part]) -> set[Part]:
    """Who took part as what; the round matters for who submitted only, and a decision notes its voter in the next."""
    return {part if part.capacity == SUBMITTER else part._replace(round=0) for part in parts}


def way_of(resume: str) -> tuple[str, ...]:
    """The way that a stored resumption (``budget_text.resume``) leads back."""
    return tuple(orjson.loads(resume)["way"]) if resume else ()
