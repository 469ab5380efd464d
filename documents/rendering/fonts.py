"""The fonts of the printed page: a user's own folder first, then the Noto fonts that come with the program.

The fonts that Chinese offices print with (仿宋_GB2312, 方正小标宋) are proprietary and never shipped; where a user's folder
has them, or the free Fandol family, the page takes them. A family is only named to typst where it really exists, since an
unknown name is no more than a warning there and would silently change the look. Fonts of the system are left alone:
they would make the same document differ from machine to machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pylopdf_fonts_zh_cn
import typst

from models.errors import InvalidInput

_SERIF: Final = "Noto Serif SC"
_SANS: Final = "Noto Sans SC"

# Wanted families in order, for each role that GB/T 9704-2012 gives a typeface to.
_WANTED: Final[dict[str, tuple[str, ...]]] = {
    "body": (
        "仿宋_GB2312",
        "FangSong_GB2312",
        "仿宋",
        "FangSong",
        "STFangsong",
        "FandolFang R",
        "FandolFang",
        _SERIF,
        _SANS,
    ),
    "title": (
        "方正小标宋简体",
        "方正小标宋_GBK",
        "FZXiaoBiaoSong-B05S",
        "FZXiaoBiaoSong-B05",
        "小标宋",
        "FandolSong",
        _SERIF,
        _SANS,
    ),
    "song": ("宋体", "SimSun", "STSong", "FandolSong", _SERIF, _SANS),
    "hei": ("黑体", "SimHei", "STHeiti", "FandolHei", _SANS, _SERIF),
    "kai": ("楷体_GB2312", "KaiTi_GB2312", "楷体", "KaiTi", "STKaiti", "FandolKai", _SERIF, _SANS),
}


@dataclass(frozen=True)
class FontSet:
    """The fonts a document is set with; ``folder`` is the user's own font folder, or None.

    The folder is read once: fonts that are added to it later need a new process.
    """

    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is not None and not self.folder.is_dir():
            raise InvalidInput(
                f"字体文件夹“{self.folder}”不存在；请检查设置，或取消该设置以使用自带字体。", folder=str(self.folder)
            )

    @cached_property
    def fonts(self) -> typst.Fonts:
        """The fonts as typst takes them."""
        base = str(pylopdf_fonts_zh_cn.serif_path().parent)
        folders = [base] if self.folder is None else [str(self.folder), base]
        return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)

    @cached_property
    def families(self) -> dict[str, list[str]]:
        """For each role (body, title, song, hei, kai) the families that exist here, the best first."""
        available = {family.casefold() for family in self.fonts.families()}
        return {
            role: [family for family in wanted if family.casefold() in available] for role, wanted in _WANTED.items()
        }
