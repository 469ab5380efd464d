"""Whether an office's own templates can be used: what can be seen without running them, and what rendering an example shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any, Final

from jinja2 import TemplateSyntaxError, nodes
from lxml import etree

from documents.rendering.fonts import FontSet
from documents.rendering.pages import PAGE, PAGE_NAMES, render_html, render_pdf
from documents.rendering.sample import empty_stage, full_stage
from documents.rendering.template_faults import TemplateProblem, UnknownName, refusal
from documents.rendering.template_set import (
    SHARED,
    SHIPPED,
    WORD_PAGE,
    BrokenTemplate,
    TemplateSet,
    document_names,
    shipped_files,
)
from documents.rendering.typesetting import PAGE as PRINTED_PAGE
from documents.rendering.typesetting import page_problems
from documents.rendering.words import CONTEXT_NAMES, environment

# A page stands alone: it neither runs anything nor asks anybody for anything.
_OUTSIDE: Final = re.compile(r"<script|https?:|url\(|@import|\bsrc\s*=|javascript:", re.IGNORECASE)
_UNUSED: Final = "没有这种文书或这个文件名，不会被用到；请对照 documents/templates/README.md 检查拼写"
_SAFE: Final = "不能用 safe 或关闭转义：文书的内容来自文件，必须转义；请删去"
_LOADING: Final = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


@lru_cache(maxsize=16)
def static_problems(templates: TemplateSet) -> tuple[TemplateProblem, ...]:
    """What is wrong with own files, without running any: names of files, syntax, unknown names, what leads outside."""
    return tuple(problem for name, data in templates.own for problem in _file_problems(templates, name, data))


def require_sound(templates: TemplateSet) -> None:
    """Raises BrokenTemplate for templates that nothing may be rendered with; what is only not used is no reason."""
    problems = [item for item in static_problems(templates) if item.message != _UNUSED]
    if problems:
        raise refusal(problems)


def lint_templates(templates: TemplateSet = SHIPPED, *, fonts: FontSet | None = None) -> list[TemplateProblem]:
    """Every problem of a set of templates; each document of theirs is rendered in HTML, PDF and Word for two stages."""
    found = list(static_problems(templates))
    for document in document_names():
        if templates.own and not templates.overrides(document):
            continue
        if any(item.file.split("/")[0] in (document, SHARED) and item.message != _UNUSED for item in found):
            continue  # it would only fail for the same reason
        for problem in _rendered(document, templates, fonts):
            if problem not in found:
                found.append(problem)
    return found


def _file_problems(templates: TemplateSet, name: str, data: bytes) -> Iterator[TemplateProblem]:
    folder, _, file = name.partition("/")
    shared = {path for path, _ in shipped_files(SHARED)}
    known = folder in document_names() or folder == SHARED
    if not known or not (file.endswith(".j2") or name in shared or (file == WORD_PAGE and folder != SHARED)):
        yield TemplateProblem(name, 0, _UNUSED)
    elif name == PRINTED_PAGE:
        yield from page_problems(data)
    elif file.endswith(".xml"):
        try:
            etree.fromstring(data, etree.XMLParser(resolve_entities=False))
        except etree.XMLSyntaxError as error:
            yield TemplateProblem(name, error.lineno or 0, f"不是完整的 XML（{error.msg}）；请改正")
    elif file != WORD_PAGE:
        try:
            source = data.decode("utf-8")
        except UnicodeDecodeError:
            yield TemplateProblem(name, 0, "不是 UTF-8 编码；请以 UTF-8 保存")
            return
        yield from _outside(name, source)
        yield from _jinja_problems(templates, name, source)


def _outside(name: str, source: str) -> Iterator[TemplateProblem]:
    for number, line in enumerate(source.split("\n"), start=1):
        found = _OUTSIDE.search(line)
        if found:
            yield TemplateProblem(name, number, f"不能写“{found[0]}”：文书不带脚本，也不引用外面的地址；请删去")


def _jinja_problems(templates: TemplateSet, name: str, source: str) -> Iterator[TemplateProblem]:
    names = PAGE_NAMES if name == PAGE else CONTEXT_NAMES
    sandbox = environment(templates.source, names)
    try:
        tree: Any = sandbox.parse(source, name)
        sandbox.compile(source, name, name)
    except TemplateSyntaxError as error:
        yield TemplateProblem(name, error.lineno, f"模板语法有误（{error.message}）；请改正")
        return
    except UnknownName as error:
        for unknown in error.unknown:
            line = min((node.lineno for node in tree.find_all(nodes.Name) if node.name == unknown), default=0)
            yield TemplateProblem(name, line, f"没有“{unknown}”这个名称；可以用 {'、'.join(sorted(names))}")
    for node in tree.find_all((nodes.Filter, nodes.EvalContextModifier)):
        if isinstance(node, nodes.EvalContextModifier) or node.name == "safe":
            yield TemplateProblem(name, node.lineno, _SAFE)
    folder = name.split("/")[0]
    for node in tree.find_all(_LOADING):
        target = node.template.value if isinstance(node.template, nodes.Const) else None
        # The version of a document covers its own folder and the shared one.
        if not isinstance(target, str) or target.split("/")[0] not in (folder, SHARED):
            yield TemplateProblem(name, node.lineno, f"只能引用 {SHARED}/ 和 {folder}/ 中的模板；请写成固定的路径")


def _rendered(document: str, templates: TemplateSet, fonts: FontSet | None) -> Iterator[TemplateProblem]:
    from documents.rendering.word import render_docx

    for stage in (full_stage(document), empty_stage(document)):
        attempts = (
            partial(render_html, stage, templates=templates),
            partial(render_pdf, stage, fonts=fonts, templates=templates),
            partial(render_docx, stage, fonts=fonts, templates=templates),
        )
        for attempt in attempts:
            try:
                attempt()
            except BrokenTemplate as error:
                yield from (TemplateProblem(**item) for item in error.facts["problems"])
