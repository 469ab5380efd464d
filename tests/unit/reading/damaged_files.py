"""Damage to real files for the fuzz tests: bytes of the whole file, or of one member of a container."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import made_files as made
from hypothesis import strategies as st
from reading_look import EXAMPLES

from documents.reading.sources.kinds import SourceKind
from documents.reading.sources.worker import form_of
from documents.reading.transcript import transcript_of
from models.errors import InvalidInput

_BLOCKS = made.in_lines(made.blocks_of((EXAMPLES / "two-projects-2021.txt").read_text(encoding="utf-8")))
_PIECES = (
    b"", b"\x00", b"<", b">", b"&x;", b"\xff\xff\xff\xff", b"99999999999", b"-1", b"/>", b"(", b"<<", b">>", b"endobj", b"%",
    b'"', b"w:val", b"colspan=9999", b"rowspan=0", b"<table>", b"</td>", b"stream\n", b"0 0 R", "绩效".encode(),
)  # fmt: skip
SOURCES: dict[SourceKind, bytes] = {
    SourceKind.DOCX: made.as_docx(_BLOCKS),
    SourceKind.XLSX: made.as_xlsx(_BLOCKS, numbers=True),
    SourceKind.HTML: made.as_html(_BLOCKS),
    SourceKind.PDF: made.as_pdf(_BLOCKS),
}
_CONTAINERS = {SourceKind.DOCX: "word/", SourceKind.XLSX: "xl/"}


def _cut(data: bytes, cuts: Sequence[tuple[float, int, bytes]]) -> bytes:
    for where, length, piece in cuts:
        at = int(where * len(data))
        data = data[:at] + piece + data[at + length :]
    return data


def _rezipped(data: bytes, name: str, cuts: Sequence[tuple[float, int, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as made_new:
        for item in source.namelist():
            member = source.read(item)
            made_new.writestr(item, _cut(member, cuts) if item == name else member)
    return out.getvalue()


@st.composite
def damaged(draw: st.DrawFn, kind: SourceKind) -> bytes:
    """A file of the kind with up to four pieces cut out or put in."""
    cut = st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 40), st.sampled_from(_PIECES))
    cuts = draw(st.lists(cut, min_size=1, max_size=4))
    data = SOURCES[kind]
    if kind in _CONTAINERS and draw(st.booleans()):
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            names = [name for name in container.namelist() if name.startswith(_CONTAINERS[kind]) and name.endswith("l")]
        return _rezipped(data, draw(st.sampled_from(names)), cuts)
    return _cut(data, cuts)


def read_or_refused(data: bytes, kind: SourceKind) -> bool:
    """Whether the bytes were read; InvalidInput with a whole sentence is a refusal, anything else fails the test."""
    try:
        _, form = form_of(data, kind)
        if form is not None:
            transcript_of(form, sheets=kind is SourceKind.XLSX)
    except InvalidInput as error:
        refusal = error.message
    else:
        return True
    assert refusal.endswith("。")
    assert "请" in refusal
    return False
