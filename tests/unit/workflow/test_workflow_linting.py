"""Checks of definitions: each broken one gives its own code at its own line, the shipped ones give nothing."""

from __future__ import annotations

import re
import time
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from application import facts, guards  # noqa: F401 -- importing registers them, as the program does
from application.workflows import SHIPPED, written_out
from documents.rendering.words import document_names
from models.errors import InvalidInput
from workflow.checking import CODES, Finding, check_definition, is_proved
from workflow.definition import definition_hash
from workflow.source import lines_of, parse_definition

ROOT = Path(__file__).parents[3]
BROKEN = sorted((ROOT / "tests/data/workflows/broken").glob("*.yaml"))
SOUND = [*(ROOT / f"workflow/definitions/{name}.yaml" for name in SHIPPED), ROOT / "examples/workflows/standard-2.yaml"]
TODAY = date(2026, 3, 2)


def check(data: bytes | str, *, prove: bool = True, today: date | None = TODAY) -> tuple[Finding, ...]:
    return check_definition(data, documents=document_names(), prove=prove, today=today)


def source(name: str = "simple") -> str:
    return files("workflow").joinpath(f"definitions/{name}.yaml").read_text("utf-8")


def changed(old: str, new: str, name: str = "simple") -> str:
    text = source(name)
    assert old in text
    return text.replace(old, new, 1)


def codes(data: bytes | str, **given: Any) -> list[str]:
    return [finding.code for finding in check(data, **given)]


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_what_is_shipped_has_no_finding(path: Path) -> None:
    assert check(path.read_bytes()) == ()


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_definition_gives_its_code_at_its_line(path: Path) -> None:
    text = path.read_text("utf-8")
    expected = re.findall(r"(\w+) (\d+)", text.splitlines()[0].removeprefix("# expect:"))
    assert expected
    found = check(text)
    assert [(finding.code, str(finding.line)) for finding in found] == expected


def test_the_broken_definitions_are_many_and_every_finding_has_a_known_code_and_a_whole_sentence() -> None:
    found = [finding for path in BROKEN for finding in check(path.read_bytes())]
    assert len(BROKEN) >= 40
    assert {finding.code for finding in found} <= {*CODES}
    # What no file of this corpus has is in the tests of the proofs, which explore it in detail.
    proved_elsewhere = {
        "dead_transition",
        "dead_source",
        "approves_unsubmitted",
        "final_left",
        "bureau_edits",
        "too_many",
    }
    assert {*CODES} - {finding.code for finding in found} <= {
        *proved_elsewhere,
        "inconsistent",
        "publication_unguarded",
    }
    for finding in found:
        assert finding.message.endswith(("。", "？")), finding
        assert finding.line is not None


def test_a_failing_proof_shows_its_way_step_by_step() -> None:
    (found,) = check((ROOT / "tests/data/workflows/broken/trap.yaml").read_bytes())
    assert found.path == ("报送（部门负责人）", "暂存（审批）")
    assert found.to_json()["path"] == [*found.path]


def test_without_proofs_only_the_writing_is_checked() -> None:
    data = (ROOT / "tests/data/workflows/broken/trap.yaml").read_bytes()
    assert codes(data, prove=False) == []
    assert codes((ROOT / "tests/data/workflows/broken/wrong-side.yaml").read_bytes(), prove=False) == ["role_side"]


def test_nothing_is_proved_over_conditions_that_can_not_be_read() -> None:
    data = changed("guards: [content_unchanged]", "when: totl > 1, guards: [content_unchanged]")
    data = data.replace("from: approved, to: published", "from: approved, to: draft")
    assert codes(data) == ["condition"]
    assert not is_proved(codes(data))
    assert is_proved(["trap", "unused_role"])


def test_findings_come_by_line() -> None:
    data = changed("document: approval", "document: aproval")
    data = data.replace("[text_complete, opinions_answered]", "[text_complet, opinions_answered]").replace(
        "kind: budget", "kind: novel"
    )
    lines = [finding.line for finding in check(data)]
    assert len(lines) == 4
    assert lines == sorted(lines, key=lambda line: line or 0)


