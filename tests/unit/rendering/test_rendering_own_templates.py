"""An office's own templates in front of the program's: what takes part, what is refused, and that a page reads no file."""

import io
import zipfile
from pathlib import Path

import docx
import pdfplumber
import pytest
from rendering_stages import project, stage, text

from documents.rendering import document_names, render_html, render_pdf
from documents.rendering.linting import lint_templates, require_sound, static_problems
from documents.rendering.template_set import SHIPPED, BrokenTemplate, TemplateSet, read_templates, shipped_files
from documents.rendering.template_version import templates_sha256
from documents.rendering.typesetting import PAGE
from documents.rendering.word import render_docx
from models.errors import InvalidInput

OWN = """{% import "_base/letter.xhtml.j2" as letter with context %}
{% set title = "我县自己的批复" %}
<section class="letter">
{{ letter.letterhead(title, department) }}
<p>同意《{{ text_title }}》，共{{ content.projects | length }}个项目。</p>
{{ letter.closing(finance) }}
</section>
"""


def own(**files):
    """A set of own templates; ``__`` in a name stands for the folder's border, ``_j2`` for the ending."""
    named = {}
    for name, data in files.items():
        folder, _, file = name.rpartition("__")
        path = f"{folder}/{file.replace('_dot_', '.')}"
        named[path] = data if isinstance(data, bytes) else data.encode()
    return TemplateSet(tuple(sorted(named.items())))


def approval(words=OWN):
    return own(approval__words_dot_xhtml_dot_j2=words)


def page(source):
    return TemplateSet(((PAGE, source.encode()),))


def shipped_page():
    return SHIPPED.data(PAGE).decode()


def pdf_text(data):
    with pdfplumber.open(io.BytesIO(data)) as document:
        return "".join(page.extract_text() for page in document.pages)


def word_page(*paragraphs):
    made = docx.Document()
    for words in paragraphs:
        made.add_paragraph(words)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def word_set(*paragraphs, document="approval"):
    return TemplateSet(((f"{document}/page.docx", word_page(*paragraphs)),))


def word_text(data):
    return "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs)


def test_own_words_are_taken_in_every_format():
    made = stage("approval")
    assert "我县自己的批复" in render_html(made, templates=approval()).decode()
    assert "我县自己的批复" in pdf_text(render_pdf(made, templates=approval()))
    assert "我县自己的批复" in word_text(render_docx(made, templates=approval()))
    assert "我县自己的批复" not in render_html(made).decode()


def test_own_words_of_one_document_leave_the_others_alone():
    made = stage("return", reason="请补充。")
    assert render_html(made, templates=approval()) == render_html(made)
    assert render_pdf(made, templates=approval()) == render_pdf(made)


def test_the_version_covers_own_files_of_the_document_and_shared_ones():
    assert templates_sha256("approval", approval()) != templates_sha256("approval")
    assert templates_sha256("return", approval()) == templates_sha256("return")
    assert templates_sha256("approval", approval(f"{OWN} ")) != templates_sha256("approval", approval())
    assert templates_sha256("return", page(f"{shipped_page()}\n")) != templates_sha256("return")
    assert templates_sha256("approval", word_set("x")) != templates_sha256("approval")


def test_the_programs_own_templates_pass_as_somebodys_own():
    files = [item for folder in ("_base", *document_names()) for item in shipped_files(folder)]
    copied = TemplateSet(tuple(sorted(files)))
    assert static_problems(copied) == ()
    assert render_pdf(stage("approval"), templates=copied) == render_pdf(stage("approval"))
    assert templates_sha256("approval", copied) == templates_sha256("approval")


def test_the_programs_own_templates_take_the_made_up_stages():
    assert lint_templates() == []


