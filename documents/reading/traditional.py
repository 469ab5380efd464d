"""Traditional characters: a form written with them is read after OpenCC has turned them into simplified ones.

OpenCC is no dependency of the program: few counties write so. Where it is missing, such a file is refused with a sentence
that says what to do, since no label would be recognized.
"""

from __future__ import annotations

import functools
import importlib
import re
from typing import Any, Final

from documents.reading.finding_codes import FindingCode, finding
from models.errors import InvalidInput
from models.findings import ReadingFinding

# Words that every form has and that are written otherwise in simplified characters.
_WORDS = re.compile("績效|預算|項目名稱|項目編碼|單位|指標|財政資金|產出|滿意度")
_FEWEST: Final = 3
_MOST_SHOWN: Final = 20


def simplified(text: str) -> tuple[str, tuple[ReadingFinding, ...]]:
    """The text in simplified characters, and the finding that says which were changed; unchanged where none are.

    Raises InvalidInput where the text is in traditional characters and OpenCC is not installed.
    """
    if len(_WORDS.findall(text)) < _FEWEST:
        return text, ()
    converted = "".join(_character(char) for char in text)
    changed = {old: new for old, new in zip(text, converted, strict=True) if old != new}
    shown = list(changed)[:_MOST_SHOWN]
    count = sum(1 for old, new in zip(text, converted, strict=True) if old != new)
    reason = f"文件用繁体字书写，{count} 个字逐字换成简体字（{len(changed)} 种），词语没有改动，请确认。"
    item = finding(
        FindingCode.TRADITIONAL, "", "".join(shown), reason, 0.9, repaired="".join(changed[old] for old in shown)
    )
    return converted, (item,)


@functools.cache
def _converter() -> Any:
    try:
        library = importlib.import_module("opencc")
    except ModuleNotFoundError:
        raise InvalidInput(
            "文件用繁体字书写，需要 OpenCC 才能读取，这里没有安装；请让管理员安装 Python 包 opencc，或在 Word、WPS 里转换成简体后再导入。"
        ) from None
    return library.OpenCC("t2s")


@functools.cache
def _character(char: str) -> str:
    """One character in its simplified form; by characters, so that places and widths stay as they are."""
    if not "\u3400" <= char <= "\u9fff":
        return char
    converted: str = _converter().convert(char)
    return converted if len(converted) == 1 else char
