"""Files that are ZIP containers: bombs are refused by what the directory declares, before a member is opened."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final

from documents.reading.sources.form import Aside, AsideKind
from documents.reading.sources.kinds import READABLE, SourceKind
from models.errors import InvalidInput

# Measured: real texts of 40 projects unpack to 10 MB and 20 times their size; pictures hardly shrink at all.
MAX_UNPACKED: Final = 200 * 1024 * 1024
MAX_RATIO: Final = 200
MAX_MEMBERS: Final = 10_000
_RATIO_FROM: Final = 1024 * 1024
_NO_MEMORY: Final = 2

_ODF: Final = {
    b"application/vnd.oasis.opendocument.spreadsheet": SourceKind.ODS,
    b"application/vnd.oasis.opendocument.text": SourceKind.ODT,
}


def checked_container(data: bytes) -> zipfile.ZipFile:
    """The container of ``data``, opened; raises InvalidInput where it is broken, encrypted, or would unpack to too much.

    The declared sizes bind: the unpacker stops at them, and a member that holds more fails its checksum.
    """
    try:
        container = zipfile.ZipFile(io.BytesIO(data))
        members = container.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise InvalidInput("文件不完整或已损坏，打不开；请用原来的软件打开并重新保存，再导入。") from error
    if len(members) > MAX_MEMBERS:
        raise InvalidInput(
            f"文件里有 {len(members)} 个成员，超过 {MAX_MEMBERS} 个的上限，不像预算文本；请确认选对了文件。"
        )
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED:
        raise InvalidInput(
            f"文件解压后有 {unpacked // 1024 // 1024} MB，超过 {MAX_UNPACKED // 1024 // 1024} MB 的上限；请确认选对了文件。"
        )
    if unpacked > _RATIO_FROM and unpacked > MAX_RATIO * len(data):
        raise InvalidInput("文件解压后大得不合常理（压缩比超过 200），可能是有意做成的；请不要导入，并核对它的来处。")
    if any(member.flag_bits & 1 for member in members):
        raise InvalidInput("文件设了密码，读不了；请用原来的软件打开，去掉密码后另存，再导入。")
    return container


def container_kind(container: zipfile.ZipFile) -> SourceKind:
    """Which kind of file a container is; raises InvalidInput for one that can't be read."""
    names = set(container.namelist())
    if "word/document.xml" in names:
        return SourceKind.DOCX
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return SourceKind.XLSX
    if "mimetype" in names:
        kind = _ODF.get(member(container, "mimetype")[:100].strip().removesuffix(b"-template"))
        if kind is not None:
            return kind
    if "OFD.xml" in names:
        raise InvalidInput("这是 OFD 版式文件，不能导入；请用编制它的 Word 或 Excel 原件导入。")
    if "ppt/presentation.xml" in names:
        raise InvalidInput(f"这是演示文稿，不能导入；{READABLE}，请换成其中一种再导入。")
    raise InvalidInput(f"这是压缩文件，不能导入；请解压后导入里面的文件（{READABLE}）。")


def member(container: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a member; raises InvalidInput where it is missing or broken."""
    try:
        return container.read(name)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise InvalidInput(f"文件不完整或已损坏（{name} 读不出）；请用原来的软件打开并重新保存，再导入。") from error


def memory_error_of(error: BaseException) -> MemoryError | None:
    """The want of memory behind an error, None where it is another.

    lxml calls it a syntax error with libxml2's code XML_ERR_NO_MEMORY.
    """
    if isinstance(error, MemoryError):
        return error
    starved = isinstance(error, SyntaxError) and getattr(error, "code", None) == _NO_MEMORY
    return MemoryError(str(error)) if starved else None


def macro_asides(container: zipfile.ZipFile) -> tuple[Aside, ...]:
    """The remark on macros, where a file has them: they are never run and never read."""
    if any(name.lower().endswith("vbaproject.bin") for name in container.namelist()):
        return (Aside(AsideKind.REMARK, "文件带有宏；宏没有运行，也不读入。"),)
    return ()
