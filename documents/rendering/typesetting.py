"""The printed page: typst sets the XHTML fragment of a document as tagged PDF/A-2a.

One compiler per font set lives as long as the process, since loading fonts takes longer than setting a text. A compiler
refuses a second caller while it works ("Already borrowed"), so each has a lock. Its root is an empty folder: a page that an
office wrote itself reads no file of the machine. Words by which it could load a package from the network are refused
before typst sees them (``page_problems``), since typst has no switch against that.
"""

from __future__ import annotations

import atexit
import contextlib
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import Final

import orjson
import typst

from documents.rendering.characters import refusal as character_refusal
from documents.rendering.fonts import FontSet
from documents.rendering.stage import Stage
from documents.rendering.template_faults import TemplateProblem, refusal
from documents.rendering.template_set import SHIPPED, WORDS, TemplateSet
from documents.rendering.words import Words
from models.errors import JixiaoError

PAGE: Final = "_base/page.typ"

_NO_GLYPH: Final = re.compile(r"the (?:text|PDF)(?: contains the (?:disallowed )?codepoint)? `\"(.+?)\"`")
# ``std`` is there because it hands out the other ones under any name.
_LOADING: Final = re.compile(r"(?<![\w-])(import|include|eval|plugin|std)(?![\w-])")
_LINE: Final = re.compile(r"__typst_py_bytes__\.typ:(\d+):")
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-fA-F]+)\}")
# Not 45 degrees: slanted strokes would become upright ones, which readers of PDF take for the borders of a table.
_WATERMARK: Final = """
#set page(width: auto, height: auto, margin: 0pt, fill: none)
#set text(size: 120pt, fill: luma(232), tracking: 20pt)
#let page-data = json(bytes(sys.inputs.page))
#rotate(-42deg, reflow: true, text(font: page-data.fonts.hei, page-data.words))
"""
_HEADING_PAGES: Final = (
    b"\n#context [#metadata(query(heading).map(it => counter(page).at(it.location()).first())) <heading-pages>]\n"
)


@dataclass
class _Press:
    """A compiler with its lock, and the outlines of watermarks that it has drawn."""

    fonts: FontSet
    lock: Lock = field(default_factory=Lock)
    watermarks: dict[str, str] = field(default_factory=dict)

    @cached_property
    def compiler(self) -> typst.Compiler:
        root = _empty_folder()
        return typst.Compiler(
            font_paths=self.fonts.fonts,
            ignore_system_fonts=True,
            root=root,
            package_path=root,
            package_cache_path=root,
        )

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


@cache
def _empty_folder() -> str:
    folder = tempfile.mkdtemp(prefix="jixiao-page-")

    def remove() -> None:
        with contextlib.suppress(OSError):
            Path(folder).rmdir()

    atexit.register(remove)
    return folder


def _source(templates: TemplateSet) -> bytes:
    source = templates.data(PAGE)
    if source is None:
        raise JixiaoError(f"安装不完整：缺少模板 {PAGE}；请重新安装。")
    if templates.overrides_file(PAGE):
        problems = page_problems(source)
        if problems:
            raise refusal(problems)
    return source


def page_problems(source: bytes) -> list[TemplateProblem]:
    """What an office's own ``page.typ`` must not hold: words that load other code or run it, also in comments."""
    try:
        lines = source.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return [TemplateProblem(PAGE, 0, "不是 UTF-8 编码；请以 UTF-8 保存")]
    return [
        TemplateProblem(PAGE, number, f"不能用“{found[1]}”：页面模板不能读取别的文件和程序包；请删去，注释里也不要写")
        for number, line in enumerate(lines, start=1)
        for found in _LOADING.finditer(line)
    ]


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


def heading_pages(stage: Stage, words: Words, fonts: FontSet, templates: TemplateSet = SHIPPED) -> tuple[int, ...]:
    """The page number of every heading of a stage's words, in order, as its printed page counts: the cover is page 0.

    The page is set and not written, so that a character which no font has is no error here.
    """
    press = _press(fonts)
    inputs = {
        "page": orjson.dumps(_page_data(stage, words, press.fonts)).decode(),
        "body": f"<article>{words.body}</article>",
    }
    try:
        found = typst.query(  # type: ignore[type-var]  # the stub has one type for source and root
            _source(templates) + _HEADING_PAGES,
            "<heading-pages>",
            field="value",
            one=True,
            font_paths=press.fonts.fonts,
            ignore_system_fonts=True,
            sys_inputs=inputs,
            root=_empty_folder(),
            package_path=_empty_folder(),
            package_cache_path=_empty_folder(),
        )
    except RuntimeError as error:
        # A query tells nothing but one sentence, and not as a TypstError.
        raise _explained(error, stage, templates) from error
    return tuple(orjson.loads(found))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)


def _explained(error: RuntimeError, stage: Stage, templates: TemplateSet) -> JixiaoError:
    """Our error for typst's: a character without a glyph is the author's to change, anything else is the template's fault."""
    message = error.message if isinstance(error, typst.TypstError) else str(error)
    match = _NO_GLYPH.search(message)
    if match:
        return character_refusal(stage, _unescaped(match.group(1)))
    if templates.overrides(stage.document):
        name = PAGE if templates.overrides_file(PAGE) else f"{stage.document}/{WORDS}"
        told = error.diagnostic if isinstance(error, typst.TypstError) and name == PAGE else ""
        found = _LINE.search(told)
        return refusal([TemplateProblem(name, int(found[1]) if found else 0, _page_fault(message))])
    return JixiaoError(f"文书“{stage.document}”排版失败：{message}；请将此信息报告给维护人员。")


def _page_fault(message: str) -> str:
    if "file not found" in message or "project root" in message:
        return "页面模板不能读取文件；请删去这一处"
    return f"排版失败（{message}）；请改正"


def typeset(stage: Stage, words: Words, fonts: FontSet, templates: TemplateSet = SHIPPED) -> bytes:
    """PDF/A-2a of a stage's words.

    Raises InvalidInput that names a character which no font has, BrokenTemplate for a page of an office's own that fails.
    """
    source = _source(templates)
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
                source,
                format="pdf",
                sys_inputs=inputs,
                pdf_standards=["a-2a"],
                timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
            )
        except typst.TypstError as error:
            raise _explained(error, stage, templates) from error
    if warnings and templates.overrides(stage.document):
        raise refusal([TemplateProblem(PAGE, 0, _page_fault(warning.message)) for warning in warnings])
    if warnings or not isinstance(made, bytes):
        reasons = "；".join(warning.message for warning in warnings) or "没有得到页面"
        raise JixiaoError(f"文书“{stage.document}”排版有异常：{reasons}；请将此信息报告给维护人员。")
    return made
