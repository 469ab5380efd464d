"""What went wrong in an office's own template, as one sentence with file and line."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from lxml import etree

from documents.rendering.template_set import BrokenTemplate

_UNKNOWN_MEMBER: Final = re.compile(r"has no attribute '([^']+)'")
_UNKNOWN_NAME: Final = re.compile(r"'([^']+)' is undefined")
_ADVICE: Final = "改好后用 jixiao document lint 检查"


class UnknownName(Exception):
    """A template uses names that no document defines, found when the template is loaded."""

    def __init__(self, name: str | None, unknown: list[str]) -> None:
        super().__init__(f"模板 {name} 用了没有定义的名称：{'、'.join(unknown)}。")
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with a template: the file's path in its folder, the line (0 for the whole file), and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        where = f"第 {self.line} 行：" if self.line else ""
        return f"{self.file} {where}{self.message}"

    def to_json(self) -> dict[str, Any]:
        """``{file, line, message}``."""
        return {"file": self.file, "line": self.line, "message": self.message}


def problem_of(error: Exception, name: str) -> TemplateProblem:
    """The problem that an exception tells of, in the template ``name`` or in one that it uses."""
    file, line = _position(error, name)
    return TemplateProblem(file, line, _explained(error))


def refusal(problems: list[TemplateProblem]) -> BrokenTemplate:
    """The error for problems, of which it tells the first."""
    more = f"（共 {len(problems)} 处）" if len(problems) > 1 else ""
    return BrokenTemplate(
        f"单位自己的模板有误，没有生成文件：{problems[0]}{more}；{_ADVICE}。",
        problems=[item.to_json() for item in problems],
    )


def broken(error: Exception, name: str) -> BrokenTemplate:
    """The error for an exception that came out of the template ``name``."""
    return refusal([problem_of(error, name)])


def _position(error: Exception, name: str) -> tuple[str, int]:
    if isinstance(error, TemplateSyntaxError):
        return error.name or name, error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    known = [frame for frame in frames if frame.filename.endswith((".j2", ".css")) and frame.filename[:1] != "/"]
    return (known[-1].filename, known[-1].lineno or 0) if known else (name, 0)


def _explained(error: Exception) -> str:
    words = str(error)
    if isinstance(error, TemplateSyntaxError):
        return f"模板语法有误（{error.message}）；请对照 documents/templates/README.md 改正"
    if isinstance(error, TemplateNotFound):
        return f"没有模板“{error.name}”；请检查文件名"
    if isinstance(error, SecurityError):
        return "用了沙箱不允许的写法；模板只能读取文书的内容"
    if isinstance(error, UndefinedError):
        found = _UNKNOWN_MEMBER.search(words) or _UNKNOWN_NAME.search(words)
        return f"没有“{found[1] if found else words}”这个名称；请检查拼写"
    if isinstance(error, etree.XMLSyntaxError):
        return f"写出的内容不是完整的 XML（{error.msg}）；请检查标签是否成对"
    if isinstance(error, KeyError) and error.args == ("title",):
        return "没有设置标题；请写 {% set title = … %}"
    if isinstance(error, UnknownName):
        return f"没有“{'、'.join(error.unknown)}”这个名称；请检查拼写"
    return f"执行出错（{type(error).__name__}：{words[:200]}）；请改正"
