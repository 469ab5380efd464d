"""Bytes of a file to text: what it is not, and which of the two encodings it is in."""

from __future__ import annotations

import re
from typing import Final, Literal

from models.errors import InvalidInput

Encoding = Literal["utf-8", "gb18030"]

MAX_BYTES: Final = 20 * 1024 * 1024

_CONTAINERS: Final = (
    (b"PK\x03\x04", "Word、Excel 或压缩文件"),
    (b"%PDF", "PDF 文件"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "旧版 Word 或 Excel 文件"),
    (b"{\\rtf", "RTF 文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"\x1f\x8b", "压缩文件"),
)
_SAVE_AS_TEXT: Final = "请导入能读的文件（docx、xlsx、pdf、html 等），或另存为“纯文本（UTF-8）”后再导入"

# UTF-32 (little endian) begins with the bytes of the UTF-16 mark, so it is looked for first.
_WIDE_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def decoded(data: bytes) -> tuple[str, Encoding]:
    """Text of a file's bytes, and its encoding.

    UTF-8 (a byte order mark is dropped) is tried first, since GB18030 takes almost any bytes. Raises InvalidInput for an
    empty, too large, binary or undecodable file.
    """
    if len(data) > MAX_BYTES:
        size = len(data) / 1024 / 1024
        raise InvalidInput(
            f"文件有 {size:.1f} MB，超过 20 MB 的上限；请确认选对了文件，或拆成几份导入。", size=len(data)
        )
    if not data.strip():
        raise InvalidInput("文件是空的；请选择有内容的部门预算绩效文本。")
    for magic, name in _CONTAINERS:
        if data.startswith(magic):
            raise InvalidInput(f"这是{name}，不是纯文本；{_SAVE_AS_TEXT}。")
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            raise InvalidInput(f"文件的编码是 {name}，只支持 UTF-8 和 GB18030（GBK）；请另存为 UTF-8 后再导入。")
    nul = data.find(b"\x00")
    if nul >= 0:
        raise InvalidInput(f"文件第 {nul + 1} 个字节是 NUL，不是纯文本；{_SAVE_AS_TEXT}。", offset=nul)
    return _text(data)


def _text(data: bytes) -> tuple[str, Encoding]:
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        utf8 = error
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"文件的编码既不是 UTF-8（第 {utf8.start + 1} 个字节起读不通）也不是 GB18030（第 {error.start + 1} 个字节起"
            "读不通）；请用原来的软件打开，另存为 UTF-8 后再导入。",
            offset=error.start,
        ) from error
    if _SURROGATE.search(text):
        raise InvalidInput("文件按 GB18030 读出了不成字的编码；请用原来的软件打开，另存为 UTF-8 后再导入。")
    return text.removeprefix("\ufeff"), "gb18030"
