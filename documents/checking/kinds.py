"""相关性: names that do not fit their kind (R002) and words of another area (R004)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from documents.checking.context import Context, LocatedIndicator
from documents.checking.members import texts_of
from documents.checking.registry import Objection, rule
from documents.checking.wording import owner, quote
from models.findings import Criterion, Severity

_COMPLETION = re.compile(r"完成率|完成比例|合格率|达标率")
# A share of what was done in time is a measure of time.
_IN_TIME = re.compile(r"及时|按时|准时|按期|如期|时限|逾期|到期|提前")
_SATISFACTION = re.compile(r"满意[度率]|满意程度|满意比例")

_MISFITS: Final = (
    ("时效", _COMPLETION, _IN_TIME, "时效指标应当衡量时间，请改为完成时间、及时率等"),
    ("经济效益", _COMPLETION, None, "经济效益指标应当衡量增收、节支等经济上的变化，请改用能反映效益的数值"),
)


@rule(
    "R002",
    Severity.WARNING,
    Criterion.RELEVANCE,
    title="指标与所属类别不符",
    basis="指标的名称和描述应当与所属的二级指标相符",
)
def misfits(context: Context) -> Iterator[Objection]:
    """Time or economic benefit measured by a share of completion, and satisfaction outside its own kind."""
    for item in context.indicators:
        if item.pair is None:
            continue
        level, kind = item.pair
        for wanted, pattern, unless, advice in _MISFITS:
            found = _measure(item, pattern) if kind == wanted else None
            if found and not (unless and _measure(item, unless)):
                yield Objection(f"{item.place}/name", f"{item.name}用{quote(found)}衡量，与类别不符；{advice}。")
        # A description may only say whom the benefit pleases; name and remark say what is measured.
        satisfaction = _SATISFACTION.search(item.indicator.name) or _SATISFACTION.search(item.indicator.remark or "")
        if level != "满意度" and satisfaction:
            yield Objection(
                f"{item.place}/level2",
                f"{item.name}衡量的是{quote(satisfaction[0])}，却列在{quote(item.indicator.level2)}；请移到满意度指标。",
            )


def _measure(item: LocatedIndicator, pattern: re.Pattern[str]) -> str | None:
    """What the name, the description or the remark of an indicator measures by, in its own words."""
    indicator = item.indicator
    for text in (indicator.name, indicator.description, indicator.remark or ""):
        found = pattern.search(text)
        if found:
            return found[0]
    return None


_AREA = re.compile(r"([县区旗市])(?:财政[局厅]|本级|人民政府)")
_OWN = re.compile(r"[\u4e00-\u9fff]{2}([县区旗])")
_WORDS: Final = {
    "县": re.compile(r"全县(?!域)|我县|本县|县委|县政府|县域|县财政"),
    # 社区、景区、园区 and the autonomous regions are no districts.
    "区": re.compile(r"(?<![社景园辖片地治山库校厂灾林矿牧])(?:全区(?!域)|我区|本区(?!域)|区委(?!员会)|区政府|区财政)"),
    "旗": re.compile(r"全旗|我旗|本旗|旗委|旗政府"),
}
_TRANSFER: Final = "转移支付"
_UPPER = re.compile(r"转移支付|上级|中央|省级|市级|专项补助")


@rule(
    "R004",
    Severity.HINT,
    Criterion.RELEVANCE,
    title="疑似套用外地文本",
    basis="文本应当写本地本部门的情况",
)
def foreign_words(context: Context) -> Iterator[Objection]:
    """Words of another kind of area (全县 in a 区), names of neighbouring areas, and transfers that no project has.

    One finding for each word and place; the area is taken from the reviewing body and the unit's name.
    """
    content = context.content
    named = f"{content.reviewing_body} {content.department.unit_name or ''}"
    own = set(_AREA.findall(named)) or set(_OWN.findall(named))
    patterns = [pattern for kind, pattern in _WORDS.items() if own and kind not in own]
    patterns += [re.compile(re.escape(area)) for area in context.settings.other_areas if area and area not in named]
    transfers = not any(
        _UPPER.search(text)
        for project in content.projects
        for text in (project.name, project.category or "", *(source.name for source in project.budget.sources))
    )
    for place, text in texts_of(content):
        for pattern in patterns:
            found = pattern.search(text)
            if found:
                of = owner(content, place[1:].split("/")[:-1]) or "文本"
                yield Objection(place, f"{of}写有{quote(found[0])}，与本地名称不符；请核对是否套用了外地的文字。")
        if transfers and _TRANSFER in text:
            of = owner(content, place[1:].split("/")[:-1]) or "文本"
            yield Objection(place, f"{of}写有“转移支付”，而项目的资金来源中没有转移支付；请核对。")
