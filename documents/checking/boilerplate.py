"""可行性: safeguards that say nothing of their own (F005)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from documents.checking.context import Context
from documents.checking.corpus import department_key, plain_words
from documents.checking.registry import Objection, rule
from models.content import Item
from models.findings import Criterion, Severity

# Words that every safeguard of every department is made of. What is left without them is what a text says itself.
_STOCK: Final = (
    "进一步|切实|认真|严格|不断|全面|有效|及时|积极|大力|扎实|持续|充分|高度|加强|健全|完善|建立|落实|强化|"
    "规范|确保|提高|提升|推进|做好|明确|优化|严控|加大|深化|保证|保障|开展|实施|执行|制定|组织|领导|制度|"
    "机制|责任|分工|管理|监督|检查|考核|绩效|预算|资金|财务|支出|工作|措施|要求|规定|程序|流程|水平|质量|"
    "效率|效益|目标|任务|重视|思想|认识|统筹|协调|配合|意识|队伍|建设|人员|干部|业务|能力|素质|培训|学习|"
    "各项|各类|相关|有关|法律|法规|政策|办法|评价|监控|自评|跟踪|使用|安全|内部|控制|体系|力度|到位|到人|"
    "顺利|完成|进行|按照|根据|围绕|通过|结合|部门|单位|我局|本局|领导小组|主要|负责|负责人|第一|分管|层层|"
    "压实|形成|合力|科学|合理|高效|专款专用|厉行节约|勤俭节约|公开|透明|接受|社会|审计|风险|防范|整改|问题|"
    "发现|全过程|全方位|常态化|长效|指导|服务|大局|贯彻|执行力|必要|加快|进度|依法|依规|实现|促进|发展|年度|"
    "本年度|全年|成立|定期|如期|落到实处|抓好|狠抓"
)
_WORD = re.compile("|".join(sorted(_STOCK.split("|"), key=len, reverse=True)))
_PARTICLE = re.compile("[的和与及等对在将把以为并、是各其中上下从到由使有所地得着了]")


def stock_share(text: str) -> float:
    """Percent of a text's letters that belong to stock phrases; a text with a figure says something of its own (0)."""
    words = plain_words(text)
    if not words or any(character.isdigit() for character in words):
        return 0.0
    left = _PARTICLE.sub("", _WORD.sub("", words))
    return 100 * (1 - len(left) / len(words))


@rule(
    "F005",
    Severity.WARNING,
    Criterion.FEASIBILITY,
    title="工作保障措施只有套话",
    basis="工作保障措施应当写明本部门由谁、用什么办法保障目标实现",
    compares=True,
)
def boilerplate_only(context: Context) -> Iterator[Objection]:
    """A section in which every safeguard consists of stock phrases or stands in another department's text as well."""
    safeguards = [item for item in context.content.safeguards if plain_words(item.text)]
    if not safeguards:
        return
    copied = [item for item in safeguards if _source(context, item) is not None]
    empty = [item for item in safeguards if item not in copied and _is_stock(context, item)]
    if len(copied) + len(empty) < len(safeguards):
        return
    source = next((title for title in (_source(context, item) for item in copied) if title), None)
    where = f"，其中 {len(copied)} 条与“{source}”雷同" if source else ""
    yield Objection(
        "/safeguards",
        f"工作保障措施的 {len(safeguards)} 条都是通用的套话{where}；请写明本部门的责任人、办法和时间。",
    )


def _is_stock(context: Context, item: Item) -> bool:
    return stock_share(item.text) >= context.settings.thresholds.boilerplate_share


def _source(context: Context, item: Item) -> str | None:
    neighbours = context.surroundings.neighbours
    if neighbours is None:
        return None
    found = neighbours.safeguards.copy_of(plain_words(item.text), department_key(context.content.department))
    return found.title if found else None