def test_a_near_name_is_suggested() -> None:
    (finding,) = check(changed("guards: [content_unchanged]", "guards: [content_unchange]"))
    assert "是不是“content_unchanged”？" in finding.message
    (finding,) = check(changed("guards: [content_unchanged]", "guards: [zzz]"))
    assert "请改用 approved_content_unchanged、" in finding.message


@pytest.mark.parametrize("role", ["auditor", "system_administrator", "security_administrator", "audit_administrator"])
def test_auditors_and_administrators_have_no_part(role: str) -> None:
    data = source().replace("approver", role)
    assert "unknown_role" in codes(data, prove=False)


def test_overlapping_conditions_show_a_content_that_meets_both() -> None:
    (finding,) = check((ROOT / "tests/data/workflows/broken/overlapping.yaml").read_bytes())
    assert "预算总额为 1000000.00；" in finding.message


def test_conditions_that_exclude_one_another_are_fine() -> None:
    data = (ROOT / "tests/data/workflows/broken/overlapping.yaml").read_text("utf-8")
    # What has no amount yet is approved by the plain action, so nothing gets stuck.
    assert codes(data.replace("when: total <= 1000000", "when: total < 1000000")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("approve_large, title: 其他批复", "approve_small, title: 其他批复"),
        ("其他批复, from: submitted, to: approved", "其他批复, from: approved, to: published"),
    ],
    ids=["another action", "another state"],
)
def test_conditions_of_different_choices_may_overlap(old: str, new: str) -> None:
    data = (ROOT / "tests/data/workflows/broken/overlapping.yaml").read_text("utf-8")
    assert old in data
    assert codes(data, prove=False) == ["overlapping"]
    assert codes(data.replace(old, new), prove=False) == []


def test_a_rule_over_two_seats_has_its_meaning() -> None:
    data = (ROOT / "tests/data/workflows/broken/single-seat.yaml").read_text("utf-8")
    assert codes(data.replace("seats: [approver]", "seats: [approver, approver]")) == []


def test_a_member_that_is_written_twice_is_told_apart_from_bad_punctuation() -> None:
    messages = {
        name: check((ROOT / f"tests/data/workflows/broken/{name}.yaml").read_bytes())[0].message
        for name in ("duplicate-key", "not-yaml")
    }
    assert messages["duplicate-key"].endswith("“submitted”写了两次；请只留一处。")
    assert messages["not-yaml"].endswith("请检查这一行和上一行的缩进、引号和括号。")


@pytest.mark.parametrize(
    ("today", "expected"),
    [(date(2020, 2, 9), []), (date(2020, 2, 10), []), (date(2020, 2, 11), ["past_deadline"]), (None, [])],
)
def test_a_fixed_day_is_past_on_the_day_after(today: date | None, expected: list[str]) -> None:
    data = (ROOT / "tests/data/workflows/broken/past-deadline.yaml").read_bytes()
    assert codes(data, today=today) == expected
    data_of_transition = changed(
        "guards: [content_unchanged], approves: true",
        "guards: [content_unchanged], approves: true, task: {role: publisher, due: before 2020-02-10}",
    )
    assert codes(data_of_transition, today=today) == expected


@pytest.mark.parametrize(
    "transition",
    [
        "{action: back, title: 退回, from: second_review, to: previous, by: second_reviewer}",
        "{action: back, title: 退回, from: second_review, to: earlier, by: task_holder}",
        "{action: back, title: 退回, from: issuing, to: revision, by: approver}",
        "{action: back, title: 退回, from: issuing, to: revision, by: task_holder}",
    ],
)
def test_every_kind_of_return_needs_a_reason(transition: str) -> None:
    data = changed("properties:", f"  - {transition}\n\nproperties:", "county")
    assert codes(data, prove=False) == ["return_without_reason"]
    assert codes(data.replace(transition, transition[:-1] + ", reason: required}"), prove=False) == []


def test_a_recall_and_what_a_sign_off_decides_need_no_reason() -> None:
    county = parse_definition(source("county"))
    free = [item.action for item in county.transitions if item.reason != "required" and (item.undoes or item.returns)]
    assert free == ["recall", "reject"]
    assert codes(source("county")) == []


