"""What only an office program can open (doc, rtf, odt), turned into docx by LibreOffice where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from documents.reading.sources.isolation import end_group
from documents.reading.sources.kinds import SourceKind
from models.errors import InvalidInput

_PROGRAMS: Final = ("soffice", "libreoffice")
_TITLES: Final = {SourceKind.DOC: "旧版 Word 文件（doc）", SourceKind.RTF: "RTF 文件", SourceKind.ODT: "ODT 文件"}
# Starting the office program takes most of it; a file that takes longer is none that people write.
SECONDS: Final = 60.0


def converted(data: bytes, kind: SourceKind, *, seconds: float = SECONDS) -> bytes:
    """The docx bytes of a file; raises InvalidInput where LibreOffice is missing, gives up, or takes too long.

    LibreOffice gets a profile of its own in the temporary folder, so that nothing of the user's is touched, macros stay
    at their strictest default, and two conversions do not wait for one another.
    """
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    title = _TITLES[kind]
    if program is None:
        raise InvalidInput(
            f"这是{title}，要装有 LibreOffice 才能读，本机没有；请用 Word 或 WPS 另存为 docx 后导入，或请运维安装 LibreOffice。"
        )
    with tempfile.TemporaryDirectory(prefix="jixiao-") as folder:
        source = Path(folder) / f"source.{kind.value}"
        source.write_bytes(data)
        command = [
            program,
            f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}",
            "--headless",
            "--norestore",
            "--convert-to",
            "docx:MS Word 2007 XML",
            "--outdir",
            str(Path(folder) / "out"),
            str(source),
        ]
        _run(command, title, seconds)
        made = Path(folder) / "out" / "source.docx"
        if not made.is_file():
            raise InvalidInput(f"{title}已损坏或设了密码，LibreOffice 打不开；请用 Word 或 WPS 另存为 docx 后导入。")
        return made.read_bytes()


def _run(command: list[str], title: str, seconds: float) -> None:
    # The launcher starts the office as a child of its own: the whole group must go when the time is over.
    process = subprocess.Popen(  # noqa: S603 -- the program is looked up by name, its arguments are ours
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"{title}转换了 {seconds:.0f} 秒还没有完成；请用 Word 或 WPS 另存为 docx 后导入。") from None
    finally:
        end_group(process)
