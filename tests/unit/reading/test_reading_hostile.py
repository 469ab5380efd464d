"""Files that are broken, locked, false or made to harm: one clear sentence, soon, and never a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import made_files as made
import pytest
import typst
import xlsxwriter

from documents.reading import Limits, read_file
from documents.reading.files import MAX_FILE_BYTES
from documents.reading.sources import isolation, office_conversion
from documents.reading.sources.containers import MAX_MEMBERS
from documents.reading.sources.kinds import SourceKind, kind_of
from models.errors import InvalidInput

_PATIENT = Limits(seconds=60.0)


def _refusal(data: bytes, limits: Limits = _PATIENT) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_file(data, limits=limits)
    message = caught.value.message
    assert message.endswith("。")
    assert "请" in message
    return message


def _zip(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as container:
        for name, data in members.items():
            container.writestr(name, data)
    return out.getvalue()


def _replaced(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A container with one member changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        members = {item: container.read(item) for item in container.namelist()}
    members[name] = change(members[name])
    return _zip(members)


@pytest.fixture(scope="module")
def word(sample: str) -> bytes:
    return made.as_docx(made.blocks_of(sample))


@pytest.fixture(scope="module")
def page(sample: str) -> bytes:
    return made.as_pdf(made.blocks_of(sample))


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _entry(name: str) -> bytes:
    return name.encode("utf-16-le").ljust(64, b"\x00") + struct.pack("<H", 2 * len(name) + 2)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空的"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "图片"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "图片"),
        (b"BM\x00\x00" + bytes(50), "图片"),
        (b"\x1f\x8b\x08" + bytes(50), "压缩文件"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "压缩文件"),
        (b"MZ\x90\x00" + bytes(50), "程序"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "MHTML"),
        (b"<?xml version='1.0'?><w:wordDocument/>", "XML"),
        (_OLE + bytes(504) + _entry("EncryptedPackage"), "密码"),
        (_OLE + bytes(504) + _entry("PowerPoint Document"), "PowerPoint"),
        (_OLE + bytes(504) + _entry("Workbook"), "损坏"),
        (_zip({"a.txt": b"x"}), "压缩文件"),
        (_zip({"ppt/presentation.xml": b"<x/>"}), "演示文稿"),
        (_zip({"OFD.xml": b"<x/>"}), "OFD"),
        (_zip({"word/document.xml": b"<x/>"}), "损坏"),
        (_zip({"xl/workbook.xml": b"<x/>"}), "损坏"),
        (_zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "损坏"),
        (b"PK\x03\x04" + bytes(range(256)) * 4, "损坏"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 4, "损坏"),
        (b"%PDF-1.7\n%%EOF", "损坏"),
        (b"<html></html>", "绩效"),
        ("<html><body><p>今天天气很好</p></body></html>".encode(), "绩效"),
        (b"x" * (MAX_FILE_BYTES + 1), "50 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_budget_text_is_refused_with_one_sentence(data: bytes, words: str) -> None:
    assert words in _refusal(data)


def test_kinds_are_told_by_the_bytes() -> None:
    assert kind_of(_OLE + bytes(504) + _entry("WordDocument")) is SourceKind.DOC
    assert kind_of(_OLE + bytes(504) + _entry("Book")) is SourceKind.XLS
    assert kind_of(b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE html><html>") is SourceKind.HTML
    assert kind_of("BM 是部门的代号".encode()) is SourceKind.TEXT
    assert kind_of(b"  <table><tr>") is SourceKind.HTML
    assert kind_of(b"{\\rtf1\\ansi") is SourceKind.RTF
    assert kind_of(b"junk\n%PDF-1.4") is SourceKind.PDF


def test_a_zip_bomb_is_refused_before_it_is_unpacked(word: bytes) -> None:
    bomb = _zip({"word/document.xml": bytes(250 * 1024 * 1024)})
    start = time.process_time()
    assert "超过 200 MB" in _refusal(bomb)
    assert time.process_time() - start < 5
    assert "压缩比" in _refusal(_zip({"word/document.xml": bytes(90 * 1024 * 1024)}))
    assert "成员" in _refusal(_zip({f"word/{at}.xml": b"" for at in range(MAX_MEMBERS + 1)}))


def test_a_container_that_lies_about_its_sizes_is_broken(word: bytes) -> None:
    lie = _zip({"word/document.xml": bytes(2_000_000), "[Content_Types].xml": b"<x/>"})
    lie = lie.replace(struct.pack("<I", 2_000_000), struct.pack("<I", 20))
    assert "损坏" in _refusal(lie)


def test_entities_are_not_expanded(word: bytes) -> None:
    def laughs(xml: bytes) -> bytes:
        entities = b"".join(
            b'<!ENTITY l%d "%s">' % (at, (b"&l%d;" % (at - 1)) * 10 if at else b"ha") for at in range(9)
        )
        return xml.replace(b"<w:document", b"<!DOCTYPE w:document [" + entities + b"]><w:document", 1).replace(
            "图书馆".encode(), b"&l8;", 1
        )

    start = time.process_time()
    assert _refusal(_replaced(word, "word/document.xml", laughs))
    assert time.process_time() - start < 5
    plain = _replaced(word, "word/document.xml", lambda xml: xml.replace(b"<w:document", b"<!DOCTYPE x><w:document", 1))
    assert "DTD" in _refusal(plain)


def test_files_of_the_machine_are_not_read(word: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("秘密")

    def outside(xml: bytes) -> bytes:
        entity = b'<!DOCTYPE w:document [<!ENTITY x SYSTEM "' + secret.as_uri().encode() + b'">]><w:document'
        return xml.replace(b"<w:document", entity, 1).replace("图书馆".encode(), b"&x;", 1)

    assert "秘密" not in _refusal(_replaced(word, "word/document.xml", outside))


def test_macros_are_not_read_and_that_is_said(word: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(word)) as container:
        members = {item: container.read(item) for item in container.namelist()}
    members["word/vbaProject.bin"] = b"macro"
    read = read_file(_zip(members), limits=_PATIENT)
    assert [item.reason for item in read.findings if item.code == "I007"] == ["文件带有宏；宏没有运行，也不读入。"]


def test_a_million_rows_are_refused() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    sheet = book.add_worksheet()
    for row in range(300_000):
        sheet.write_number(row, 0, row)
    book.close()
    message = _refusal(out.getvalue())
    assert "300000 行" in message
    far = io.BytesIO()
    book = xlsxwriter.Workbook(far)
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "绩效")
    sheet.write_string(1_048_575, 16_383, "绩效")
    book.close()
    # A sheet that claims its last corner would take 17 thousand million cells.
    assert "内存" in _refusal(far.getvalue()) or "上限" in _refusal(far.getvalue())


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_text_without_end_is_refused_before_it_is_taken_apart(sample: str, end: str) -> None:
    """What the reading process gives back, and a plain text, are taken apart in this process, where nothing stops it."""
    endless = (sample + "\n办好借阅服务。" * 20_000).replace("\n", end)
    assert "20000 行" in _refusal(endless.encode())
    page = made.as_html(made.blocks_of(sample)).replace(b"</body>", "<p>办好借阅服务。</p>".encode() * 20_000)
    assert "20000 行" in _refusal(page)


def test_a_grid_that_claims_endless_columns_is_refused(word: bytes) -> None:
    wide = _replaced(
        word, "word/document.xml", lambda xml: xml.replace(b'gridSpan w:val="2"', b'gridSpan w:val="99999"', 1)
    )
    assert "200 列" in _refusal(wide)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_broken(word: bytes, page: bytes, share: float) -> None:
    assert "损坏" in _refusal(word[: int(len(word) * share)])
    assert _refusal(page[: int(len(page) * share)])


def test_a_pdf_with_a_password_says_so(page: bytes) -> None:
    import pypdf

    writer = pypdf.PdfWriter(io.BytesIO(page))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    assert "密码" in _refusal(out.getvalue())


def test_a_scan_says_that_it_has_no_text() -> None:
    picture = typst.compile(b"#set page(width: 5cm, height: 5cm)\n#rect(width: 3cm, height: 3cm, fill: red)")
    assert "扫描件" in _refusal(picture)


def test_what_takes_too_long_is_stopped(page: bytes) -> None:
    message = _refusal(page, Limits(seconds=0.01))
    assert "0.01 秒" in message


def test_what_takes_too_much_memory_is_stopped() -> None:
    crowd = b"<html><body>" + b"<i/>" * 4_900_000
    assert "内存" in _refusal(crowd)


def test_what_gives_too_much_back_is_stopped(word: bytes) -> None:
    assert _refusal(word, Limits(seconds=60, output=1000))


def test_limits_stand_in_the_reading_process() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import worker; worker.limit(300 * 1024 * 1024, 5, 10);"
        "\ntry: bytes(400 * 1024 * 1024)\nexcept MemoryError: print('memory')"
    )
    folder = str(Path(isolation.__file__).parent)
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=True)
    assert done.stdout == "memory\n"


def test_what_the_reading_process_gives_back_is_not_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for answer in ("{}", "[]", "x", '{"kind": "docx", "form": {}}', '{"kind": "docx", "form": {"blocks": [[1, 2]]}}',
                   '{"kind": "docx", "form": {"blocks": [[1, 1, [[0, 0, "x", 9, 9]], []]], "asides": [], "pages": 0}}'):  # fmt: skip
        worker = tmp_path / "worker.py"
        worker.write_text(f"print({answer!r})", "utf-8")
        monkeypatch.setattr(isolation, "_WORKER", worker)
        assert "损坏" in _refusal(b"%PDF-1.7")


def test_the_reading_process_that_dies_is_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "utf-8")
    monkeypatch.setattr(isolation, "_WORKER", worker)
    assert "内存" in _refusal(b"%PDF-1.7")


def test_what_the_reading_process_leaves_behind_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second reader of a long PDF waits for work from the first: when that is killed, it would wait for ever."""
    note = tmp_path / "left"
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import os, signal, time\nchild = os.fork()\nif not child: time.sleep(600)\n"
        f"open({str(note)!r}, 'w').write(str(child))\nos.kill(os.getpid(), signal.SIGKILL)\n",
        "utf-8",
    )
    monkeypatch.setattr(isolation, "_WORKER", worker)
    assert _refusal(b"%PDF-1.7")
    left = int(note.read_text())
    for _ in range(200):
        if not _runs(left):
            return
        time.sleep(0.05)
    os.kill(left, signal.SIGKILL)
    pytest.fail("the process that the reading process started goes on")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")