def test_an_unguarded_publication_is_an_error_only_where_it_can_publish_something_else() -> None:
    # Nobody can edit between approval and publication here, so it is doubtful and no more.
    data = changed("by: publisher, guards: [approved_content_unchanged],", "by: publisher,")
    assert [(it.code, it.severity) for it in check(data)] == [("publication_unguarded", "warning")]
    data = data.replace(", approves: true", "")
    assert [(it.code, it.severity) for it in check(data)] == [("publishes_unapproved", "error")]


# Sentences of the model of a definition, each with the line of what it speaks of.
_OLD = "from: submitted, to: revision, by: approver"
CONTRADICTIONS: dict[str, tuple[str, str, str, str]] = {
    "initial": ("initial: draft", "initial: draff", "undefined", "initial: draff"),
    "state called undo": ("  revision: {title", "  undo: {title: 退, status: 退, document: return, final: true}\n  revision: {title", "inconsistent", "  undo:"),
    "role called submitter": ("  approver: {title", "  submitter: {title: 报, of: finance}\n  approver: {title", "inconsistent", "  submitter:"),
    "no task": (", task: {role: publisher, due: 20 days}", "", "inconsistent", "  approved:"),
    "task of nobody": ("task: {role: publisher, due", "task: {role: publishr, due", "undefined", "  approved:"),
    "head of nobody": ("publisher: {title: 公开, of: department", "publisher: {title: 公开, of: department, head: boss", "undefined", "  publisher:"),
    "source": ("from: approved, to: published", "from: aproved, to: published", "undefined", "action: publish"),
    "target": ("from: approved, to: published", "from: approved, to: publishd", "undefined", "action: publish"),
    "actor": (_OLD, "from: submitted, to: revision, by: aprover", "undefined", "action: return"),
    "second of two actors": ("from: revision, to: submitted, by: department_head", "from: revision, to: submitted, by: head", "undefined", "title: 再报送"),
    "task of a transition": ("resume: restart}", "resume: restart, task: {role: nobody}}", "undefined", "resume: restart"),
    "capacity": (_OLD, _OLD + ", as: reviewr", "undefined", "action: return"),
    "group": ("  - [approver]", "  - [aprover]", "undefined", "  - [aprover]"),
    "twice in groups": ("  - [approver]", "  - [approver]\n  - [approver]", "inconsistent", "  - [approver]\n\n"),
    "doubled": ("from: approved, to: published, by: publisher", "from: approved, to: published, by: publisher}\n  - {action: publish, title: 又公开, from: approved, to: published, by: publisher", "doubled", "title: 又公开"),
    "called sign": ("{action: return, title", "{action: sign, title", "inconsistent", "action: sign"),
    "undo by a role": ("to: undo, by: last_actor", "to: undo, by: approver", "inconsistent", "action: recall"),
    "undo with effects": ("by: last_actor,", "by: last_actor, freeze: true,", "inconsistent", "action: recall"),
    "reopens from no end": (_OLD, _OLD + ", reopens: true", "inconsistent", "action: return"),
    "state of a property": ("reachable: published", "reachable: publishd", "undefined", "reachable: publishd"),
    "action of a property": ("always_before: [submit, approve]", "always_before: [submit, aprove]", "undefined", "[submit, aprove]"),
    "capacity of a property": ("separate: [submitter, approver]", "separate: [submitter, aprover]", "undefined", "[submitter, aprover]"),
    "count of a property": ("reachable: published", "at_most: [retrn, 3]", "undefined", "at_most: [retrn"),
    "outcome": ("resume: restart}", "resume: restart}\n  - {action: sure, title: 定, from: submitted, to: approved, by: sign_off}", "sign_off", "action: sure"),
    "seat of nobody": ("task: {role: approver, due: 10 working days}", "task: {role: approver}, sign: {rule: all, seats: [aprover], passed: approve}", "sign_off", "seats: [aprover]"),
    "sign-off at the end": ("document: publication, final: true", "document: publication, final: true, sign: {rule: all, seats: [approver], passed: approve}", "sign_off", "  published:"),
    "calendar": ("calendar: china", "calendar: mars", "unknown_calendar", "calendar: mars"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_has_the_line_that_it_speaks_of(name: str) -> None:
    old, new, code, where = CONTRADICTIONS[name]
    data = changed(old, new)
    line = data[: data.rindex(where)].count("\n") + 1
    assert (code, line) in [(finding.code, finding.line) for finding in check(data)], check(data)


def test_the_same_name_misspelt_twice_has_two_lines() -> None:
    data = changed("reachable: published", "reachable: publishd").replace(
        "eventually_possible: published", "eventually_possible: publishd"
    )
    lines = [finding.line or 0 for finding in check(data)]
    assert lines == [lines[0], lines[0] + 1]
    assert all("是不是“published”？" in finding.message for finding in check(data))


def test_a_mistake_in_a_property_is_told_once() -> None:
    found = check(changed("reachable: published", "reachable: 已公开"))
    assert [(finding.code, finding.place) for finding in found] == [("shape", ("properties", "0", "reachable"))]
    found = check(changed("reachable: published", "reachable: published\n    at_most: [return, 2]"))
    assert [finding.code for finding in found] == ["shape"]


def test_a_list_whose_items_are_wrong_is_not_called_empty_too() -> None:
    found = check(changed("from: [submitted, approved, revision]", "from: [Submitted]"))
    assert [finding.place for finding in found] == [("transitions", "2", "from", "0")]


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"", None), (b"- a\n- b\n", 1), (b"text", 1), (b"\xff\xfe\x00", None), (b"a: 1\n---\nb: 2\n", 2), (b"a: [", 1)],
)
def test_what_is_no_definition_at_all_is_a_finding(data: bytes, line: int | None) -> None:
    found = check(data)
    assert {finding.severity for finding in found} == {"error"}
    assert found[0].line == line


