from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.comparing import Mark, Piece, paired_paragraphs, pieces
from documents.comparing.wording import aligned, side, words

few = settings(max_examples=150, deadline=None)
texts = st.text(st.sampled_from("农村读者活动一二012.%，。；\n万元 A"), max_size=60) | st.text(max_size=20)


def marked(before: str, after: str) -> str:
    """The pieces as a terminal shows them."""
    around = {Mark.SAME: "{}", Mark.REMOVED: "[-{}-]", Mark.ADDED: "{{+{}+}}"}
    return "".join(around[piece.mark].format(piece.text) for piece in pieces(before, after))


def test_a_mark_that_parts_a_sentence_is_all_that_changed() -> None:
    before, after = (
        "用于阅读活动的场地、讲师和图书支出，重点办好读书日集市。",
        "用于阅读活动的场地、讲师和图书支出；重点办好读书日集市。",
    )
    assert [piece for piece in pieces(before, after) if piece.mark is not Mark.SAME] == [
        Piece(Mark.REMOVED, "，"),
        Piece(Mark.ADDED, "；"),
    ]


@few
@given(texts, texts)
def test_pieces_hold_both_texts_and_nothing_else(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(piece.text for piece in side(found, Mark.REMOVED)) == before
    assert "".join(piece.text for piece in side(found, Mark.ADDED)) == after
    assert all(piece.text for piece in found)
    assert all(first.mark != second.mark for first, second in pairwise(found))


@few
@given(texts, texts)
def test_paragraphs_hold_both_texts_without_their_line_breaks(before: str, after: str) -> None:
    found = [piece for paragraph in paired_paragraphs(before, after) for piece in paragraph]
    for text, mark in ((before, Mark.REMOVED), (after, Mark.ADDED)):
        assert "".join(piece.text for piece in side(found, mark)) == text.replace("\n", "")


@few
@given(texts)
def test_words_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text
    assert {piece.mark for piece in pieces(text, text)} <= {Mark.SAME}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("预算53100.00元", ["预", "算", "53100.00元"]),
        ("53,100.00 万元", ["53,100.00 万元"]),
        ("达到95%以上", ["达", "到", "95%", "以", "上"]),
        ("达到９５％", ["达", "到", "９５％"]),
        ("提高3个百分点", ["提", "高", "3个百分点"]),
        ("12人次、8场", ["12人次", "、", "8场"]),
        ("2021年3月底", ["2021年", "3月底"]),
        ("13030621G5NX247OTT0DE", ["13030621G5NX247OTT0DE"]),
        ("用A4纸", ["用", "A4", "纸"]),
        ("≥95", ["≥", "95"]),
    ],
)
def test_a_figure_with_its_unit_is_one_word(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("53100.00", "54100.00", "[-53100.00-]{+54100.00+}"),
        ("合格率达到95%", "合格率达到90%", "合格率达到[-95%-]{+90%+}"),
        ("培训 12期，500人", "培训 12期，600人", "培训 12期，[-500人-]{+600人+}"),
        ("", "新的", "{+新的+}"),
        ("旧的", "", "[-旧的-]"),
    ],
)
def test_a_changed_figure_is_one_change(before: str, after: str, shown: str) -> None:
    assert marked(before, after) == shown


def test_scraps_between_changes_are_joined_to_them() -> None:
    # Without joining, the chance 的 in the middle would leave four changes where people see one.
    assert marked("由分管的领导负责检查", "由值班的同志负责检查") == "由[-分管的领导-]{+值班的同志+}负责检查"


def test_figures_between_changes_stay() -> None:
    assert marked("举办8场讲座后", "开展8场培训后") == "[-举办-]{+开展+}8场[-讲座-]{+培训+}后"


def test_an_inserted_sentence_leaves_its_neighbours_alone() -> None:
    before = "先审后支。结余资金按规定交回。"
    assert (
        marked(before, "先审后支。大额采购公开比价。结余资金按规定交回。")
        == "先审后支。{+大额采购公开比价。+}结余资金按规定交回。"
    )


def test_paragraphs_are_aligned_before_words() -> None:
    before = "总馆每周开放六十小时。\n图书破损的及时修补。\n读者反映的问题三日内答复。"
    after = "新设一段说明宗旨。\n总馆每周开放七十小时。\n图书破损的及时修补。"
    found = paired_paragraphs(before, after)
    assert [{piece.mark for piece in paragraph} for paragraph in found] == [
        {Mark.ADDED},
        {Mark.SAME, Mark.REMOVED, Mark.ADDED},
        {Mark.SAME},
        {Mark.REMOVED},
    ]


def test_a_rewritten_paragraph_is_not_torn_to_pieces() -> None:
    assert marked("购书、活动和车辆费用分账核算", "每季度向职工大会通报一次") == (
        "[-购书、活动和车辆费用分账核算-]{+每季度向职工大会通报一次+}"
    )


def test_sentences_are_aligned_before_words() -> None:
    # By words alone the first 定期检查 could be kept and the second taken out, through two sentences.
    assert marked("定期检查书库。定期检查电路。", "定期检查电路。") == "[-定期检查书库。-]定期检查电路。"


def test_paragraphs_that_have_nothing_in_common_stand_apart() -> None:
    found = paired_paragraphs("购书、活动和车辆费用分账核算。", "每季度向职工大会通报一次。")
    assert [[piece.mark for piece in paragraph] for paragraph in found] == [[Mark.REMOVED], [Mark.ADDED]]


def test_blank_lines_make_no_paragraphs() -> None:
    assert [len(paragraph) for paragraph in paired_paragraphs("甲\n\n乙", "甲\n\n乙")] == [1, 1]


def test_units_of_a_gap_keep_their_order_and_lose_nothing() -> None:
    before, after = [f"第{n}段甲" for n in range(80)], [f"第{n}段乙" for n in range(70)]
    found = list(aligned(before, after))
    assert [old for old, _ in found if old] == before
    assert [new for _, new in found if new] == after
