import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from rendering_stages import opinions, project, stage, text

from documents.rendering import document_names, render_html
from documents.rendering.stage import Score, ScoreSheet
from documents.rendering.words import UnknownName, environment, template_source, words
from models.content import from_json
from models.errors import InvalidInput, NotFound

MARKUP = "#let $x$ <script>alert(1)</script> {{ 7*7 }} `a` *b* _c_ &amp; ]]> {% if %} \"q\" 'r'"
DOCUMENTS = ["approval", "archive", "draft", "processing", "publication", "return", "review", "submission"]


def body_text(stage):
    return "".join(ElementTree.fromstring(f"<article>{words(stage).body}</article>").itertext())


def test_there_is_a_document_for_each_stage():
    assert list(document_names()) == DOCUMENTS


def test_an_unknown_document_is_refused_with_the_names():
    with pytest.raises(NotFound, match="approval、archive") as caught:
        render_html(stage("../draft"))
    assert caught.value.facts["available"] == DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_markup_in_data_stays_literal(document):
    content = text(1, projects=[project(name=MARKUP)], title=MARKUP)
    made = stage(document, content, opinions=opinions(content), reason=MARKUP, conclusion=MARKUP, department=MARKUP)
    page = render_html(made).decode()
    assert "<script" not in page
    assert "49" not in body_text(made).replace(made.content_hash, "")
    assert MARKUP in body_text(made)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_takes_an_empty_text(document):
    empty = from_json({"fiscal_year": 2021, "projects": [{"id": "p1"}]})
    page = render_html(stage(document, empty, department="", finance="", steps=())).decode()
    assert "None" not in page
    assert "Undefined" not in page


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        self.links += [values["href"]] if "href" in values else []
        self.ids += [values["id"]] if "id" in values else []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_page_stands_alone(document):
    page = render_html(stage(document, opinions=opinions(text()))).decode()
    outline = Outline()
    outline.feed(page)
    assert ("html", {"lang": "zh-CN"}) in outline.tags
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in outline.tags}
    assert not re.search(r"https?:|url\(|@import|src=", page)
    assert {link[1:] for link in outline.links} <= set(outline.ids)
    assert all("scope" in values for tag, values in outline.tags if tag == "th")
    assert "@media print {" in page


def test_the_letter_of_submission_says_number_money_and_date():
    letter = body_text(stage("submission", document_number="清科协〔2021〕3号"))
    for expected in (
        "清科协〔2021〕3号",
        "清河县财政局：",
        "53,001.00元（5.3001万元）",
        "2021年3月5日",
        "（此处盖章）",
    ):
        assert expected in letter
    assert "预算项目1个" in letter


def test_a_letter_without_number_leaves_the_slot_open():
    assert "〔2021〕\u3000\u3000号" in body_text(stage("approval"))


def test_the_resubmission_carries_the_answers():
    first = body_text(stage("submission", opinions=opinions(text())))
    second = body_text(stage("submission", opinions=opinions(text()), round=2))
    assert "审核意见答复表" not in first
    assert "审核意见答复表" in second
    assert "第2次报送" in second


def test_the_approval_names_duties_and_copies():
    letter = body_text(stage("approval", copies_to=("县审计局", "县人大财经委")))
    for expected in ("抓好执行", "做好监控", "开展自评", "抄送：县审计局，县人大财经委。", "53,001.00元"):
        assert expected in letter


def test_the_return_notice_has_round_deadline_and_each_opinion():
    found = opinions(text())
    notice = body_text(stage("return", opinions=found, round=2, due_on=date(2021, 4, 1), reason="指标无法考核。"))
    for expected in ("第2次退回", "2021年4月1日", "必改1条、建议2条、疑问1条", "指标无法考核。", "答复", "F002"):
        assert expected in notice
    assert all(opinion.problem in notice and opinion.place_title in notice for opinion in found)


def test_a_return_without_opinions_has_no_empty_table():
    notice = body_text(stage("return", reason="请补充材料。", due_on=date(2021, 4, 1)))
    assert "请于2021年4月1日前将修订稿报送我单位。" in notice
    assert "附件" not in notice
    assert "答复" not in notice


