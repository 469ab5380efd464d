"""What only an office program can open (doc, rtf, odt), turned into docx by LibreOffice where it is installed."""

from __future__ import annotations

import os
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
SECONDS: Final = 30.0
# What the program may not do with a stranger's file: run macros, run what is embedded, fetch what it only names (a picture on
# another machine would tell that the file was read, and a file of this machine could end up in the text).
_FORBIDDEN: Final = (
    ("MacroSecurityLevel", "3"),
    ("DisableMacrosExecution", "true"),
    ("DisableActiveContent", "true"),
    ("BlockUntrustedRefererLinks", "true"),
)


def converted(data: bytes, kind: SourceKind, *, seconds: float = SECONDS) -> bytes:
    """The docx bytes of a file; raises InvalidInput where LibreOffice is missing, gives up, or takes too long.

    LibreOffice gets a profile and a temporary folder of its own, so that nothing of the user's is touched, nothing is left
    when it is ended, and two conversions do not wait for one another; macros and links are switched off in it.
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
        profile = Path(folder) / "profile"
        _write_settings(profile / "user" / "registrymodifications.xcu")
        command = [
            program,
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--norestore",
            "--convert-to",
            "docx:MS Word 2007 XML",
            "--outdir",
            str(Path(folder) / "out"),
            str(source),
        ]
        _run(command, title, seconds, folder)
        made = Path(folder) / "out" / "source.docx"
        if not made.is_file():
            raise InvalidInput(f"{title}已损坏或设了密码，LibreOffice 打不开；请用 Word 或 WPS 另存为 docx 后导入。")
        return made.read_bytes()


def _write_settings(file: Path) -> None:
    place = "/org.openoffice.Office.Common/Security/Scripting"
    items = "".join(
        f'<item oor:path="{place}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for name, value in _FORBIDDEN
    )
    file.parent.mkdir(parents=True)
    file.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<oor:items xmlns:oor="http://openoffice.org/2001/registry">{items}</oor:items>',
        "utf-8",
    )


def _run(command: list[str], title: str, seconds: float, folder: str) -> None:
    # The launcher starts the office as a child of its own: the whole group must go when the time is over.
    process = subprocess.Popen(  # noqa: S603 -- the program is looked up by name, its arguments are ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": folder},
        start_new_session=True,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"{title}转换了 {seconds:.0f} 秒还没有完成；请用 Word 或 WPS 另存为 docx 后导入。") from None
    finally:
        end_group(process)