def test_a_file_that_is_too_long_is_a_finding() -> None:
    (found,) = check(b"# " + b"x" * 300_000)
    assert (found.code, found.line) == ("unreadable", None)
    assert "太长" in found.message


def test_thousands_of_mistakes_take_no_minutes() -> None:
    data = "name: X\nstates: {}\ntransitions:\n" + "  - {action: A}\n" * 500
    began = time.process_time()
    assert len(check(data)) > 2000
    # Once every place read the YAML anew: 88 seconds.
    assert time.process_time() - began < 5


def test_lines_are_those_of_places_or_of_their_nearest_parent() -> None:
    data = "a: 1\nb:\n  c: 2\n  d: [x,\n      y]\n"
    places: list[tuple[str | int, ...]] = [(), ("a",), ("b", "d"), ("b", "d", 1), ("b", "d", 9), ("b", "e"), ("z",)]
    assert lines_of(data, places) == [1, 1, 4, 5, 4, 2, 1]
    assert lines_of("", places) == [None] * len(places)


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_a_definition_that_is_written_out_reads_back_as_the_same(path: Path) -> None:
    definition = parse_definition(path.read_bytes())
    assert definition_hash(parse_definition(written_out(definition))) == definition_hash(definition)


def _drop(value: Any, way: list[int], replacement: Any) -> Any:
    """The value with one part, found by numbers, replaced."""
    if not way or not isinstance(value, (dict, list)) or not value:
        return replacement
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[way[0] % len(keys)]
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[key] = _drop(value[key], way[1:], replacement)
    return copied


@given(
    st.sampled_from(SHIPPED),
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.sampled_from([None, "", "x", "draft", "sign_off", "undo", 3, [], {}, ["a", "a"], {"x": "y"}, True, "“x”；y"]),
)
@settings(max_examples=150, deadline=None)
def test_a_definition_with_one_part_replaced_is_checked_without_a_crash(name: str, way: list[int], part: Any) -> None:
    data = yaml.safe_dump(_drop(yaml.safe_load(source(name)), way, part), allow_unicode=True)
    found = check(data, prove=False)
    try:
        parse_definition(data)
    except InvalidInput:
        assert any(finding.severity == "error" for finding in found)
    assert all(finding.code in CODES for finding in found)
