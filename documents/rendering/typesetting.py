"""The printed page: typst sets the XHTML fragment of a document as tagged PDF/A-2a.

One compiler per font set lives as long as the process, since loading fonts takes longer than setting a text. A compiler
refuses a second caller while it works ("Already borrowed"), so each has a lock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from threading import Lock
from typing import Final

import orjson
import typst

from documents.rendering.characters import refusal
from documents.rendering.fonts import FontSet
from documents.rendering.stage import Stage
from documents.rendering.words import Words, template_source
from models.errors import JixiaoError

PAGE: Final = "_base/page.typ"

_NO_GLYPH: Final = re.compile(r"the (?:text|PDF)(?: contains the (?:disallowed )?codepoint)? `\"(.+?)\"`")
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-fA-F]+)\}")
_WATERMARK: Final = """
#set page(width: auto, height: auto, margin: 0pt, fill: none)
#set text(size: 120pt, fill: luma(232), tracking: 20pt)
#let page-data = json(bytes(sys.inputs.page))
#rotate(-45deg, reflow: true, text(font: page-data.fonts.hei, page-data.words))
"""


@dataclass
class _Press:
    """A compiler with its lock, and the outlines of watermarks that it has drawn."""

    fonts: FontSet
    lock: Lock = field(default_factory=Lock)
    watermarks: dict[str, str] = field(default_factory=dict)

    @cached_property
    def compiler(self) -> typst.Compiler:
        return typst.Compiler(font_paths=self.fonts.fonts, ignore_system_fonts=True)

    @cached_property
    def source(self) -> bytes:
        source = template_source(PAGE)
        if source is None:
            raise JixiaoError(f"安装不完整：缺少模板 {PAGE}；请重新安装。")
        return source.encode()

    def outlines(self, words: str) -> str:
        """The words of a watermark as SVG paths."""
        if words not in self.watermarks:
            inputs = {"page": orjson.dumps({"fonts": self.fonts.families, "words": words}).decode()}
            drawn = self.compiler.compile(_WATERMARK.encode(), format="svg", sys_inputs=inputs)
            self.watermarks[words] = bytes(drawn).decode()  # type: ignore[arg-type]
        return self.watermarks[words]


@cache
def _press(fonts: FontSet) -> _Press:
    return _Press(fonts)


def _page_data(stage: Stage, words: Words, fonts: FontSet) -> dict[str, object]:
    day = stage.issued_on
    return {
        "title": words.title,
        "author": stage.department or stage.content.department.unit_name or stage.content.department.name,
        "year": day.year,
        "month": day.month,
        "day": day.day,
        "footer": f"版本 {stage.version}　内容哈希 {stage.content_hash[:16]}",
        "fonts": fonts.families,
    }


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)


def _explained(error: typst.TypstError, stage: Stage) -> JixiaoError:
    """Our error for typst's: a character without a glyph is the author's to change, anything else is our fault."""
    match = _NO_GLYPH.search(error.message)
    if match:
        return refusal(stage, _unescaped(match.group(1)))
    return JixiaoError(f"文书“{stage.document}”排版失败：{error.message}；请将此信息报告给维护人员。")


def typeset(stage: Stage, words: Words, fonts: FontSet) -> bytes:
    """PDF/A-2a of a stage's words; raises InvalidInput that names a character which no font has."""
    press = _press(fonts)
    day = stage.issued_on
    with press.lock:
        inputs = {
            "page": orjson.dumps(_page_data(stage, words, press.fonts)).decode(),
            "body": f"<article>{words.body}</article>",
        }
        if words.watermark:
            inputs["watermark"] = press.outlines(words.watermark)
        try:
            made, warnings = press.compiler.compile_with_warnings(
                press.source,
                format="pdf",
                sys_inputs=inputs,
                pdf_standards=["a-2a"],
                timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
            )
        except typst.TypstError as error:
            raise _explained(error, stage) from error
    if warnings or not isinstance(made, bytes):
        reasons = "；".join(warning.message for warning in warnings) or "没有得到页面"
        raise JixiaoError(f"文书“{stage.document}”排版有异常：{reasons}；请将此信息报告给维护人员。")
    return made