def test_a_folder_is_read_without_letters_locks_and_hidden_files(tmp_path: Path):
    for name in (
        "approval/words.xhtml.j2",
        "task/subject.txt",
        "return/body.html",
        "approval/~$page.docx",
        "_base/.page.typ.swp",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert [name for name, _ in read_templates(tmp_path).own] == ["approval/words.xhtml.j2"]
    assert read_templates(None) is SHIPPED


def test_a_missing_folder_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="没有模板文件夹"):
        read_templates(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("words", "line", "message"),
    [
        (f"{OWN}\n{{{{ nobody }}}}", 9, "没有“nobody”这个名称"),
        (f"{OWN}\n{{% if false %}}{{{{ nobody }}}}{{% endif %}}", 9, "没有“nobody”这个名称"),
        (OWN.replace("{% set", "{% sett"), 2, "模板语法有误"),
        (f"{OWN}{{{{ title | shout }}}}", 8, "模板语法有误"),
        (f"{OWN}{{{{ stage.reason | safe }}}}", 8, "不能用 safe"),
        (f"{OWN}{{% autoescape false %}}{{{{ stage.reason }}}}{{% endautoescape %}}", 8, "不能用 safe"),
        (f'{OWN}{{% include "return/words.xhtml.j2" %}}', 8, "只能引用"),
        (f'{OWN}{{% include "../" ~ stage.reason %}}', 8, "只能引用"),
        (f'{OWN}<img src="x"/>', 8, "不能写“src=”"),
        (f"{OWN}<script>1</script>", 8, "不能写“<script”"),
    ],
)
def test_what_can_be_seen_without_running_is_told_with_its_line(words, line, message):
    (problem,) = static_problems(approval(words))
    assert (problem.file, problem.line) == ("approval/words.xhtml.j2", line)
    assert message in problem.message
    with pytest.raises(BrokenTemplate, match=r"approval/words\.xhtml\.j2"):
        require_sound(approval(words))


@pytest.mark.parametrize(
    ("words", "line", "message"),
    [
        (f"{OWN}{{{{ stage.nothing }}}}", 8, "没有“nothing”这个名称"),
        (f"{OWN}{{{{ 1 // 0 }}}}", 8, "ZeroDivisionError"),
        (f"{OWN}{{{{ stage.__class__.__mro__ }}}}", 8, "沙箱不允许"),
        (OWN.replace('{% set title = "我县自己的批复" %}', "").replace("title,", '"x",'), 0, "没有设置标题"),
        (f"{OWN}<p>", 0, "不是完整的 XML"),
        (f'{OWN}{{% include "approval/gone.j2" %}}', 8, "没有模板“approval/gone.j2”"),
    ],
)
def test_what_only_running_shows_is_told_with_its_line_and_nothing_is_made(words, line, message):
    templates = approval(words)
    assert static_problems(templates) == ()
    for render in (render_html, render_pdf, render_docx):
        with pytest.raises(BrokenTemplate, match="jixiao document lint") as caught:
            render(stage("approval"), templates=templates)
        (told,) = caught.value.facts["problems"]
        assert (told["file"], told["line"]) == ("approval/words.xhtml.j2", line)
        assert message in told["message"]
    assert [item.message for item in lint_templates(templates)].count(told["message"]) == 1


def test_a_fault_that_only_an_empty_text_shows_is_found():
    words = OWN.replace("共{{", "{{ content.projects[0].indicators[0].name }}共{{")
    assert render_html(stage("approval"), templates=approval(words))
    assert any(item.file == "approval/words.xhtml.j2" and item.line == 5 for item in lint_templates(approval(words)))


def test_a_file_that_nothing_takes_is_pointed_out_and_hinders_nothing():
    templates = own(aproval__words_dot_xhtml_dot_j2=OWN, approval__word_dot_xhtml=OWN, comparison__page_dot_css="x")
    assert {item.file for item in lint_templates(templates)} == {name for name, _ in templates.own}
    require_sound(templates)


def test_words_in_another_encoding_are_refused():
    (problem,) = static_problems(own(approval__words_dot_xhtml_dot_j2=OWN.encode("gbk")))
    assert "UTF-8" in problem.message


def test_a_style_sheet_that_leads_outside_is_refused():
    (problem,) = static_problems(own(_base__page_dot_css='body {}\n@import "https://example.org/x.css";'))
    assert (problem.file, problem.line) == ("_base/page.css", 2)


def test_an_own_page_is_set():
    lower = shipped_page().replace("top: 37mm", "top: 57mm")
    tops = []
    for templates in (SHIPPED, page(lower)):
        with pdfplumber.open(io.BytesIO(render_pdf(stage("approval"), templates=templates))) as document:
            tops.append(min(word["top"] for word in document.pages[0].extract_words()))
    assert tops[1] - tops[0] == pytest.approx(20 * 72 / 25.4, abs=0.1)
    assert static_problems(page(lower)) == ()


