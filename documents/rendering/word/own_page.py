"""An office's own Word template, ``<document>/page.docx``, filled in by docxtpl with the names of the words templates.

docxtpl is LGPL-2.1 and an extra (``jixiao[word]``): it is imported where somebody has such a template, and nowhere else.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Final

from docx.opc.exceptions import PackageNotFoundError
from docx.package import Package
from jinja2 import TemplateSyntaxError

from documents.rendering.characters import refuse_unwritable
from documents.rendering.stage import Stage
from documents.rendering.template_faults import TemplateProblem, problem_of, refusal
from documents.rendering.template_set import WORD_PAGE
from documents.rendering.words import context_of, environment
from models.errors import JixiaoError

if TYPE_CHECKING:
    from docxtpl import DocxTemplate


_TAG: Final = re.compile(r"<[^>]*>?")


def filled(stage: Stage, template: bytes) -> Package:
    """The package of a stage's document; raises BrokenTemplate for a template that can't be filled in.

    Unknown names are errors, and what is written is escaped: markup in data stays literal.
    """
    name = f"{stage.document}/{WORD_PAGE}"
    document = _opened(template, name)
    context = context_of(stage)
    refuse_unwritable(stage)
    try:
        document.render(context, jinja_env=environment(lambda _name: None), autoescape=True)
    except Exception as error:
        # A template is a program of somebody else's, and may fail in any way.
        raise refusal([_problem(error, name)]) from error
    package: Package = document.docx.part.package
    return package


def _opened(template: bytes, name: str) -> DocxTemplate:
    try:
        from docxtpl import DocxTemplate
    except ImportError as error:
        raise JixiaoError(
            f"没有安装 Word 模板组件，不能使用模板 {name}；请运行 pip install 'jixiao[word]' 后重试。"
        ) from error
    try:
        document = DocxTemplate(io.BytesIO(template))
        document.init_docx()
    except (PackageNotFoundError, zipfile.BadZipFile, ValueError, KeyError) as error:
        raise refusal([TemplateProblem(name, 0, "不是 Word 文件（.docx）；请在 Word 中另存为 .docx")]) from error
    return document


def _problem(error: Exception, name: str) -> TemplateProblem:
    message = problem_of(error, name).message
    if isinstance(error, TemplateSyntaxError):
        # Lines of the XML say nothing to somebody who looks at a page; the words around the place do.
        around: list[str] = [str(line) for line in getattr(error, "docx_context", ())]
        near = _TAG.sub("", "".join(around)).strip()[:60]
        where = f"，在“{near}”附近" if near else ""
        message = f"模板语法有误（{error.message}）{where}；请检查花括号和标签是否成对"
    return TemplateProblem(name, 0, message)