def test_the_reading_processes_end_with_the_program(sample: str, tmp_path: Path) -> None:
    """Killed, the program can end nobody; the second reader of a long PDF would wait for work for ever."""
    (tmp_path / "long.pdf").write_bytes(made.as_pdf(made.blocks_of(sample) * 40))
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from documents.reading import Limits, read_file;"
        "read_file(open(sys.argv[2], 'rb').read(), limits=Limits(seconds=60))"
    )
    program = subprocess.Popen([sys.executable, "-c", script, str(isolation._ROOT), str(tmp_path / "long.pdf")])
    started: set[int] = set()
    for _ in range(1200):
        started |= {process for first in _children(program.pid) for process in (first, *_children(first))}
        if len(started) >= min(2, len(os.sched_getaffinity(0))) or program.poll() is not None:
            break
        time.sleep(0.01)
    program.kill()
    program.wait()
    assert started
    for _ in range(200):
        if not any(map(_runs, started)):
            return
        time.sleep(0.05)
    pytest.fail("a reading process goes on without the program")


def _children(process: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(status.parent.name))
    return found


def _runs(process: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has looked after yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_doc_without_libreoffice_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office_conversion.shutil, "which", lambda _: None)
    message = _refusal(_OLE + bytes(504) + _entry("WordDocument"))
    assert "LibreOffice" in message
    assert "另存为 docx" in message
    assert "ODT" in _refusal(_zip({"mimetype": b"application/vnd.oasis.opendocument.text"}))


@pytest.mark.parametrize(
    ("script", "words"), [("exit 1", "打不开"), ("sleep 60", "秒还没有完成")], ids=["gives up", "hangs"]
)
def test_libreoffice_that_fails_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, words: str
) -> None:
    program = tmp_path / "soffice"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(office_conversion.shutil, "which", lambda _: str(program))
    monkeypatch.setattr(office_conversion, "SECONDS", 0.5)
    with pytest.raises(InvalidInput, match=words):
        office_conversion.converted(b"{\\rtf1", SourceKind.RTF, seconds=0.5)


def test_a_converted_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, word: bytes) -> None:
    made_word = tmp_path / "made.docx"
    made_word.write_bytes(word)
    program = tmp_path / "soffice"
    program.write_text(
        f'#!/bin/sh\nwhile [ "$1" != "--outdir" ]; do shift; done\nmkdir -p "$2"\ncp {made_word} "$2/source.docx"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(office_conversion.shutil, "which", lambda _: str(program))
    read = read_file(_OLE + bytes(504) + _entry("WordDocument"), "旧.doc", limits=_PATIENT)
    assert read.kind is SourceKind.DOC
    assert read.content.projects
    assert not [item for item in read.findings if item.code == "I007"]
