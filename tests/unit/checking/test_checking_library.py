"""Every code, broken alone by one small change of a real file and gone again without it: both directions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from library_text import SAMPLE, judged, library, read

from documents.checking import Unconfirmed, rules


@dataclass(frozen=True)
class Change:
    """``wrong`` stands in the file for ``right``, and brings findings of ``code`` and of ``also``."""

    code: str
    right: str
    wrong: str
    also: frozenset[str] = frozenset()


ANOTHER = "2.流动图书车经费绩效目标表.....\t8\n"
LAST_COLUMN = "指标值确定依据\t\n"
CHANGES = [
    Change("A001", "其他资金\t0", "其他资金\t100"),
    Change("A002", "≤8.64万元", "≤8.65万元"),
    Change("A003", "≤8.64万元", "≤8.64"),
    Change("A004", "55.00%", "15.00%"),
    Change("A005", "2.把流动图书车开到集市和学校", "2.流动服务9次，把流动图书车开到集市和学校"),
    Change("A006", "≥95 满意率 达到 95%", "≥100 满意率 达到 100%"),
    Change("C001", "澜石市青禾县财政局审核\n", "\n"),
    Change("C002", "\t时效指标\t活动如期举办率", "\t质量指标\t活动如期举办率"),
    Change("C003", "1.阅读推广经费绩效目标表.....\t6\n", f"1.阅读推广经费绩效目标表.....\t6\n{ANOTHER}"),
    Change("C004", "项目名称\t阅读推广经费", "项目名称\t阅读推广专项经费"),
    Change("C005", "绩效目标：阅读推广馆务保障", "绩效目标：馆务保障"),
    Change("C006", "≥3200册\t购书合同", "≥3200册\t—"),
    Change("F001", "≥8次\t馆", "8次\t馆"),
    Change("F002", "≥10场\t讲师", "10场，600人\t讲师", frozenset({"F001"})),
    Change("F003", "共读好书的风气\t≥90 合格率 达到 90%", "共读好书的风气\t明显改善"),
    Change("R001", "效益指标\t经济效益指标", "效益指标\t人文效益指标"),
    Change("R002", "每户节约购书开支\t", "每户节约购书开支完成率\t"),
    Change("R004", "守住开放、借阅、讲座三块阵地", "守住全区开放、借阅、讲座三块阵地"),
    Change("T001", "99042121H7KQ3085ZB0LM", "99042121H7KQ3085ZB0L"),
    Change("T002", "值班、采购、档案各项制度", "值班,采购、档案各项制度"),
    Change("T003", "2021年县图书馆的工作打算", "2020年县图书馆的工作打算"),
]


SAFEGUARDS = re.compile(r"(?s)(三、工作保障措施\n)(?!.*三、工作保障措施\n).*?(?=\n第二部分\n)")
STOCK = "\n（一）加强领导\n\n加强组织领导，健全工作机制，落实工作责任，确保各项工作顺利完成。\n\n（二）严格管理\n\n严格执行财务制度，加强资金监管，提高资金使用效益。\n"


def with_column(title: str, *cells: str) -> str:
    """The clean file with a last column in its table of indicators."""
    head, table = library().split(LAST_COLUMN)
    rows = table.splitlines()
    for at, cell in enumerate(cells):
        rows[at] = rows[at].removesuffix("\t") + f"\t{cell}"
    return head + LAST_COLUMN.replace("\t\n", f"\t{title}\n") + "\n".join(rows)


def codes(findings: Any) -> set[str]:
    return {item.code for item in findings}


def test_the_repaired_file_breaks_no_rule() -> None:
    assert judged(library()) == ()


@pytest.mark.parametrize("change", CHANGES, ids=lambda item: item.code)
def test_one_change_of_the_file_breaks_just_that_rule(change: Change) -> None:
    clean = library()
    assert change.right in clean
    broken = clean.replace(change.right, change.wrong, 1)
    assert codes(judged(broken)) == {change.code} | change.also
    # And back: the finding goes with the fault.
    assert judged(broken.replace(change.wrong, change.right, 1)) == ()


def test_weights_and_directions_of_a_column() -> None:
    assert codes(judged(with_column("权重", "20", *["10"] * 8))) == set()
    assert codes(judged(with_column("权重", "20", *["10"] * 7, "15"))) == {"A007"}
    assert codes(judged(with_column("指标方向", *["正向"] * 5, "反向", *["正向"] * 3))) == set()
    assert codes(judged(with_column("指标方向", *["正向"] * 9))) == {"A008"}


def test_a_copy_from_another_department_and_none_from_words_of_its_own() -> None:
    own = library()
    other = own.replace("612003", "613003").replace("图书馆", "文化馆")
    assert codes(judged(own, others=other)) == {"R003", "F005"}
    assert judged(own, others=None) == ()
    # The same department's other file is no other department.
    assert judged(own, others=own) == ()
    different = (SAMPLE.parent / "two-projects-2021.txt").read_text("utf-8")
    assert judged(own, others=different) == ()


def test_last_years_indicators_are_copies_unless_they_were_renewed() -> None:
    own = library()
    assert codes(judged(own, last_year=own)) == {"R003"}
    renewed = re.sub(r"≥(\d+)", lambda match: f"≥{int(match[1]) - 1}", own).replace("≤8.64", "≤8.63")
    assert judged(own, last_year=renewed) == ()


def test_a_value_far_from_last_years_is_a_hint() -> None:
    own = library()
    before = re.sub(r"≥(\d+)", lambda match: f"≥{int(match[1]) - 1}", own).replace("≤8.64", "≤8.63")
    assert codes(judged(own, last_year=before.replace("≥3199册", "≥1600册"))) == {"F004"}
    assert codes(judged(own, last_year=before.replace("≥3199册", "≥6400册"))) == {"F004"}
    assert codes(judged(own, last_year=before.replace("≥3199册", "≥1601册"))) == set()


def test_safeguards_of_stock_phrases_only() -> None:
    own, count = SAFEGUARDS.subn(lambda match: match[1] + STOCK, library())
    assert count == 1
    assert codes(judged(own)) == {"F005"}
    assert codes(judged(own.replace("提高资金使用效益", "每月 5 日前由会计王姓同志对账"))) == set()


def test_a_repair_that_nobody_confirmed() -> None:
    waiting = (Unconfirmed("/projects/p1/code", "99042121 H7KQ", "99042121H7KQ"),)
    assert codes(judged(library(), unconfirmed=waiting)) == {"C007"}


def test_every_code_is_broken_here() -> None:
    elsewhere = {"A007", "A008", "R003", "F004", "F005", "C007"}
    assert {item.code for item in rules()} == {item.code for item in CHANGES} | elsewhere


def test_the_file_as_it_is_has_its_known_faults_and_no_error() -> None:
    text = SAMPLE.read_text("utf-8")
    found = judged(text)
    assert codes(found) == {"A004", "A006", "C005", "C006", "F001", "F002", "R002", "T001", "T002"}
    assert all(item.severity.value != "error" for item in found)
    assert read(text).content.projects
