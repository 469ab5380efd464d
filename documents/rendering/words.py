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
from functools import lru_cache
from typing import Any, Final

from jinja2 import FunctionLoader, StrictUndefined, Template, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree

from documents.rendering import figures, tables
from documents.rendering.characters import refuse_forbidden
from documents.rendering.publication import published
from documents.rendering.reviews import kind_counts, review_forms
from documents.rendering.stage import Stage
from documents.rendering.template_faults import UnknownName as UnknownName
from documents.rendering.template_faults import broken
from documents.rendering.template_set import SHIPPED, WORDS, TemplateSet
from documents.rendering.template_set import document_names as document_names
from documents.rendering.titles import member_title
from models.errors import JixiaoError, NotFound


@dataclass(frozen=True, slots=True)
class Words:
    """A document in words: its title, the watermark ("" for none), and the XHTML fragment of its body."""

    title: str
    watermark: str
    body: str


def context_of(stage: Stage) -> dict[str, Any]:
    """The names that a template of words, or of Word, may use."""
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
    "goal_rows": tables.goal_rows,
    "detail_rows": tables.detail_rows,
    "member_title": member_title,
}


def template_source(name: str) -> str | None:
    """Source of a template of the program by its path below ``documents/templates``; None where there is none."""
    return SHIPPED.source(name)


class _Environment(ImmutableSandboxedEnvironment):
    """Refuses a template with unknown names when it is loaded, and not only when its branch is reached."""

    names: frozenset[str] = CONTEXT_NAMES

    def compile(self, source: Any, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(source, str):
            unknown = meta.find_undeclared_variables(self.parse(source, name)) - self.names - set(self.globals)
            if unknown:
                raise UnknownName(name, sorted(unknown))
        return super().compile(source, name, *args, **kwargs)


def environment(
    source: Callable[[str], str | None] = template_source, names: frozenset[str] = CONTEXT_NAMES
) -> ImmutableSandboxedEnvironment:
    """A sandbox for templates that may use ``names``: an unknown one is an error, and everything written is escaped."""

    def loaded(name: str) -> tuple[str, str, None] | None:
        # The name stands in for a file name, so that a traceback tells the line of which template.
        found = source(name)
        return None if found is None else (found, name, None)

    sandbox = _Environment(
        loader=FunctionLoader(loaded),
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


@lru_cache(maxsize=16)
def environment_of(templates: TemplateSet) -> ImmutableSandboxedEnvironment:
    """The sandbox of a set of templates, with what it has loaded."""
    return environment(templates.source)


def require_document(document: str) -> None:
    """Raises NotFound for a document without templates."""
    if document not in document_names():
        raise NotFound(
            f"没有名为“{document}”的文书；可用的文书有：{'、'.join(document_names())}。",
            document=document,
            available=list(document_names()),
        )


def _made(template: Template, stage: Stage) -> Words:
    try:
        module = template.make_module(context_of(stage))
    except Exception:  # noqa: BLE001 -- raised again, with the lines of the template in the place of generated code
        template.environment.handle_exception()
    exported = vars(module)
    return Words(title=str(exported["title"]), watermark=str(exported.get("watermark", "")), body=str(module))


def words(stage: Stage, templates: TemplateSet = SHIPPED) -> Words:
    """The words of a stage's document.

    Raises NotFound for an unknown document, InvalidInput for unusable characters, BrokenTemplate for an own template that
    fails, or writes what is no XML.
    """
    require_document(stage.document)
    name = f"{stage.document}/{WORDS}"
    try:
        made = _made(environment_of(templates).get_template(name), stage)
    except JixiaoError:
        raise
    except Exception as error:
        # A template is a program of somebody else's, and may fail in any way; ours must not.
        if not templates.overrides(stage.document):
            raise
        raise broken(error, name) from error
    refuse_forbidden(stage, f"{made.title}{made.body}")
    if templates.overrides(stage.document):
        try:
            etree.fromstring(f"<article>{made.body}</article>", etree.XMLParser(resolve_entities=False, huge_tree=True))
        except etree.XMLSyntaxError as error:
            raise broken(error, name) from error
    return made
