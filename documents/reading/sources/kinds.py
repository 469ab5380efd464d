"""What kind of file bytes are, by what they begin with: names and endings are not believed."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from models.errors import InvalidInput


class SourceKind(StrEnum):
    """A kind of file that can be read."""

    TEXT = "text"
    DOCX = "docx"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    PDF = "pdf"
    HTML = "html"
    DOC = "doc"
    RTF = "rtf"
    ODT = "odt"


# What only an office program can open: it is turned into docx first.
CONVERTED: Final = frozenset({SourceKind.DOC, SourceKind.RTF, SourceKind.ODT})
READABLE: Final = "能读的有：docx、doc、xlsx、xls、ods、pdf、html 和纯文本"

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD: Final = 4096
_MARKUP = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.{0,2000}?-->\s*)*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)*"
    rb"<(?P<tag>!doctype\s+html|html|head|body|table|div|meta|style|p|h[1-6])\b",
    re.IGNORECASE | re.DOTALL,
)
_OTHERS: Final = (
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"II*\x00", "图片"),
    (b"MM\x00*", "图片"),
    (b"BM", "图片"),
    (b"\x1f\x8b", "压缩文件"),
    (b"7z\xbc\xaf", "压缩文件"),
    (b"Rar!", "压缩文件"),
    (b"%!PS", "PostScript 文件"),
    (b"OFD", "OFD 文件"),
    (b"MZ", "程序"),
    (b"\x7fELF", "程序"),
    (b"SQLite format 3\x00", "数据库"),
)
_IMAGE_ADVICE: Final = "请找到原件（Word、Excel 或带文字的 PDF）再导入"


def kind_of(data: bytes) -> SourceKind:
    """The kind of a file by its bytes, as far as its first bytes and stream names tell.

    A container of the PK form is taken for DOCX here: which of docx, xlsx, ods and odt it is, only its members tell
    (``containers.container_kind``, in the reading process). Raises InvalidInput for kinds that can't be read.
    """
    head = data[:_HEAD]
    if head.startswith(b"PK\x03\x04"):
        return SourceKind.DOCX
    if head.startswith(_OLE):
        return _ole_kind(data)
    if b"%PDF-" in head[:1024]:
        return SourceKind.PDF
    if head.startswith(b"{\\rtf"):
        return SourceKind.RTF
    if _MARKUP.match(head):
        return SourceKind.HTML
    _refuse_others(head)
    return SourceKind.TEXT


def _refuse_others(head: bytes) -> None:
    for magic, name in _OTHERS:
        # Two letters alone can begin a text.
        if head.startswith(magic) and (len(magic) > 3 or b"\x00" in head or magic[0] >= 0x80):
            advice = _IMAGE_ADVICE if name == "图片" else f"{READABLE}，请换成其中一种再导入"
            raise InvalidInput(f"这是{name}，不能导入；{advice}。")
    if head.lower().startswith((b"mime-version:", b"from: <saved by")):
        raise InvalidInput("这是网页存档（MHTML），不能导入；请用原来的软件打开，另存为 docx 或 html 再导入。")
    if head.lstrip().startswith(b"<?xml"):
        raise InvalidInput(f"这是 XML 文件，不能导入；{READABLE}，请另存为其中一种再导入。")


def _ole_kind(data: bytes) -> SourceKind:
    """The kind of an OLE container: the names of its streams are written in UTF-16 in its directory."""
    if _has_stream(data, "EncryptedPackage"):
        raise InvalidInput("文件设了打开密码，读不了；请用原来的软件打开，去掉密码后另存，再导入。")
    if _has_stream(data, "Workbook") or _has_stream(data, "Book"):
        return SourceKind.XLS
    if _has_stream(data, "WordDocument"):
        return SourceKind.DOC
    raise InvalidInput(f"这是旧版 Office 的其他文件（如 PowerPoint），不能导入；{READABLE}，请换成其中一种再导入。")


def _has_stream(data: bytes, name: str) -> bool:
    # A directory entry holds 64 bytes of name, and then the name's length with its closing zero.
    entry = name.encode("utf-16-le").ljust(64, b"\x00") + (2 * len(name) + 2).to_bytes(2, "little")
    return entry in data
