"""An archive as a file: its members in a ZIP that is the same whenever and wherever it is made, and the reading of a stranger's.

Members are stored as they are: compression differs between versions of its library, and the documents are compressed already.
``manifest.sha256`` names every other member in the form of ``sha256sum``, in order of path.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

from models.canonical import digest
from models.errors import InvalidInput

MANIFEST = "manifest.sha256"
README = "README.md"

# Far more than any text has; what is larger is no archive of ours, or means harm.
_MOST_FILES = 20_000
_LARGEST = 1024 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}")
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_ENCRYPTED = 0x1
_REGULAR, _KIND = 0o100000, 0o170000


def packed(members: Mapping[str, bytes]) -> bytes:
    """The ZIP of members by path, with the manifest as its last member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in [*sorted(members), MANIFEST]:
            data = members[path] if path != MANIFEST else manifest_of(members).encode()
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = 3
            entry.external_attr = (_REGULAR | 0o644) << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def manifest_of(members: Mapping[str, bytes]) -> str:
    """The lines ``sha256  path`` of members, in order of path."""
    return "".join(f"{digest(members[path])}  {path}\n" for path in sorted(members))


def unpacked(data: bytes) -> dict[str, bytes]:
    """The members of an archive by path, nothing written anywhere; raises InvalidInput for a ZIP that is none of ours.

    Refused are names that lead elsewhere, a name twice, links and folders, encryption, and more or larger members than
    an archive has, whatever the headers claim.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _require_harmless(entries)
            return {entry.filename: _read(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise InvalidInput("这不是归档文件，或者文件不完整；请重新取得由 jixiao archive make 生成的 ZIP。") from error


def _require_harmless(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > _MOST_FILES or sum(entry.file_size for entry in entries) > _LARGEST:
        raise InvalidInput("归档文件里的文件太多或太大，不是 jixiao 生成的；没有打开。")
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        raise InvalidInput(f"归档文件里有重名的文件（{_shown(repeated[0])}），不知道该看哪一个；没有打开。")
    for entry in entries:
        mode = entry.external_attr >> 16 & _KIND
        if not _PATH.fullmatch(entry.orig_filename) or ".." in entry.filename:
            raise InvalidInput(f"归档文件里有不能用的文件名（{_shown(entry.orig_filename)}），可能有害；没有打开。")
        if entry.flag_bits & _ENCRYPTED or mode not in (0, _REGULAR):
            raise InvalidInput(f"归档文件里的“{entry.filename}”加了密，或者不是普通文件；没有打开。")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    # The header may claim less than there is: no more is read than it says, and the checksum of the rest then fails.
    with archive.open(entry) as member:
        return member.read(entry.file_size + 1)[: entry.file_size]


def _shown(name: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in name)[:80]


def parse_manifest(data: bytes) -> dict[str, str]:
    """SHA-256 by path; raises InvalidInput for another spelling than ours."""
    found: dict[str, str] = {}
    lines = data.decode("ascii", "replace").split("\n")
    for number, line in enumerate(lines[:-1], 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise InvalidInput(f"清单（{MANIFEST}）第 {number} 行读不出；请重新取得归档文件。")
        found[match[2]] = match[1]
    if lines[-1] != "" or list(found) != sorted(found):
        raise InvalidInput(f"清单（{MANIFEST}）不完整；请重新取得归档文件。")
    return found
