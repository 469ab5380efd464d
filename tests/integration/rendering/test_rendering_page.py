"""The page of GB/T 9704-2012, measured in the PDF."""

import io
from collections import Counter
from itertools import pairwise

import pdfplumber
import pytest
from rendering_stages import SENTENCE, opinions, stage, text

from documents.rendering import render_pdf

MM = 72 / 25.4


@pytest.fixture(scope="module")
def pages(one_project):
    with pdfplumber.open(io.BytesIO(one_project)) as document:
        yield document.pages


@pytest.fixture(scope="module")
def full_page():
    """A page that holds nothing but body text."""
    content = text(1, overall={"introduction": SENTENCE * 40}, sub_goals=[], safeguards=[])
    with pdfplumber.open(io.BytesIO(render_pdf(stage(content=content)))) as document:
        yield document.pages[3]


def body(page):
    return [char for char in page.chars if char["size"] == pytest.approx(16, abs=0.1)]


def baselines(chars):
    return sorted({round(char["y0"], 1) for char in chars}, reverse=True)


def test_the_paper_is_a4(pages):
    assert pages[0].width / MM == pytest.approx(210, abs=0.1)
    assert pages[0].height / MM == pytest.approx(297, abs=0.1)


def test_body_text_is_three_hao_between_the_margins(full_page):
    chars = body(full_page)
    assert len(chars) > 500
    assert min(char["x0"] for char in chars) / MM == pytest.approx(28, abs=0.3)
    # A mark at a line's end keeps only the half of its square that is inked.
    assert max(char["x1"] for char in chars if char["text"] not in "，。、：；”）") / MM <= 210 - 26 + 0.3
    assert min(char["top"] for char in chars) / MM == pytest.approx(37, abs=1.5)


def test_a_page_holds_22_lines_of_28_characters(full_page):
    chars = body(full_page)
    lines = baselines(chars)
    assert len(lines) == 22
    steps = [above - below for above, below in pairwise(lines)]
    assert steps == pytest.approx([225 / 22 * MM] * 21, abs=0.15)
    widths = Counter(round(char["y0"], 1) for char in chars)
    assert max(widths.values()) >= 28
    # Lines with punctuation are spread or narrowed by a little; most of the steps are the standard's.
    pitches = Counter(
        round(after["x0"] - before["x0"], 1)
        for before, after in pairwise(sorted(chars, key=lambda char: (-round(char["y0"], 1), char["x0"])))
    )
    assert pitches.most_common(1)[0][0] == pytest.approx(156 * MM / 28, abs=0.15)


def page_number(page):
    """Digits and dashes of the page number: four hao (14 pt), below the text area."""
    return [char for char in page.chars if char["size"] == pytest.approx(14, abs=0.1) and char["top"] > 262 * MM]


def test_page_numbers_stand_right_on_odd_and_left_on_even_pages(pages):
    assert page_number(pages[0]) == []
    for number, page in enumerate(pages[1:], start=1):
        chars = page_number(page)
        assert "".join(char["text"] for char in chars).replace(" ", "") == f"—{number}—"
        if number % 2:
            assert max(char["x1"] for char in chars) / MM == pytest.approx(210 - 26 - 14 / MM, abs=1)
        else:
            assert min(char["x0"] for char in chars) / MM == pytest.approx(28 + 14 / MM, abs=0.5)


def test_the_dash_of_the_page_number_is_7_mm_below_the_text_area(pages):
    dash = page_number(pages[1])[0]
    image = pages[1].crop((dash["x0"], dash["top"], dash["x1"], dash["bottom"])).to_image(resolution=288).original
    grey = image.convert("L")
    dark = [y for y in range(grey.height) if grey.crop((0, y, grey.width, y + 1)).getextrema()[0] < 128]
    middle = dash["top"] + (dark[0] + dark[-1]) / 2 / 4
    assert middle / MM == pytest.approx(37 + 225 + 7, abs=0.7)


def test_nothing_runs_over_the_edges(forty_projects):
    with pdfplumber.open(io.BytesIO(forty_projects)) as document:
        for page in document.pages:
            for char in page.chars:
                assert char["x0"] >= 28 * MM - 1
                assert char["x1"] <= (210 - 26) * MM + 9  # a mark at a line's end may hang by half a character
                assert char["bottom"] <= (37 + 225 + 12) * MM
            page.close()


@pytest.mark.parametrize("document", ["approval", "draft", "publication", "return", "review", "submission"])
def test_no_page_is_blank(document):
    made = render_pdf(stage(document, opinions=opinions(text())))
    with pdfplumber.open(io.BytesIO(made)) as opened:
        for page in opened.pages:
            assert [char for char in page.chars if char["top"] < 262 * MM]


def test_the_contents_give_the_pages_of_the_headings(pages):
    lines = pages[1].extract_text().splitlines()
    entry = next(line for line in lines if "绩效目标表" in line)
    number = int(entry.rsplit(" ", 1)[-1].strip(". "))
    assert "科普经费绩效目标表" in pages[number].extract_text().replace(" ", "")


def test_version_and_hash_stand_in_the_footer_and_the_whole_hash_on_the_cover(pages):
    made = stage()
    assert made.content_hash in pages[0].extract_text()
    for page in pages[1:]:
        assert f"内容哈希 {made.content_hash[:16]}" in page.extract_text()


def test_the_watermark_is_drawn_and_is_not_in_the_text(pages, full_page):
    assert "草案" not in full_page.extract_text()
    assert len(full_page.curves) > 5
    clean = render_pdf(stage("publication"))
    with pdfplumber.open(io.BytesIO(clean)) as document:
        assert not any(page.curves for page in document.pages)


def test_a_title_is_two_hao_and_centred(pages):
    title = [char for char in pages[2].chars if char["size"] == pytest.approx(22, abs=0.1)]
    left, right = min(char["x0"] for char in title), max(char["x1"] for char in title)
    assert (left + right) / 2 / MM == pytest.approx(28 + 78, abs=1)


def test_a_long_title_leaves_no_single_character_on_its_last_line():
    made = render_pdf(stage("return", opinions=opinions(text())))
    with pdfplumber.open(io.BytesIO(made)) as document:
        title = [char for char in document.pages[0].chars if char["size"] == pytest.approx(22, abs=0.1)]
        counts = Counter(round(char["top"]) for char in title)
    assert len(counts) > 1
    assert min(counts.values()) > 5


def test_the_two_tables_of_a_project_are_one_form_below_the_title_of_its_part(pages):
    page = next(page for page in pages if "项目编码" in page.extract_text())
    assert "第二部分" in page.extract_text()
    form, *others = page.extract_tables()
    assert not others
    firsts = [row[0] for row in form if row[0]]
    assert firsts[0] == "项目编码"
    assert "一级指标" in firsts


@pytest.mark.parametrize("lines", range(8))
def test_a_signature_never_stands_alone_on_a_page(lines):
    made = render_pdf(stage("return", opinions=opinions(text()), reason="\n".join(["请按要求修改。"] * lines)))
    with pdfplumber.open(io.BytesIO(made)) as document:
        signed = next(page.extract_text() for page in document.pages if "此处盖章" in page.extract_text())
    assert "逐条填写答复" in signed
    assert "2021年3月5日" in signed
