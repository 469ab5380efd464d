"""The words of each document: Jinja2 templates that yield one XHTML fragment, the source of both HTML and PDF.

A document's folder ``documents/templates/<document>/`` holds ``words.xhtml.j2``. It sets ``title`` (and ``watermark``
where the page carries one) and writes the body in a small vocabulary of elements and classes, listed in
``documents/templates/README.md``. The page template puts the fragment into an HTML page and ``page.typ`` sets the same
fragment as PDF, so that no wording stands in two places. Everything that comes from a content or a person is escaped on
its way in: markup in data stays literal in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import FunctionLoader, StrictUndefined, Template, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from documents.rendering import figures, tables
from documents.rendering.characters import refuse_forbidden
from documents.rendering.publication import published
from documents.rendering.reviews import kind_counts, review_forms
from documents.rendering.stage import Stage
from documents.rendering.titles import member_title
from models.errors import NotFound

WORDS: Final = "words.xhtml.j2"
_SHARED: Final = "_base"


@dataclass(frozen=True, slots=True)
class Words:
    """A document in words: its title, the watermark ("" for none), and the XHTML fragment of its body."""

    title: str
    watermark: str
    body: str


def _context(stage: Stage) -> dict[str, Any]:
    content = published(stage.content) if stage.document == "publication" else stage.content
    named = content.department.unit_name or content.department.name
    return {
        "stage": stage,
        "content": content,
        "text_title": content.title or f"{content.fiscal_year}年部门预算绩效文本",
        "department": stage.department or named,
        "finance": stage.finance or content.reviewing_body,
        "number": stage.document_number or f"〔{stage.issued_on.year}〕\u3000\u3000号",
        "totals": tables.totals(content.projects),
        "forms": review_forms(content, stage.opinions),
        "kinds": kind_counts(stage),
    }


CONTEXT_NAMES: Final = frozenset(
    ("stage", "content", "text_title", "department", "finance", "number", "totals", "forms", "kinds")
)
_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "money": figures.plain_money,
    "grouped": figures.grouped_money,
    "wan": figures.ten_thousands,
    "chinese_date": figures.chinese_date,
    "local_time": figures.local_time,
    "ordinal": figures.ordinal,
    "lines": lambda words: [line.strip() for line in words.splitlines() if line.strip()],
    "indicator_rows": tables.indicator_rows,
    "plan_lines": tables.plan_lines,
    "goal_lines": tables.goal_lines,
    "details": tables.details,
    "member_title": member_title,
}


def template_source(name: str) -> str | None:
    """Source of a template in the package's data by its path below ``documents/templates``; None where there is none."""
    folder = resources.files("documents").joinpath("templates")
    try:
        return folder.joinpath(*name.split("/")).read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


class UnknownName(Exception):
    """A template uses a name that no document defines: a fault of the program, found when the template is loaded."""


class _Environment(ImmutableSandboxedEnvironment):
    """Refuses a template with unknown names when it is loaded, and not only when its branch is reached."""

    names: frozenset[str] = CONTEXT_NAMES

    def compile(self, source: Any, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(source, str):
            unknown = meta.find_undeclared_variables(self.parse(source, name)) - self.names - set(self.globals)
            if unknown:
                raise UnknownName(f"模板 {name} 用了没有定义的名称：{'、'.join(sorted(unknown))}。")
        return super().compile(source, name, *args, **kwargs)


def environment(
    source: Callable[[str], str | None] = template_source, names: frozenset[str] = CONTEXT_NAMES
) -> ImmutableSandboxedEnvironment:
    """A sandbox for templates that may use ``names``: an unknown one is an error, and everything written is escaped."""
    sandbox = _Environment(
        loader=FunctionLoader(source),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    sandbox.names = names
    sandbox.filters.update(_FILTERS)
    sandbox.globals["NOTHING"] = figures.NOTHING
    return sandbox


@cache
def _templates() -> ImmutableSandboxedEnvironment:
    return environment()


@cache
def document_names() -> tuple[str, ...]:
    """Names of the documents that can be rendered, the ``document:`` names of workflow definitions, in order of name."""
    folders = resources.files("documents").joinpath("templates").iterdir()
    return tuple(sorted(folder.name for folder in folders if folder.joinpath(WORDS).is_file()))


def _template(document: str) -> Template:
    if document not in document_names():
        raise NotFound(
            f"没有名为“{document}”的文书；可用的文书有：{'、'.join(document_names())}。",
            document=document,
            available=list(document_names()),
        )
    return _templates().get_template(f"{document}/{WORDS}")


def words(stage: Stage) -> Words:
    """The words of a stage's document; raises NotFound for an unknown document, InvalidInput for unusable characters."""
    template = _template(stage.document)
    module = template.make_module(_context(stage))
    exported = vars(module)
    made = Words(title=str(exported["title"]), watermark=str(exported.get("watermark", "")), body=str(module))
    refuse_forbidden(stage, f"{made.title}{made.body}")
    return made
