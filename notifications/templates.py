"""The words of letters: ``templates/<kind>/{subject.txt,body.txt,body.html}``, rendered in Jinja's sandbox, and linted.

An administrator may put files of the same names into a folder of their own, which is looked into first. A template sees the
variables of ``VARIABLES`` and nothing else; an unknown one is an error and never an empty place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.errors import JixiaoError
from notifications.kinds import KIND_TITLES, Kind
from notifications.letters import Item, Letter, Reason, chief, one_line

PARTS = ("subject.txt", "body.txt", "body.html")
# What a template may use.
VARIABLES = frozenset(
    ("kind_title", "items", "reasons", "text", "title", "state", "due", "left", "remark", "link", "step")
)
_SHIPPED = Path(__file__).parent / "templates"
_LAYOUT = "layout/"
# A mail that is longer was not meant by anybody.
_LONGEST = 200_000


class TemplateFailedError(JixiaoError):
    """A letter that its template could not write; others may be written by the same one."""

    code = "template_failed"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a template: which file, which line, and what to do."""

    file: str
    line: int
    message: str


@lru_cache(maxsize=8)
def environment(folder: Path | None = None) -> jinja2.Environment:
    """The sandbox, with an administrator's folder before the shipped one."""
    folders = [str(item) for item in (folder, _SHIPPED) if item is not None]
    made = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders, encoding="utf-8"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.clear()
    return made


def write_letter(
    environment_: jinja2.Environment,
    *,
    letter_id: str,
    items: Sequence[Item],
    made_at: datetime,
    link: Callable[[str], str],
    address: str = "",
    reasons: Sequence[Reason] = (),
    kind: Kind | None = None,
) -> Letter:
    """A letter of one or several items; raises TemplateFailedError with the template and what went wrong."""
    chosen = kind or (items[0].kind if len(items) == 1 else Kind.SEVERAL)
    values = _values(chosen, items, reasons, link)
    subject, text, html = (_rendered(environment_, f"{chosen}/{part}", values) for part in PARTS)
    return Letter(
        id=letter_id,
        kind=chosen if chosen is Kind.DIGEST else chief(items),
        items=tuple(items),
        subject=one_line(subject),
        text=text.strip() + "\n",
        html=html,
        made_at=made_at,
        address=address,
    )


def _values(kind: Kind, items: Sequence[Item], reasons: Sequence[Reason], link: Callable[[str], str]) -> dict[str, Any]:
    first = items[0]
    # A digest is about no text in particular.
    one = Item(kind) if kind is Kind.DIGEST else first
    return {
        "kind_title": KIND_TITLES[kind],
        "items": list(items),
        "reasons": list(reasons),
        "text": one.text,
        "title": one_line(one.title),
        "state": one.state,
        "due": one.due,
        "left": one.left,
        "remark": one.remark,
        "link": link(one.text) if one.text else "",
        "step": one.step,
    }


def _rendered(environment_: jinja2.Environment, name: str, values: dict[str, Any]) -> str:
    try:
        written = _limited(environment_.get_template(name).generate(values))
    except Exception as error:
        # A template is a program of somebody else's, and may fail in any way.
        raise TemplateFailedError(
            f"模板 {name} 出错（{type(error).__name__}）；请用 jixiao notify preview 检查。"
        ) from error
    if written is None:
        raise TemplateFailedError(f"模板 {name} 写出的内容超过 {_LONGEST} 字；请检查其中的循环。")
    return written


def _limited(pieces: Iterator[str]) -> str | None:
    """The whole text; None where it grows too long, before it fills the memory."""
    taken, length = [], 0
    for piece in pieces:
        taken.append(piece)
        length += len(piece)
        if length > _LONGEST:
            return None
    return "".join(taken)


def lint(folder: Path | None = None) -> list[Problem]:
    """What is wrong with the templates of every kind, those of an administrator's folder included."""
    checked = environment(folder)
    found: list[Problem] = []
    for kind in Kind:
        for part in PARTS:
            found += _linted(checked, f"{kind}/{part}")
    if folder is not None:
        known = {str(kind) for kind in Kind} | {"layout"}
        for path in sorted(folder.glob("*/*")):
            name = path.relative_to(folder)
            # Documents have their templates in the same folder, and a check of their own (jixiao document lint).
            if path.suffix in (".j2", ".typ", ".css", ".xml", ".docx"):
                continue
            if name.parts[0] not in known or name.parts[1] not in PARTS:
                found.append(Problem(str(name), 0, "没有这个种类或这个文件名，不会被用到；请检查拼写"))
    return found


def _linted(checked: jinja2.Environment, name: str) -> Iterator[Problem]:
    assert checked.loader is not None  # noqa: S101 -- ``environment`` gives one
    try:
        source, _, _ = checked.loader.get_source(checked, name)
    except jinja2.TemplateNotFound:
        yield Problem(name, 0, "没有这个模板；请补上")
        return
    except UnicodeDecodeError:
        yield Problem(name, 0, "不是 UTF-8 编码；请以 UTF-8 保存")
        return
    try:
        tree = checked.parse(source, name)
    except jinja2.TemplateSyntaxError as error:
        yield Problem(name, error.lineno, f"模板语法有误：{error.message}")
        return
    for variable in sorted(meta.find_undeclared_variables(tree) - VARIABLES):
        yield Problem(name, 0, f"没有变量“{variable}”；可以用 {'、'.join(sorted(VARIABLES))}")
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        template = getattr(node, "template", None)
        target = template.value if isinstance(template, nodes.Const) else None
        if not isinstance(target, str) or not target.startswith(_LAYOUT):
            yield Problem(name, node.lineno, "只能继承 layout/ 中的模板")
    for used in tree.find_all(nodes.Filter):
        if used.name == "safe":
            yield Problem(name, used.lineno, "不能用 safe：标题来自文件，必须转义")
        elif used.name not in checked.filters:
            yield Problem(name, used.lineno, f"没有过滤器“{used.name}”")
    if name.endswith("subject.txt") and len(source.strip().splitlines()) != 1:
        yield Problem(name, 0, "邮件标题只能有一行")
    if name.endswith(".html"):
        yield from _remote(name, source)


def _remote(name: str, source: str) -> Iterator[Problem]:
    """What a mail must not load from elsewhere: whoever serves it would see who reads it when."""
    for number, line in enumerate(source.splitlines(), 1):
        lowered = line.lower()
        if any(mark in lowered for mark in ("<script", "<img", "<iframe", "<link", "url(", "onerror=", "onload=")):
            yield Problem(name, number, "邮件中不能有脚本、图片和外部资源")
