"""规范性: project codes (T001) and agreement of the years (T003)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from documents.checking.context import Context
from documents.checking.fields import blank
from documents.checking.figures import narrow
from documents.checking.registry import Objection, rule
from documents.checking.wording import quote
from models.findings import Criterion, Severity

_CODE = re.compile(r"(?P<division>[0-9]{6})(?P<year>[0-9]{2})(?P<rest>[0-9A-Z]{13})")
_LENGTH: Final = 21
_DIGITS: Final = 8

_CHINESE_DIGITS: Final = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_HEAD: Final = 60
# The end of a range of years (2021—2023年) is not the year of a text.
_TITLE_YEAR = re.compile(r"(?<![0-9\-—–~至到、])((?:19|20)[0-9]{2})(?:财政)?年")
# An introduction may look back (2020年以来, 2020年底, 2020年12月) before it comes to its own year.
_INTRODUCTION_YEAR = re.compile(
    r"((?:19|20)[0-9]{2})(?:财政)?年(?!以来|以前|以后|来|前|后|起|至|到|底|末|初|[0-9\-—–~、])"
)


@rule(
    "T001",
    Severity.ERROR,
    Criterion.FORM,
    title="项目编码不规范",
    basis="项目编码为 21 位：6 位区划代码、2 位年度和 13 位数字或大写字母",
)
def project_codes(context: Context) -> Iterator[Objection]:
    """Malformed codes, codes of another year or division; a letter O, easily taken for 0, is a warning.

    An empty code is C001's business.
    """
    year = context.content.fiscal_year
    divisions = _suspect_divisions(context)
    for located in context.projects:
        code = located.project.code
        place = f"{located.place}/code"
        if blank(code):
            continue
        match = _CODE.fullmatch(code)
        if match is None:
            yield Objection(place, f"{located.name}的项目编码{quote(code)}{_fault(code)}；请对照预算系统更正。")
            continue
        if int(match["year"]) != year % 100:
            yield Objection(
                place,
                f"{located.name}的项目编码{quote(code)}的年度位是 {match['year']}，与财政年度 {year} 不符；请更正编码或年度。",
            )
        if match["division"] in divisions:
            yield Objection(
                place,
                f"{located.name}的项目编码{quote(code)}的区划代码是 {match['division']}，{divisions[match['division']]}；"
                "请对照预算系统更正。",
            )
        if "O" in match["rest"]:
            yield Objection(
                place,
                f"{located.name}的项目编码{quote(code)}含有字母 O，容易与数字 0 混淆；请对照预算系统逐位核对。",
                Severity.WARNING,
            )


def _suspect_divisions(context: Context) -> dict[str, str]:
    """Division codes that can't be right, with the reason.

    Without a configured division the one of more than half of the projects is taken for right; without such a majority
    nobody can say which is wrong, and all are reported.
    """
    matches = (_CODE.fullmatch(located.project.code) for located in context.projects)
    counts = Counter(match["division"] for match in matches if match is not None)
    expected = context.settings.division
    if expected is not None:
        return {division: f"应为 {expected}" for division in counts if division != expected}
    if len(counts) < 2:
        return {}
    majority = next((division for division, count in counts.items() if 2 * count > counts.total()), None)
    if majority is not None:
        return {division: f"而其他项目是 {majority}" for division in counts if division != majority}
    listed = "、".join(sorted(counts))
    return dict.fromkeys(counts, f"而本文本中的区划代码有 {listed}，互不一致")


def _fault(code: str) -> str:
    """What is wrong with a malformed code; the first fault is enough to find the others."""
    if any(character.isspace() for character in code):
        return "中间或两端有空白"
    if len(code) != _LENGTH:
        return f"有 {len(code)} 位，应为 {_LENGTH} 位"
    for number, character in enumerate(code, start=1):
        if number <= _DIGITS and character not in "0123456789":
            confused = "，疑为数字 0" if character in "Oo" else ""
            return f"的第 {number} 位是“{character}”{confused}，前 {_DIGITS} 位只能是数字"
        if not (character.isascii() and (character.isdigit() or character.isupper())):
            return f"的第 {number} 位是“{character}”，后 13 位只能是数字和大写字母"
    return "不规范"


@rule(
    "T003",
    Severity.ERROR,
    Criterion.FORM,
    title="年度不一致",
    basis="封面、项目编码和正文的年度应当一致",
)
def years(context: Context) -> Iterator[Objection]:
    """A year in the title, at the very beginning of the introduction, or in the codes that is not the fiscal year."""
    content = context.content
    year = content.fiscal_year
    title = _TITLE_YEAR.search(_head(content.title))
    if title is not None and int(title[1]) != year:
        yield Objection("/title", f"封面标题的年度是 {title[1]}，与财政年度 {year} 不一致；请更正。")
    introduction = _INTRODUCTION_YEAR.match(_head(content.overall.introduction))
    if introduction is not None and int(introduction[1]) != year:
        yield Objection(
            "/overall/introduction",
            f"总体绩效目标的总述以 {introduction[1]} 年开头，与财政年度 {year} 不一致；请更正。",
        )
    matches = (_CODE.fullmatch(project.code) for project in content.projects)
    wrong = sorted({match["year"] for match in matches if match is not None and int(match["year"]) != year % 100})
    if wrong:
        # One finding for the text: T001 names the projects.
        yield Objection(
            "/fiscal_year",
            f"项目编码的年度位是 {'、'.join(wrong)}，与财政年度 {year} 不一致；请更正编码或财政年度。",
        )


def _head(text: str) -> str:
    """The beginning of a text without blanks (the cover writes ``2021 年``) and with Chinese digits as digits."""
    return "".join(narrow(text[:_HEAD]).split()).translate(_CHINESE_DIGITS)
