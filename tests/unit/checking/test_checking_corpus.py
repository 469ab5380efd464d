"""The index of other texts finds what comparing everything with everything finds, and stays small."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from documents.checking.corpus import Corpus, Entry, department_key, plain_words
from models.content import Department

LETTERS = "图书农技水利道路维修检测巡查补助发放资料宣传"
words = st.text(alphabet=LETTERS, min_size=12, max_size=40)


@st.composite
def stems_and_changes(draw: st.DrawFn) -> list[str]:
    """Some texts, and near copies of them with a few characters changed, dropped or added."""
    made = draw(st.lists(words, min_size=1, max_size=6))
    for _ in range(draw(st.integers(0, 6))):
        text = draw(st.sampled_from(made))
        at = draw(st.integers(0, len(text) - 1))
        made.append(text[:at] + draw(st.sampled_from(["", "田", "田野"])) + text[at + draw(st.integers(0, 1)) :])
    return made


@settings(max_examples=300, deadline=None, database=None)
@given(texts=stems_and_changes(), similarity=st.sampled_from([80.0, 90.0, 95.0, 100.0]))
def test_the_index_finds_every_copy_that_a_full_comparison_finds(texts: list[str], similarity: float) -> None:
    entries = [Entry(str(at % 3), f"部门{at % 3}", f"指标{at}", text) for at, text in enumerate(texts)]
    corpus = Corpus(entries, similarity=similarity, length=12)
    for entry in entries:
        scores = [
            fuzz.ratio(entry.words, other.words)
            for other in entries
            if other.department != entry.department and len(other.words) >= 12
        ]
        best = max(scores, default=0.0)
        copy = corpus.copy_of(entry.words, entry.department) if len(entry.words) >= 12 else None
        if len(entry.words) >= 12 and best >= similarity:
            assert copy is not None
            assert fuzz.ratio(entry.words, copy.words) == best
            assert copy.department != entry.department
        else:
            assert copy is None


def test_the_copy_of_the_own_department_is_none() -> None:
    text = "邀请作家教师和农技人员开讲兼顾城里读者"
    corpus = Corpus([Entry("612", "甲", "讲座", text)], similarity=95, length=12)
    assert corpus.copy_of(text, "612") is None
    assert corpus.copy_of(text, "613") == Entry("612", "甲", "讲座", text)
    assert corpus.copy_of("读者满意度", "613") is None


def test_nearly_equal_texts_are_compared_with_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counted(*args: object, **kwargs: object) -> float:
        nonlocal compared
        compared += 1
        return 0.0  # nothing is ever alike, so that no search ends early

    monkeypatch.setattr("documents.checking.corpus.fuzz.ratio", counted)
    stem = LETTERS * 2
    entries = [Entry(str(at), "甲", "讲座", f"{stem}{chr(0x4E00 + at)}") for at in range(2_000)]
    corpus = Corpus(entries, similarity=95, length=12)
    for entry in entries:
        corpus.copy_of(entry.words, entry.department)
    assert compared <= 256 * len(entries)


@pytest.mark.parametrize(
    ("department", "key"),
    [
        (Department(name="图书馆", unit_code="612003"), "612"),
        (Department(name="图书馆", code="612"), "612"),
        (Department(name="图 书馆"), "图书馆"),
        (Department(name="图书馆", code="x1"), "图书馆"),
        (Department(), ""),
    ],
)
def test_a_department_is_known_by_its_code_first(department: Department, key: str) -> None:
    assert department_key(department) == key


def test_marks_and_blanks_do_not_hide_a_copy() -> None:
    assert plain_words("邀请作家、教师 和农技人员；", "开讲。") == "邀请作家教师和农技人员开讲"
