"""The PDF as a file: PDF/A, tags, bookmarks, the same bytes always, and what happens to input that can't be set."""

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256
from pathlib import Path

import pdfplumber
import pylopdf_fonts_zh_cn
import pypdf
import pytest
from rendering_stages import opinions, project, stage, text

from documents.rendering import FontSet, document_names, render_html, render_pdf
from models.content import from_json
from models.errors import InvalidInput, NotFound

DOCUMENTS = document_names()
HERE = Path(__file__).parent


def reader(pdf):
    return pypdf.PdfReader(io.BytesIO(pdf))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_is_tagged_pdf_a_2a(document):
    made = reader(render_pdf(stage(document, opinions=opinions(text()))))
    assert made.trailer["/Root"]["/MarkInfo"]["/Marked"] == True  # noqa: E712 -- pypdf's BooleanObject
    assert "/StructTreeRoot" in made.trailer["/Root"]
    assert made.trailer["/Root"]["/Lang"].startswith("zh")
    metadata = made.trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "2021年部门预算绩效文本" in made.metadata.title
    assert made.metadata.author == "清河县科学技术协会"
    assert made.metadata.creation_date.date() == date(2021, 3, 5)


def titles(items):
    return [title for item in items for title in (titles(item) if isinstance(item, list) else [item.title])]


def test_bookmarks_lead_to_parts_sections_and_projects(forty_projects):
    outline = titles(reader(forty_projects).outline)
    assert "第一部分\u3000部门整体绩效目标" in outline
    assert "三、工作保障措施" in outline
    assert sum(title.endswith("绩效目标表") for title in outline) == 40


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_same_stage_gives_the_same_bytes(document):
    made = stage(document, opinions=opinions(text()))
    assert render_pdf(made) == render_pdf(made)
    assert render_html(made) == render_html(made)


def test_another_process_locale_and_time_zone_give_the_same_bytes(one_project):
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from hashlib import sha256\nfrom rendering_stages import stage\n"
        "from documents.rendering import render_html, render_pdf\n"
        "print(sha256(render_pdf(stage()) + render_html(stage())).hexdigest())\n"
    )
    root = HERE.parents[2]
    environment = {**os.environ, "TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", program, str(root), str(root / "tests" / "unit" / "rendering")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == sha256(one_project + render_html(stage())).hexdigest()


def test_a_different_date_gives_other_bytes(one_project):
    assert render_pdf(stage(issued_on=date(2021, 3, 6))) != one_project


def test_threads_share_a_compiler_without_harm(one_project):
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(render_pdf, [stage()] * 12)) == {one_project}


def test_a_character_in_no_font_is_named_with_its_place():
    content = text(1, projects=[project(name="甲𪛖乙")])
    with pytest.raises(InvalidInput, match="项目名称中的字符“𪛖”（U\\+2A6D6）无法排版") as caught:
        render_pdf(stage(content=content))
    assert caught.value.facts == {"character": "𪛖", "place": "/projects/0/name"}


@pytest.mark.parametrize("character", ["😀", "\ue123"])
def test_characters_that_pdf_a_refuses_are_the_authors_to_change(character):
    with pytest.raises(InvalidInput, match=f"文书信息中的字符.*U\\+{ord(character):04X}"):
        render_pdf(stage("approval", conclusion=f"同意{character}"))


def test_an_unknown_document_is_not_found():
    with pytest.raises(NotFound, match="submission"):
        render_pdf(stage("letter"))


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "content",
    [
        {"fiscal_year": 2021},
        {"fiscal_year": 2021, "projects": [{"id": "p1"}]},
        {"fiscal_year": 2021, "projects": [project(purpose="说明" * 5000, code="X" * 3000)]},
    ],
    ids=["nothing", "empty project", "long cells"],
)
def test_incomplete_and_overlong_texts_are_set_all_the_same(document, content):
    made = render_pdf(stage(document, from_json(content), department="", finance=""))
    assert len(reader(made).pages) >= 1


def test_a_user_folder_of_fonts_goes_first(tmp_path):
    # A font that offices own can't be shipped: the sans font under a name of the same length stands for it.
    own = pylopdf_fonts_zh_cn.sans_path().read_bytes()
    renamed = own.replace("Noto Sans SC".encode("utf-16-be"), "FandolFang R".encode("utf-16-be"))
    assert renamed != own
    (tmp_path / "own.otf").write_bytes(renamed)
    fonts = FontSet(tmp_path)
    assert fonts.families["body"][0] == "FandolFang R"
    with pdfplumber.open(io.BytesIO(render_pdf(stage("return"), fonts=fonts))) as document:
        letters = [char for char in document.pages[0].chars if char["text"] == "请" and char["size"] > 15]
    assert letters
    assert all("NotoSansSC" in char["fontname"] for char in letters)


def test_wanted_families_are_named_only_where_they_exist(monkeypatch):
    class Folder:
        def families(self):
            return ["FandolFang R", "SimHei", "Noto Serif SC", "Noto Sans SC"]

    fonts = FontSet()
    fonts.__dict__["fonts"] = Folder()
    assert fonts.families["body"] == ["FandolFang R", "Noto Serif SC", "Noto Sans SC"]
    assert fonts.families["hei"][0] == "SimHei"
    assert fonts.families["kai"] == ["Noto Serif SC", "Noto Sans SC"]


def test_a_font_folder_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="字体文件夹"):
        FontSet(tmp_path / "nowhere")