def test_the_review_form_marks_its_conclusion():
    form = body_text(stage("review", opinions=opinions(text()), conclusion="退回"))
    assert "■退回" in form
    assert "□通过" in form
    assert "2021年3月2日 01:30" in form


def sheet(subject: str, title: str, level: str, score: str, note: str = "") -> ScoreSheet:
    items = (Score("完整性", "规范完整", "10", score, note), Score("可行性", "条件充分", "10", score))
    return ScoreSheet(subject, title, level, "周立", items, "18", "优", "通过", datetime(2021, 3, 4, 2, tzinfo=UTC))


def test_the_review_form_has_the_scores_of_each_level_beside_the_items():
    project_id = text().projects[0].id
    sheets = (
        sheet("", "部门整体绩效目标", "初审", "9", "格式完整"),
        sheet("", "部门整体绩效目标", "复审", "8.5"),
        sheet(project_id, "项目“科普经费”", "初审", "7"),
    )
    form = body_text(stage("review", sheets=sheets))
    for expected in (
        "9／8.5",
        "初审／复审",
        "规范完整（10分）",
        "格式完整（初审，周立）",
        "项目“科普经费”：初审 18分（优）",
    ):
        assert expected in form
    assert "（10分）" not in body_text(stage("review"))


def test_a_revision_is_called_so_on_cover_and_watermark():
    made = words(stage("draft", status="修订稿"))
    assert "（修订稿）" in made.body
    assert made.watermark == "修订稿"
    assert "草案" not in made.body
    assert words(stage("draft", status="送审稿")).watermark == ""


def test_line_breaks_in_data_become_paragraphs_and_lines():
    content = text(1, projects=[project(purpose="第一行\n第二行")])
    assert "第一行<br/>第二行" in words(stage(content=content)).body


def test_a_character_that_xml_can_not_hold_is_named_with_its_place():
    content = text(1, projects=[project(purpose="坏\x01字")])
    with pytest.raises(InvalidInput, match="项目“科普经费” 资金用途中的字符U\\+0001") as caught:
        render_html(stage(content=content))
    assert caught.value.facts["place"] == "/projects/0/purpose"


def test_half_a_surrogate_pair_is_refused_and_not_a_crash():
    with pytest.raises(InvalidInput, match="U\\+D800"):
        render_html(stage("approval", conclusion="坏\ud800字"))


def test_a_template_with_an_unknown_name_is_refused_when_loaded():
    sandbox = environment({"t": "{% if false %}{{ nobody }}{% endif %}"}.get)
    with pytest.raises(UnknownName, match="nobody"):
        sandbox.get_template("t")


def test_an_unknown_member_is_an_error_and_not_a_blank():
    with pytest.raises(UndefinedError):
        environment({"t": "{{ stage.nothing_of_that_name }}"}.get).get_template("t").render(stage=stage())


def test_templates_run_in_a_sandbox():
    with pytest.raises(SecurityError):
        environment({"t": "{{ stage.__class__.__mro__[1].__subclasses__() }}"}.get).get_template("t").render(
            stage=stage()
        )
    with pytest.raises((SecurityError, TemplateSyntaxError)):
        environment({"t": "{{ content.append(1) }}"}.get).get_template("t").render(content=[])


def test_templates_outside_the_package_data_are_not_found():
    assert template_source("nowhere/words.xhtml.j2") is None
    assert template_source("draft") is None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_body_is_well_formed_and_uses_the_known_classes(document):
    known = {
        "annex", "annexes", "addressee", "caption", "contents", "contents-title", "copies", "cover", "cover-bodies",
        "cover-department", "cover-status", "cover-title", "document-number", "form", "imprint", "indicators", "letter",
        "code", "middle", "number", "opinions", "part", "project", "review", "seal", "signature",
    }  # fmt: skip
    made = words(stage(document, opinions=opinions(text()), copies_to=("县审计局",)))
    root = ElementTree.fromstring(f"<article>{made.body}</article>")
    used = {name for element in root.iter() for name in element.get("class", "").split()}
    assert used <= known
    for group in root.iter("colgroup"):
        width = sum(float(col.get("style").removeprefix("width:").removesuffix("mm")) for col in group)
        assert width == pytest.approx(156)
