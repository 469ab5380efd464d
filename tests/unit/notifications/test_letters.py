from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput
from notifications.channels.mail import check_address
from notifications.kinds import CHOSEN, MANDATORY, Kind, Mode, mode_for, require_choice
from notifications.letters import Item, Letter, chief, from_body, merged, one_line, push_lines, to_body
from notifications.templates import PARTS, TemplateFailedError, environment, lint, write_letter

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOSTILE = "某局\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>\u202e\x00{{ 7*7 }}"


def letter(*items, folder=None, **given):
    values = {"letter_id": "d1", "made_at": NOW, "link": lambda text: f"https://x.example/{text}", **given}
    return write_letter(environment(folder), items=items, **values)


@settings(deadline=None)
@given(st.text())
def test_a_subject_is_one_line_that_everybody_sees(words):
    said = one_line(words)
    assert "\n" not in said
    assert "\r" not in said
    assert len(said) <= 120
    assert all(mark.isprintable() for mark in said)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Item, st.sampled_from(list(Kind)), st.text(max_size=9), st.text(max_size=9), due=st.text(max_size=9),
            step=st.integers(0, 99),
        ),
        min_size=1,
    )
)  # fmt: skip
def test_items_are_stored_and_read_back(items):
    assert from_body(to_body(items)) == tuple(items)
    assert chief(items) in {item.kind for item in items}
    assert {item.kind for item in merged(items)} <= {item.kind for item in items}


def test_members_of_a_later_version_are_passed_over():
    assert from_body(orjson.dumps([{"kind": "task", "text": "t", "later": 1}]).decode()) == (Item(Kind.TASK, "t"),)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words_in_which_a_hostile_title_is_harmless(kind):
    item = Item(kind, text="t1", title=HOSTILE, state=HOSTILE, due="2026-03-09", left=HOSTILE, remark=HOSTILE)
    items = [item, item] if kind in (Kind.SEVERAL, Kind.DIGEST) else [item]
    made = letter(*items, kind=kind if kind in (Kind.SEVERAL, Kind.DIGEST) else None)
    assert "\n" not in made.subject
    assert "<script>" not in made.html
    assert "{{ 7*7 }}" in made.subject or "49" not in made.subject
    assert made.text.strip()


def test_shipped_templates_have_no_problems():
    assert lint() == []


def test_a_letter_of_several_items_says_each_of_them():
    made = letter(Item(Kind.TASK, "t1", "甲"), Item(Kind.COPIED, "t1", "甲"))
    assert made.kind is Kind.TASK
    assert made.subject == "待办等 2 项：甲"
    assert "[抄送] 甲" in made.text


def test_robots_say_number_title_state_and_link_and_nothing_else():
    item = Item(Kind.RETURN, "t1", "甲", "退回修改", due="2026-03-09", left="x", remark="不该说的话")
    made = Letter("d1", Kind.RETURN, (item,), "s", "全文", "h", NOW, "someone@example.org")
    assert push_lines(made, lambda text: f"https://x.example/{text}") == [
        "【退回】甲（退回修改）",
        "编号 t1，期限 2026-03-09",
        "https://x.example/t1",
    ]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "task").mkdir()
    return tmp_path


def put(folder, part, words):
    (folder / "task" / part).write_text(words, encoding="utf-8")
    environment.cache_clear()


def test_ones_own_template_goes_before_the_shipped_one(folder):
    put(folder, "subject.txt", "请办：{{ title }}\n")
    assert letter(Item(Kind.TASK, "t1", "甲"), folder=folder).subject == "请办：甲"


@pytest.mark.parametrize(
    ("part", "words", "found"),
    [
        ("subject.txt", "{{ nobody }}", "没有变量“nobody”"),
        ("subject.txt", "一\n二", "只能有一行"),
        ("body.txt", "{% if %}", "语法"),
        ("body.txt", "{% include '/etc/passwd' %}", "只能继承"),
        ("body.txt", "{% extends title %}", "只能继承"),
        ("body.html", "{{ title | safe }}", "safe"),
        ("body.html", "<img src='https://x.example/a.png'>", "外部资源"),
    ],
)
def test_lint_says_what_is_wrong_with_a_template(folder, part, words, found):
    put(folder, part, words)
    assert any(found in problem.message and problem.file == f"task/{part}" for problem in lint(folder))


def test_lint_says_which_files_are_never_used(folder):
    put(folder, "body.text", "x")
    assert [problem.file for problem in lint(folder)] == ["task/body.text"]


@pytest.mark.parametrize(
    "words",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ items.append(1) }}",
        "{{ nobody }}",
        "{{ title() }}",
        "{% for a in items * 10000 %}{% for b in items * 10000 %}xxxxxxxxxx{% endfor %}{% endfor %}",
        "{{ 'x' * 10 ** 6 }}",
        "{% include 'nothing/at/all' %}",
    ],
)
def test_a_template_that_fails_or_breaks_out_gives_our_error(folder, words):
    put(folder, "body.txt", words)
    with pytest.raises(TemplateFailedError, match=r"task/body\.txt"):
        letter(Item(Kind.TASK, "t1", "甲"), folder=folder)


def test_every_kind_has_every_part():
    from notifications import templates

    shipped = templates._SHIPPED
    assert {(path.parent.name, path.name) for path in shipped.glob("*/*") if path.parent.name != "layout"} == {
        (str(kind), part) for kind in Kind for part in PARTS
    }


@pytest.mark.parametrize("kind", CHOSEN)
@pytest.mark.parametrize("mode", Mode)
def test_what_must_not_be_switched_off_never_is(kind, mode):
    assert mode_for(kind, {kind: mode}) is (Mode.AT_ONCE if mode is Mode.OFF and kind in MANDATORY else mode)
    if kind in MANDATORY and mode is Mode.OFF:
        with pytest.raises(InvalidInput):
            require_choice(kind, mode)
    else:
        assert require_choice(kind, mode) == (kind, mode)


@pytest.mark.parametrize("wrong", [("digest", "off"), ("task", "never"), ("", ""), ("channel", "off")])
def test_other_choices_are_refused(wrong):
    with pytest.raises(InvalidInput):
        require_choice(*wrong)


@pytest.mark.parametrize(
    "address",
    [
        "", "a", "a@b", "a@b.c\r\nBcc: x@y.org", "a@b.cn\n", "a b@c.cn", "a@@b.cn", "<a@b.cn>", "a@b.cn,c@d.cn", "a..b@c.cn",
        ".a@b.cn", "某人@例子.cn", f"{'a' * 65}@b.cn", f"a@{'b' * 250}.cn", "a@-b.cn", "a@b.cn\x00",
    ],
)  # fmt: skip
def test_addresses_that_could_be_more_than_an_address_are_refused(address):
    with pytest.raises(InvalidInput):
        check_address(address)


@pytest.mark.parametrize("address", ["a@b.cn", "zhao.min+jixiao@sub.example.gov.cn", "x_1@e-x.org"])
def test_usual_addresses_are_taken(address):
    assert check_address(address) == address
