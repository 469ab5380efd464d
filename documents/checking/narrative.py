"""适当性: figures in sentences that contradict the table (A005).

A figure of a sentence is held against an indicator only where both have the same measure word and the sentence names what
the indicator counts: a text is full of other numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from rapidfuzz import fuzz

from documents.checking import figures
from documents.checking.context import Context, LocatedIndicator
from documents.checking.corpus import plain_words
from documents.checking.members import narrative_of, prose_of_project
from documents.checking.registry import Objection, rule
from documents.checking.wording import quote, yuan
from documents.reading.measures import DATE, NUMBER_PATTERN, UNIT
from models.findings import Criterion, Severity

_CHINESE: Final = "〇零一二三四五六七八九"
_COUNT: Final = r"[二三四五六七八九十百千两][〇零一二三四五六七八九十百千万两]{0,8}"
_FIGURE = re.compile(rf"(?<![\d.])(?P<number>{NUMBER_PATTERN}|{_COUNT})\s*(?P<unit>{UNIT.pattern})")
_ANY_FIGURE = re.compile(r"[\d二三四五六七八九十百千两]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_CLAUSE = re.compile(r"[，,。；;！!？?：:、\n\t]")
_TAIL = re.compile(r"(?:总)?(?:场次|次数|人次|期数|人数|册数|户数|个数|项数|天数|数量|数)$")
_TOTAL = re.compile(r"(?:项目)?(?:总预算|预算总额|预算数|预算资金|预算总投入)[为是共约]*$")
# So many every quarter, or in every village, are not so many in the year.
_EACH = re.compile(r"每(?!年)|平均|人均")
# What can stand between the beginning of a clause, the whole name of an indicator, and its figure.
_PLANNING: Final = r"(?:全年度?|本?年度|本年|预计|计划|力争|确保|争取|将|共)*"
_REACHING: Final = r"(?:达到|达|不少于|不低于|超过|完成|共|为|是|[≥>=≤<])?"
_YUAN: Final = ("元",)
_SHORTEST: Final = 3
_LONGEST_NAME: Final = 20
_ALIKE: Final = 90
# What a cell of thousands of characters holds is no figure of a plan; the bound keeps the comparison linear.
_LONGEST: Final = 2_000
_LONGEST_NUMBER: Final = 20


@dataclass(frozen=True)
class _Figure:
    """A number with its measure word, the words before it, and the clause that it stands in."""

    number: Decimal
    unit: str
    before: str
    clause: str

    @cached_property
    def words(self) -> str:
        """The clause as it is compared."""
        return plain_words(self.clause)


@dataclass(frozen=True)
class _Planned:
    """What an indicator plans: so many of a unit, of the thing that the words name."""

    item: LocatedIndicator
    number: Decimal
    unit: str
    words: str

    @cached_property
    def core(self) -> str:
        """The thing that is counted; looked for only where a sentence has the unit."""
        return _core(self.words)


def _number(written: str) -> Decimal | None:
    if not written[0].isascii():
        return _chinese(written)
    return Decimal(written) if len(written) <= _LONGEST_NUMBER else None


def _chinese(written: str) -> Decimal | None:
    """The value of a count in Chinese digits up to 千万, such as 十二 or 三百零五."""
    total = section = digit = 0
    for character in written.replace("两", "二"):
        if character in _CHINESE:
            digit = max(0, _CHINESE.index(character) - 1)
            continue
        if character == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
            continue
        section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
        digit = 0
    return Decimal(total + section + digit) if total + section + digit else None


def _figures(text: str, units: Iterable[str] | None = None) -> Iterator[_Figure]:
    """The figures of a text; with ``units`` only a text that names one of them is taken apart."""
    # Most sentences have no figure at all, and looking for one costs less than taking them apart.
    if units is not None and "％" not in text and not any(unit in text for unit in units):
        return
    if not _ANY_FIGURE.search(text):
        return
    words = DATE.sub("", _THOUSANDS.sub("", figures.narrow(text[:_LONGEST])))
    for clause in _CLAUSE.split(words):
        for match in _FIGURE.finditer(clause):
            number = _number(match["number"])
            if number is not None:
                yield _Figure(number, match["unit"], clause[: match.start()], clause)


def _core(name: str) -> str:
    """What an indicator counts: its name without figures, measure words and 次数 and the like at the end."""
    return _TAIL.sub("", plain_words(_FIGURE.sub("", name) if _ANY_FIGURE.search(name) else name))


def _planned(item: LocatedIndicator) -> Iterator[_Planned]:
    indicator = item.indicator
    if indicator.sign in ("定性", "区间") or indicator.period == "中期" or len(indicator.value) > _LONGEST:
        return
    number = figures.number(indicator.value)
    if number is not None:
        if indicator.unit:
            yield _Planned(item, number, indicator.unit.strip(), indicator.name)
        return
    for figure in _figures(indicator.value):
        yield _Planned(item, figure.number, figure.unit, figure.before)


@rule(
    "A005",
    Severity.WARNING,
    Criterion.APPROPRIATENESS,
    title="文字与表中的数不一致",
    basis="文字叙述中的数应当与绩效目标表一致",
)
def contradicting_figures(context: Context) -> Iterator[Objection]:
    """The department's sentences beside all indicators, a project's beside its own, and a name beside its own value.

    A sentence that says the same thing again is one finding.
    """
    yield from dict.fromkeys(_all_contradictions(context))


def _all_contradictions(context: Context) -> Iterator[Objection]:
    content = context.content
    everything: list[_Planned] = []
    for number, located in enumerate(context.projects):
        by_indicator = [(item, list(_planned(item))) for item in context.of_project(located)]
        planned = [plan for _, own in by_indicator for plan in own]
        everything += planned
        sentences = list(prose_of_project(content, number))
        yield from _contradictions(sentences, planned)
        yield from _totals(sentences, located.project.budget.total)
        for item, own in by_indicator:
            yield from _own_words(item, own)
    yield from _contradictions(narrative_of(content), everything)


def _contradictions(sentences: Iterable[tuple[str, str]], planned: list[_Planned]) -> Iterator[Objection]:
    by_unit: dict[str, list[_Planned]] = {}
    for plan in planned:
        by_unit.setdefault(plan.unit, []).append(plan)
    for place, text in sentences if by_unit else ():
        for figure in _figures(text, by_unit):
            if _EACH.search(figure.before):
                continue
            near = [plan for plan in by_unit.get(figure.unit, ()) if _names(figure, plan.core) or _begins(figure, plan)]
            # Where two indicators count the same thing the sentence may mean either.
            if near and all(plan.number != figure.number for plan in near):
                yield _objection(place, figure, near[0])


def _names(figure: _Figure, core: str) -> bool:
    if len(core) < _SHORTEST:
        return False
    words = figure.words
    return core in words or (len(words) >= len(core) and fuzz.partial_ratio(core, words) >= _ALIKE)


def _begins(figure: _Figure, plan: _Planned) -> bool:
    """Whether a clause is the whole name of an indicator and its figure: 参加人次达到1600人次.

    Such a name is too short to be looked for in a sentence without its measure word.
    """
    name = plan.item.indicator.name
    if not _SHORTEST < len(name) <= _LONGEST_NAME or len(plan.core) >= _SHORTEST:
        return False
    return re.fullmatch(rf"{_PLANNING}{re.escape(name)}{_REACHING}", figure.before.strip()) is not None


def _own_words(item: LocatedIndicator, planned: list[_Planned]) -> Iterator[Objection]:
    """A name such as 送书8次 beside another value; the description counts where it names what the name says."""
    units = [plan.unit for plan in planned]
    for member, text in (("name", item.indicator.name), ("description", item.indicator.description)):
        for figure in _figures(text, units):
            same = [plan for plan in planned if plan.unit == figure.unit]
            if not same or any(_agree(figure, plan) for plan in same):
                continue
            if member == "name" or _names(figure, same[0].core):
                yield _objection(f"{item.place}/{member}", figure, same[0])


def _agree(figure: _Figure, plan: _Planned) -> bool:
    """Whether two figures of one unit are the same; 元 taken for 万元 is A003's business."""
    return figure.number == plan.number or (
        figure.unit in figures.MONEY_UNITS and figures.off_by_ten_thousand(figure.number, plan.number)
    )


def _totals(sentences: Iterable[tuple[str, str]], total: Decimal | None) -> Iterator[Objection]:
    """A sum that a sentence calls the budget of the project."""
    for place, text in sentences if total is not None else ():
        for figure in _figures(text, _YUAN):
            if figure.unit in figures.MONEY_UNITS and _TOTAL.search(plain_words(figure.before)):
                said = figures.amount(figure.number, figure.unit).yuan
                if said != total:
                    yield Objection(
                        place, f"文字{quote(figure.clause)}与预算数 {yuan(total or Decimal(0))}不一致；请统一两处。"
                    )


def _objection(place: str, figure: _Figure, plan: _Planned) -> Objection:
    return Objection(
        place,
        f"文字{quote(figure.clause)}写的是 {figure.number:f} {figure.unit}，而{plan.item.name}的指标值是 "
        f"{plan.number:f} {plan.unit}；请统一两处。",
    )
