"""Damage to real files for the fuzz tests: bytes of the whole file, or of one member of a container."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from functools import cache

import made_files as made
from hypothesis import strategies as st
from reading_look import EXAMPLES

from documents.checking import check
from documents.reading.assembling import assembled, read_text
from documents.reading.sources.kinds import SourceKind
from documents.reading.sources.worker import form_of
from documents.reading.transcript import transcript_of
from models.content import BudgetText
from models.errors import InvalidInput

_PIECES = (
    b"", b"\x00", b"<", b">", b"&x;", b"\xff\xff\xff\xff", b"99999999999", b"-1", b"/>", b"(", b"<<", b">>", b"endobj", b"%",
    b'"', b"w:val", b"colspan=9999", b"rowspan=0", b"<table>", b"</td>", b"stream\n", b"0 0 R", "绩效".encode(), b"\t", b"\n",
    "一、".encode(), "第一部分".encode(), "绩效目标表".encode(), b"1.", "≥".encode(), "金额单位：万元".encode(), b"e999", b"\xef\xbc\x91",
)  # fmt: skip
_SHEETS = frozenset({SourceKind.XLSX, SourceKind.XLS, SourceKind.ODS})
# Where the members of a container stand that say something.
_CONTAINERS = {SourceKind.DOCX: "word/", SourceKind.XLSX: "xl/", SourceKind.ODS: "content"}
KINDS = (SourceKind.TEXT, SourceKind.DOCX, SourceKind.XLSX, SourceKind.ODS, SourceKind.HTML, SourceKind.PDF)
Cut = tuple[float, int, bytes, int]


@cache
def source_of(kind: SourceKind) -> bytes:
    """A sound file of a kind; an xls only where LibreOffice can make one (FileNotFoundError elsewhere)."""
    text = (EXAMPLES / "two-projects-2021.txt").read_text(encoding="utf-8")
    if kind is SourceKind.TEXT:
        return text.encode()
    blocks = made.in_lines(made.blocks_of(text))
    if kind is SourceKind.XLS:
        program = made.soffice()
        if program is None:
            raise FileNotFoundError("soffice")
        return made.by_libreoffice(made.as_xlsx(blocks, numbers=True), "xlsx", "xls", program)
    if kind is SourceKind.XLSX:
        return made.as_xlsx(blocks, numbers=True)
    makers: dict[SourceKind, Callable[..., bytes]] = {SourceKind(name): maker for name, maker in made.MAKERS.items()}
    return makers[kind](blocks)


def _cut(data: bytes, cuts: Sequence[Cut]) -> bytes:
    """Pieces cut out and put in; what is cut out comes again as often as the last number says."""
    for where, length, piece, again in cuts:
        at = int(where * len(data))
        data = data[:at] + piece + data[at : at + length] * again + data[at + length :]
    return data


def _rezipped(data: bytes, name: str, cuts: Sequence[Cut]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as made_new:
        for item in source.namelist():
            member = source.read(item)
            made_new.writestr(item, _cut(member, cuts) if item == name else member)
    return out.getvalue()


@st.composite
def damaged(draw: st.DrawFn, kind: SourceKind) -> bytes:
    """A file of the kind with up to six pieces cut out, put in, or put in again and again."""
    cut = st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 40) | st.integers(0, 2000),
        st.sampled_from(_PIECES) | st.binary(max_size=8),
        st.sampled_from((0, 0, 0, 1, 2, 30)),
    )
    cuts = draw(st.lists(cut, min_size=1, max_size=6))
    data = source_of(kind)
    if kind in _CONTAINERS and draw(st.integers(0, 3)):
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            names = [name for name in container.namelist() if name.startswith(_CONTAINERS[kind]) and name.endswith("l")]
        return _rezipped(data, draw(st.sampled_from(names)), cuts)
    return _cut(data, cuts)


def read_or_refused(data: bytes, kind: SourceKind) -> bool:
    """Whether the bytes were read, assembled and checked, all in this process.

    InvalidInput with a whole sentence is a refusal, anything else fails the test.
    """
    try:
        content = _content(data, kind)
    except InvalidInput as error:
        refusal = error.message
    else:
        if content is not None:
            check(content)
        return True
    assert refusal.endswith("。"), refusal
    assert "请" in refusal, refusal
    return False


def _content(data: bytes, kind: SourceKind) -> BudgetText | None:
    """The content; None where a container has turned into a kind that is converted first."""
    if kind is SourceKind.TEXT:
        return read_text(data).content
    found, form = form_of(data, kind)
    if form is None:
        return None
    transcript = transcript_of(form, sheets=found in _SHEETS)
    return assembled(transcript.text, before=transcript.findings, left_out=transcript.left).content
