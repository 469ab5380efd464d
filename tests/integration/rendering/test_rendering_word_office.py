"""Word files opened by LibreOffice: nothing to repair, and the pages of our own PDF, as far as its fonts allow."""

import io
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pdfplumber
import pylopdf_fonts_zh_cn
import pytest
from rendering_stages import opinions, stage, text

from documents.rendering import document_names, render_pdf
from documents.rendering.word import render_docx
from documents.returning import returned, returned_form
from models.content import to_json

HERE = Path(__file__).parent
SOFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
MM = 72 / 25.4
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><cachedir>{cache}</cachedir>{aliases}</fontconfig>"""
ALIAS = '<alias binding="same"><family>{name}</family><prefer><family>{family}</family></prefer></alias>'
SERIF = ("仿宋_GB2312", "方正小标宋简体", "宋体", "楷体_GB2312")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """Converts files in one run, with the fonts that our own page is set with under the names that Windows has."""
    folder = tmp_path_factory.mktemp("office")
    aliases = "".join(ALIAS.format(name=name, family="Noto Serif SC") for name in SERIF)
    aliases += ALIAS.format(name="黑体", family="Noto Sans SC")
    fonts = folder / "fonts.conf"
    base = pylopdf_fonts_zh_cn.serif_path().parent
    fonts.write_text(FONTS.format(folder=base, cache=folder / "cache", aliases=aliases), encoding="utf-8")

    def convert(files, kind):
        made = folder / kind
        made.mkdir(exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        command = [
            SOFFICE,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            kind,
        ]
        subprocess.run(
            [*command, "--outdir", str(made), *(str(folder / name) for name in files)],
            env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
            check=True,
            capture_output=True,
            timeout=300,
        )
        return {name: (made / name).with_suffix(f".{kind}").read_bytes() for name in files}

    return convert


@pytest.fixture(scope="module")
def stages():
    content = text(2)
    return {
        f"{name}.docx": stage(name, content, opinions=opinions(content), round=2, copies_to=("县审计局",))
        for name in document_names()
    }


@pytest.fixture(scope="module")
def converted(office, stages):
    return office({name: render_docx(made) for name, made in stages.items()}, "pdf")


def words_of(pdf):
    """All characters of a PDF without blanks, counted: line breaks differ between two programs, the words must not."""
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        return [re.sub(r"[\s.·…⋯]", "", page.extract_text()) for page in document.pages]


@needs_office
@pytest.mark.parametrize("document", document_names())
def test_the_pages_are_those_of_our_pdf_and_the_words_too(document, stages, converted):
    ours = words_of(render_pdf(stages[f"{document}.docx"]))
    theirs = words_of(converted[f"{document}.docx"])
    assert len(theirs) == len(ours)
    wanted, found = Counter("".join(ours)), Counter("".join(theirs))
    assert found - wanted == Counter()
    # A mark that hangs beyond the edge of a line is not in every PDF that LibreOffice writes.
    assert set(wanted - found) <= set("，。、；：")


@needs_office
def test_page_numbers_stand_right_on_odd_and_left_on_even_pages_7_mm_below_the_text(converted):
    with pdfplumber.open(io.BytesIO(converted["draft.docx"])) as document:
        for number, page in enumerate(document.pages):
            found = [char for char in page.chars if char["top"] > 262 * MM and char["size"] > 13]
            if number == 0:
                assert found == []
                continue
            assert "".join(char["text"] for char in found).replace(" ", "") == f"—{number}—"
            dash = found[0]
            assert (dash["top"] + dash["bottom"]) / 2 / MM == pytest.approx(37 + 225 + 7, abs=1.5)
            if number % 2:
                assert max(char["x1"] for char in found) / MM == pytest.approx(210 - 26 - 14 / MM, abs=1.5)
            else:
                assert min(char["x0"] for char in found) / MM == pytest.approx(28 + 14 / MM, abs=1.5)


@needs_office
def test_a_page_holds_22_lines(office):
    content = text(
        1, overall={"introduction": "面向乡村和社区组织科普活动，帮助解决实际困难。" * 70}, sub_goals=[], safeguards=[]
    )
    made = office({"full.docx": render_docx(stage(content=content))}, "pdf")["full.docx"]
    with pdfplumber.open(io.BytesIO(made)) as document:
        chars = [char for char in document.pages[3].chars if char["size"] == pytest.approx(16, abs=0.1)]
        lines = sorted({round(char["bottom"]) for char in chars})
    assert len(lines) == 22
    assert (lines[-1] - lines[0]) / 21 == pytest.approx(225 / 22 * MM, abs=0.2)


@needs_office
def test_the_fields_survive_libreoffice_or_their_loss_is_noticed(office):
    made = stage(content=text(1))
    saved = office({"again.docx": render_docx(made)}, "docx")["again.docx"]
    form = returned_form(saved)
    assert form.origin is not None
    if not form.fields:
        # Version 7.4 drops the tags, and that is noticed.
        assert form.untagged > 0
        return
    result = returned(form, made)
    assert result.content == to_json(made.content)


def test_another_process_locale_and_time_zone_give_the_same_bytes():
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from hashlib import sha256\nfrom rendering_stages import stage\n"
        "from documents.rendering.word import render_docx\n"
        "print(sha256(render_docx(stage())).hexdigest())\n"
    )
    root = HERE.parents[2]
    environment = {**os.environ, "TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", program, str(root), str(root / "tests" / "unit" / "rendering")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == sha256(render_docx(stage())).hexdigest()
