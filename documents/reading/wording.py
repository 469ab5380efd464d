"""Characters that an author seems to have typed twice. They stay as written: the finding only points at them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from documents.reading.finding_codes import FindingCode, finding
from documents.reading.lines import Line
from models.findings import ReadingFinding

# Characters that end one word and begin another in this field (事业业务 is right, 农业业生产 is not): a doubled one is
# reported unless the second begins a word with one of the characters given here. Others (天天, 人人, 账账) are not looked at.
_BEGINS: Final = {
    "业": "业务主绩余态内界者", "作": "作风用业品为出者物家", "展": "展示览品现出馆台望", "设": "设计备施置立定",
    "标": "标准志识示题的", "项": "项目", "效": "效率果益能力应", "绩": "绩效", "算": "算法", "金": "金额融",
    "动": "动作员态力", "务": "务工实农必求", "施": "施工行", "建": "建设立成造议", "理": "理论念解想财事",
    "管": "管理护控", "评": "评价估审定", "训": "训练", "技": "技术能巧", "普": "普及查通法惠", "织": "织",
    "障": "障碍", "升": "升级", "预": "预算期防备", "财": "财政务产力", "政": "政府策务治", "府": "", "单": "单位",
    "位": "位置", "确": "确保定认", "督": "督查导促", "监": "监督控管测", "导": "导向致", "核": "核算查实心定",
    "民": "民主生族间众政警宿营俗用办意法事企居工兵", "众": "众多志望所人筹", "的": "的确士",
}  # fmt: skip
_DOUBLED = re.compile(f"([{''.join(_BEGINS)}])\\1+")
# A line with more than a few is no writing; it is not worth a finding each.
_MOST_IN_A_LINE: Final = 20
_KNOWN_WORDS: Final = frozenset({"兢兢业业"})
# Words that end with the character, so that a 的 behind them is one of its own.
_ENDS_WITH_DE: Final = ("目的的", "标的的")


def doubled_characters(lines: Iterable[Line]) -> tuple[ReadingFinding, ...]:
    """One hint for each character that seems to be typed twice; the findings have no place yet."""
    findings: list[ReadingFinding] = []
    for line in lines:
        for match in islice(_DOUBLED.finditer(line.words), _MOST_IN_A_LINE):
            start, end = match.span()
            following = line.words[end : end + 1]
            begins_word = bool(following) and end - start == 2 and following in _BEGINS[match[1]][1:]
            if begins_word or line.words[max(0, start - 2) : end] in _KNOWN_WORDS:
                continue
            if end - start == 2 and line.words[max(0, start - 1) : end] in _ENDS_WITH_DE:
                continue
            shown = min(end, start + 4)
            before = line.words[max(0, start - 3) : start].rpartition("\t")[2]
            raw = before + line.words[start : shown + 3].partition("\t")[0]
            reason = f"“{match[0][:4]}”可能是多打了“{match[1]}”，按原文保留，请作者核对。"
            findings.append(finding(FindingCode.DOUBLED_CHARACTER, "", raw, reason, 0.6, line=line.number))
    return tuple(findings)
