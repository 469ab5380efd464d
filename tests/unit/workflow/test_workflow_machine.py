from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from workflow_cases import SOURCE, STANDARD, TEXT, compiled, guards, named, situation

from models.errors import GuardFailed, InvalidInput, InvalidTransition
from workflow import machine as machine_module
from workflow.definition import Definition
from workflow.guards import find_guards, guard
from workflow.machine import advance, compile_machine, machine_for
from workflow.situation import Situation
from workflow.source import parse_definition

SUBMITTED = TEXT._replace(state="submitted", submitted_hash="h1")


def guarded(name: str, *guard_names: str) -> Definition:
    """A definition of its own name (its machine is shared by nobody) whose submission has these guards."""
    return parse_definition(
        SOURCE.replace("name: standard", f"name: {name}").replace(
            "[text_complete, opinions_answered]", f"[{', '.join(guard_names)}]"
        )
    )


def test_transition_leads_to_its_target() -> None:
    assert advance(compiled(), situation(TEXT, named("submit", "draft"))) == "submitted"
    assert advance(compiled(), situation(SUBMITTED, named("accept", "submitted"))) == "first_review"


def test_every_transition_of_the_definition_is_in_the_machine() -> None:
    machine = compiled()
    found = {
        (action, source, transition.dest)
        for action, event in machine.events.items()
        for source, transitions in event.transitions.items()
        for transition in transitions
    }
    wanted = {(item.action, source, item.target) for item in STANDARD.transitions for source in item.sources}
    assert found == wanted
    assert set(machine.states) == set(STANDARD.states)


def test_machine_has_no_automatic_triggers_and_no_rows() -> None:
    machine = compiled()
    assert set(machine.events) == {item.action for item in STANDARD.transitions}
    assert not [name for name in machine.events if name.startswith("to_")]
    assert machine.models == []
    assert not machine.has_queue
    with pytest.raises(InvalidTransition):
        advance(machine, situation(TEXT, named("publish", "approved").model_copy(update={"action": "to_published"})))


def test_callbacks_are_functions_and_never_names() -> None:
    machine = compiled()
    for event in machine.events.values():
        for transitions in event.transitions.values():
            for transition in transitions:
                callbacks = [condition.func for condition in transition.conditions]
                assert len(callbacks) == 1
                assert all(callable(callback) for callback in callbacks)
                assert transition.before == transition.after == transition.prepare == []
    for state in machine.states.values():
        assert state.on_enter == state.on_exit == []
    for place in ("before_state_change", "after_state_change", "prepare_event", "finalize_event", "on_exception"):
        assert getattr(machine, place) == []


@pytest.mark.parametrize("name", ["nobody_registered_it", "os_system"])
def test_unknown_guard_is_refused_when_compiled(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        compiled(guarded("unknown", name))


def test_all_reasons_of_all_guards_are_listed() -> None:
    definition = guarded("several", "first", "second", "third")
    with pytest.raises(GuardFailed) as caught:
        advance(
            compiled(definition, first=lambda _: ["一", "二"], second=lambda _: [], third=lambda _: iter(["三", "四"])),
            situation(TEXT, named("submit", "draft", definition), definition=definition),
        )
    assert caught.value.reasons == caught.value.facts["reasons"] == ["一", "二", "三", "四"]
    assert "一；二；三；…" in caught.value.message
    assert "四" not in caught.value.message


@pytest.mark.parametrize("reason", [None, "", "  \n\u3000"])
def test_missing_reason_is_one_of_the_reasons(reason: str | None) -> None:
    with pytest.raises(GuardFailed) as caught:
        advance(compiled(), situation(SUBMITTED, named("return", "submitted"), reason=reason, objections=()))
    assert len(caught.value.reasons) == 2
    assert "理由" in caught.value.reasons[0]
    assert "逐处" in caught.value.reasons[1]


def test_refused_text_stays_where_it_is() -> None:
    before = situation(TEXT, named("submit", "draft"))
    with pytest.raises(GuardFailed):
        advance(compiled(text_complete=lambda _: ["不完整"]), before)
    assert before.text.state == "draft"


@pytest.mark.parametrize(
    ("action", "state"),
    [("submit", "submitted"), ("submit", "nowhere"), ("publish", "draft"), ("approve", "published")],
)
def test_action_that_the_state_does_not_have_is_an_invalid_transition(action: str, state: str) -> None:
    transition = next(item for item in STANDARD.transitions if item.action == action)
    with pytest.raises(InvalidTransition) as caught:
        advance(compiled(), situation(TEXT._replace(state=state), transition))
    assert caught.value.facts["action"] == action


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), ZeroDivisionError()])
def test_error_of_a_guard_does_not_look_like_a_wrong_state(error: Exception) -> None:
    def broken(_: Situation) -> Iterable[str]:
        raise error

    with pytest.raises(type(error)):
        advance(compiled(text_complete=broken), situation(TEXT, named("submit", "draft")))


def test_guard_sees_the_situation() -> None:
    seen: list[Situation] = []

    def look(made: Situation) -> Iterable[str]:
        seen.append(made)
        return ()

    made = situation(TEXT, named("submit", "draft"))
    advance(compiled(text_complete=look), made)
    assert seen == [made]


def test_eight_threads_on_one_machine_never_mix_their_reasons() -> None:
    definition = guarded("threads", "slow")

    def slow(made: Situation) -> Iterable[str]:
        for number in range(3):
            time.sleep(0.0005)
            yield f"{made.text.id}-{number}"

    machine = compiled(definition, slow=slow)
    transition = named("submit", "draft", definition)
    wrong: list[Any] = []
    start = threading.Barrier(8)

    def walk(name: str) -> None:
        start.wait()
        for turn in range(20):
            key = f"{name}.{turn}"
            try:
                advance(machine, situation(TEXT._replace(id=key), transition, definition=definition))
                wrong.append(key)
            except GuardFailed as error:
                if error.reasons != [f"{key}-{number}" for number in range(3)]:
                    wrong.append(error.reasons)

    threads = [threading.Thread(target=walk, args=(f"t{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert machine.models == []


def test_definition_is_compiled_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    definition = guarded("once", "free")
    calls: list[str] = []

    def counting(made: Definition) -> Any:
        calls.append(made.name)
        time.sleep(0.02)  # long enough for all threads to have asked
        return compile_machine(made)

    monkeypatch.setattr(machine_module, "compile_machine", counting)
    monkeypatch.setattr(machine_module, "_machines", {})
    found: list[Any] = []
    with guards({"free": lambda _: ()}):
        threads = [threading.Thread(target=lambda: found.append(machine_for(definition))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert calls == ["once"]
    assert len(set(map(id, found))) == 1
    assert (
        machine_for(
            parse_definition(
                SOURCE.replace("name: standard", "name: once").replace("text_complete, opinions_answered", "free")
            )
        )
        is found[0]
    )
    assert calls == ["once"]


def test_other_definition_has_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "_machines", {})
    with guards({"free": lambda _: ()}):
        assert machine_for(guarded("one", "free")) is not machine_for(guarded("other", "free"))


def test_guard_name_is_registered_once() -> None:
    with guards({}):
        guard("mine", "我的")(lambda _: ())
        assert find_guards(["mine", "mine"])[0].title == "我的"
        with pytest.raises(ValueError, match="twice"):
            guard("mine", "我的")(lambda _: ())
    with pytest.raises(InvalidInput):
        find_guards(["mine"])
