"""The library's text without its faults: a file that breaks no rule, from which each mutation is one small change."""

from __future__ import annotations

from pathlib import Path

from documents.checking import DEFAULT, CheckSettings, Surroundings, Unconfirmed, check
from documents.checking.corpus import neighbours
from documents.reading import Reading, read_text
from models.content import BudgetText
from models.findings import CheckFinding

SAMPLE = Path(__file__).parents[3] / "examples" / "library-2021.txt"

_REPAIRS = (
    ("99042121H7KQ3O85 ZB0LM", "99042121H7KQ3085ZB0LM"),
    # One way of numbering, and full-width marks.
    ("一）办好", "（一）办好"), ("二）充实", "（二）充实"), ("三）活跃", "（三）活跃"), ("四) 延伸", "（四）延伸"), ("五) 做好", "（五）做好"),
    ("一) 绩效目标", "（一）绩效目标"), ("二) 绩效目标", "（二）绩效目标"), ("完成;保障", "完成；保障"), ("活动动", "活动"),
    ("一)健全", "（一）健全"), ("二)严控", "（二）严控"), ("三)跟踪", "（三）跟踪"), ("四)组织", "（四）组织"), ("五)管好", "（五）管好"),
    ("六)接受", "（六）接受"), ("七)提升", "（七）提升"),
    # Both sub-goals are served by the project, by its name.
    ("绩效目标：馆务保障", "绩效目标：阅读推广馆务保障"), ("全民阅读与推广服务", "全民阅读推广服务"), ("绩效指：", "绩效指标："),
    ("90.00%\t\n", "100.00%\t\n"),
    ("开展8次服务\t馆年度工作安排", "≥8次\t馆年度工作安排"),
    ("办讲座10场，到场600人\t邀请作家、教师和农技人员开讲，兼顾城里读者和乡村读者\t办讲座10场，到场600人\t馆年度工作安排",
     "办讲座10场\t邀请作家、教师和农技人员开讲，兼顾城里读者和乡村读者\t≥10场\t讲师预约单"),
    ("更换新书3200册\t馆年度工作安排", "≥3200册\t购书合同"),
    ("8.64 阅读推广支出 8.64 万元", "≤8.64万元"),
    ("节约购书开支\t读者借阅新书，家庭少花购书钱\t≥90 合格率 达到 90%", "每户节约购书开支\t读者借阅新书，家庭少花购书钱\t≥100元"),
    ("≥100 合格率 达到 100%", "≥95 满意率 达到 95%"),
)  # fmt: skip


def library() -> str:
    """The file's text; each repair must still find what it repairs."""
    text = SAMPLE.read_text("utf-8")
    for wrong, right in _REPAIRS:
        assert wrong in text, wrong
        text = text.replace(wrong, right)
    return text


def read(text: str, year: int | None = None) -> Reading:
    return read_text(text.encode(), fiscal_year=year)


def judged(
    text: str,
    *,
    last_year: str | None = None,
    others: str | None = None,
    settings: CheckSettings = DEFAULT,
    unconfirmed: tuple[Unconfirmed, ...] = (),
) -> tuple[CheckFinding, ...]:
    """The findings on a file's text with what its reader said, beside other texts."""
    reading = read(text)
    beside: list[tuple[str, BudgetText]] = [("本馆", reading.content)]
    if others is not None:
        beside.append(("文化馆", read(others).content))
    around = Surroundings(
        read=reading.findings,
        last_year=None if last_year is None else read(last_year, 2020).content,
        neighbours=neighbours(beside, similarity=95, length=12),
    )
    return check(reading.content, surroundings=around, settings=settings, unconfirmed=unconfirmed)