@pytest.mark.parametrize(
    "wanted", ['read("/etc/passwd")', 'read("../../../../etc/passwd")', 'read("pyproject.toml")', 'image("/etc/hosts")']
)
def test_an_own_page_reads_no_file_of_the_machine(wanted):
    # The last resort below the check of words: the root of the page is an empty folder, wherever the program was started.
    assert Path("pyproject.toml").exists()
    with pytest.raises(BrokenTemplate, match="页面模板不能读取文件"):
        render_pdf(stage("approval"), templates=page(f"{shipped_page()}\n#{wanted}"))


@pytest.mark.parametrize(
    "wanted",
    [
        'import "@preview/cetz:0.3.0"',
        'import ("@pre" + "view/cetz:0.3.0")',
        'include "@preview/cetz:0.3.0"',
        'eval("1")',
        'dictionary(std).at("ev" + "al")("1")',
        'plugin(bytes("x"))',
    ],
)
def test_an_own_page_loads_no_package_and_runs_no_other_code(wanted):
    source = page(f"{shipped_page()}#{wanted}")
    with pytest.raises(BrokenTemplate, match="不能用") as caught:
        render_pdf(stage("approval"), templates=source)
    with pytest.raises(BrokenTemplate):
        render_docx(stage("draft"), templates=source)
    assert caught.value.facts["problems"][0]["line"] == shipped_page().count("\n") + 1
    with pytest.raises(BrokenTemplate):
        require_sound(source)


def test_a_broken_page_is_told_with_its_line():
    with pytest.raises(BrokenTemplate, match=r"page\.typ 第 2 行：排版失败"):
        render_pdf(stage("approval"), templates=page("\n#nobody"))
    assert any(item.line == 2 for item in lint_templates(page("\n#nobody")))


def test_a_word_template_is_filled_in_byte_for_byte_the_same():
    templates = word_set(
        "{{ text_title }}",
        "{%p for project in content.projects %}",
        "{{ project.name }} {{ project.budget.total | grouped }}",
        "{%p endfor %}",
        "{{ stage.issued_on | chinese_date }}",
    )
    made = stage("approval", text(2))
    data = render_docx(made, templates=templates)
    assert data == render_docx(made, templates=templates)
    assert word_text(data).split("\n") == [
        "2021年部门预算绩效文本",
        "科普经费 53,001.00元",
        "乡村科技服务经费第2批 53,002.00元",
        "2021年3月5日",
    ]
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        assert {item.date_time for item in container.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert container.testzip() is None
    # Other documents, and other formats of this one, are those of the program.
    assert render_docx(stage("return"), templates=templates) == render_docx(stage("return"))
    assert render_pdf(made, templates=templates) == render_pdf(made)


MARKUP = '<w:br/> & {{ 7*7 }} {% x %} "q"'


def test_markup_in_data_stays_literal_in_a_word_template():
    content = text(1, projects=[project(name=MARKUP)])
    data = render_docx(stage("approval", content), templates=word_set("{{ content.projects[0].name }}"))
    assert word_text(data) == MARKUP


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{{ nobody }}", "没有“nobody”这个名称"),
        ("{{ stage.nothing }}", "没有“nothing”这个名称"),
        ("{{ stage.__class__.__mro__ }}", "沙箱不允许"),
        ("标题 {% if stage %}", "模板语法有误"),
        ("{% include 'x' %}", "没有模板“x”"),
    ],
)
def test_a_broken_word_template_is_a_clear_error(words, message):
    with pytest.raises(BrokenTemplate, match=r"approval/page\.docx") as caught:
        render_docx(stage("approval"), templates=word_set(words))
    assert message in caught.value.message
    assert any(message in item.message for item in lint_templates(word_set(words)))


def test_a_word_template_that_is_no_word_file_is_a_clear_error():
    for data in (b"", b"no zip", word_page()[:300]):
        with pytest.raises(BrokenTemplate, match="不是 Word 文件"):
            render_docx(stage("approval"), templates=TemplateSet((("approval/page.docx", data),)))


def test_a_character_that_no_file_can_hold_is_named_for_a_word_template_too():
    content = text(1, projects=[project(purpose="坏\x01字")])
    with pytest.raises(InvalidInput, match="U\\+0001"):
        render_docx(stage("approval", content), templates=word_set("{{ content.projects[0].purpose }}"))


def test_without_docxtpl_a_word_template_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "docxtpl", None)
    with pytest.raises(Exception, match=r"jixiao\[word\]"):
        render_docx(stage("approval"), templates=word_set("x"))
    assert render_docx(stage("return"), templates=word_set("x"))
