"""Files of other kinds, imported by the installed command."""

from __future__ import annotations

import hashlib
import io
import sqlite3

import docx
import pytest
from acceptance_shell import SAMPLE


@pytest.fixture(scope="module")
def word_file() -> bytes:
    """The sample as a Word file, its tables without merged cells."""
    document = docx.Document()
    rows: list[list[str]] = []
    for line in [*SAMPLE.read_text(encoding="utf-8").split("\n"), ""]:
        if line.count("\t") > 2:
            rows.append(line.split("\t"))
            continue
        if rows:
            table = document.add_table(len(rows), len(rows[0]))
            for row, words in zip(table.rows, rows, strict=True):
                for cell, word in zip(row.cells, words, strict=True):
                    cell.text = word
            rows = []
        if line.strip():
            document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_word_file_gives_the_content_of_the_text_and_is_kept_as_it_is(shell, tmp_path, word_file):
    path = tmp_path / "图书馆2021.docx"
    path.write_bytes(word_file)
    plain = shell.ok("text", "import", SAMPLE, role="drafter")
    done = shell.ok("text", "import", path, role="drafter")
    assert done["content"] == plain["content"]
    assert (plain["kind"], plain["encoding"], done["kind"]) == ("text", "utf-8", "docx")
    assert "encoding" not in done
    assert done["coverage"]["percent"] == "100.00"
    with sqlite3.connect(shell.home / "jixiao.db") as database:
        kept = {row[0] for row in database.execute("SELECT source_sha256 FROM text_version")}
    assert hashlib.sha256(word_file).hexdigest() in kept


def test_the_share_that_found_a_place_is_printed(shell, tmp_path, word_file):
    path = tmp_path / "图书馆2021.docx"
    path.write_bytes(word_file)
    assert "读入相应各项的占 100.00%。" in shell.run("text", "import", path, role="drafter").stderr
    odd = tmp_path / "odd.txt"
    odd.write_text(SAMPLE.read_text("utf-8").replace("单位：元\n", "单位：元\n本表一式两份\n"), "utf-8")
    assert "6 字没有对应的项，原文存入附加项" in shell.run("text", "import", odd, role="drafter").stderr


def test_a_file_of_500_megabytes_is_refused_without_being_read(shell, tmp_path):
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(500 * 1024 * 1024)
    assert "超过 64 MB" in shell.fails(2, "text", "import", large, role="drafter")
