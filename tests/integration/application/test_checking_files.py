"""Files and folders are checked without a database; stored texts beside what the person may read."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from offices import SAMPLE, Office

from application import checking, texts
from application.accounts import insert_account, insert_grant, insert_organization
from application.check_settings import attach, settings_from
from application.checking import check_files, files_in
from application.editing import confirm_repairs, replace_content
from application.identity import authenticate, issue_token
from application.importing import import_text
from application.installation import Request
from documents.checking import DEFAULT
from models.engine import transaction
from models.errors import GuardFailed, InvalidInput
from models.people import OrganizationKind, Role

TWO = SAMPLE.parent / "two-projects-2021.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two texts, a broken one, and what is none."""
    made = tmp_path / "来文"
    (made / "下级").mkdir(parents=True)
    shutil.copy(SAMPLE, made / "a.txt")
    shutil.copy(TWO, made / "下级" / "b.txt")
    (made / "c.txt").write_text("空", "utf-8")
    (made / "picture.png").write_bytes(b"\x89PNG")
    (made / "~$d.docx").write_bytes(b"lock")
    return made


def test_a_folder_gives_one_result_for_each_text_and_a_broken_one_does_not_end_it(folder: Path) -> None:
    done: list[int] = []
    results = check_files([str(folder)], settings=DEFAULT, progress=done.append)
    assert [Path(item.name).name for item in results] == ["a.txt", "c.txt", "b.txt"] or [
        Path(item.name).name for item in results
    ] == ["a.txt", "b.txt", "c.txt"]
    assert done == [1, 2, 3]
    by_name = {Path(item.name).name: item for item in results}
    assert "绩效" in (by_name["c.txt"].problem or "")
    assert by_name["a.txt"].passed
    assert by_name["a.txt"].read
    assert {item.finding.code for item in by_name["b.txt"].findings} == {"A002"}


def test_processes_find_the_same_as_this_one(folder: Path) -> None:
    for number in range(9):
        shutil.copy(TWO, folder / f"copy{number}.txt")
    alone = check_files([str(folder)], settings=DEFAULT, jobs=1)
    together = check_files([str(folder)], settings=DEFAULT, jobs=2)
    assert [item.to_json() for item in alone] == [item.to_json() for item in together]
    assert len(alone) == 12


def test_a_process_that_dies_is_one_line_of_the_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_FEW", 0)
    monkeypatch.setattr(checking, "_examine", _dies_at_c)
    results = {Path(item.name).name: item for item in check_files([str(folder)], settings=DEFAULT, jobs=2)}
    assert "进程中断" in (results["c.txt"].problem or "")
    assert results["a.txt"].findings
    assert results["b.txt"].findings


LETTER = """青禾县财政局文件
青财预〔2024〕15号
关于青禾县水利局2024年预算绩效目标的批复
青禾县水利局：
你局报送的绩效目标收悉，安排资金85万元。
"""
SELF_EVALUATION = """林地巡护项目绩效自评表
（2023年度）
项目名称\t林地巡护\t\t
资金情况（万元）\t全年预算数\t全年执行数\t执行率
年度资金总额\t9.6\t9.6\t100%
一级指标\t二级指标\t三级指标\t年度指标值\t全年实际值
产出指标\t数量指标\t巡护林地\t≥300亩\t310亩
"""
SEVERAL = """部门预算项目绩效目标申报表
（2024年度）
金额单位：万元
单位名称\t项目名称\t预算数\t年度目标\t一级指标\t二级指标\t三级指标\t指标性质\t指标值\t度量单位\t指标方向性
812001 青禾县水利站\t渠道修缮\t10\t修渠。\t产出指标\t数量指标\t修渠长度\t≥\t12\t公里\t正向
913001 青禾县农机站\t农机检修\t20\t检修。\t产出指标\t数量指标\t检修农机\t≥\t30\t台\t正向
"""


def test_a_letter_and_a_self_evaluation_are_told_and_not_judged(folder: Path) -> None:
    (folder / "批复.txt").write_text(LETTER, "utf-8")
    (folder / "自评.txt").write_text(SELF_EVALUATION, "utf-8")
    for jobs in (1, 2):
        results = {Path(i.name).name: i for i in check_files([str(folder)], settings=DEFAULT, jobs=jobs)}
        for name, form, word in (("批复.txt", "letter", "批复"), ("自评.txt", "self_evaluation", "自评表")):
            told = results[name]
            assert told.other is not None
            assert told.other[0] == form
            assert word in told.other[1]
            assert (told.findings, told.problem, told.passed) == ((), None, False)
            assert told.to_json().keys() == {"file", "form", "told"}
    counted = checking.totals(list(results.values()))
    assert (counted["texts"], counted["others"], counted["unreadable"]) == (3, 2, 1)


def test_one_of_several_departments_is_checked_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "汇总.txt"
    file.write_text(SEVERAL, "utf-8")
    [asked] = check_files([str(file)], settings=DEFAULT)
    assert "--department" in (asked.problem or "")
    [chosen] = check_files([str(file)], settings=DEFAULT, department="青禾县农机站")
    assert chosen.problem is None
    assert "I115" in {item.code for item in chosen.read}
    [unknown] = check_files([str(file)], settings=DEFAULT, department="青禾县气象局")
    assert "没有“青禾县气象局”" in (unknown.problem or "")


def test_layouts_of_the_organization_are_used_and_a_broken_one_stops_the_run(tmp_path: Path) -> None:
    own = tmp_path / "版式"
    own.mkdir()
    (own / "own.toml").write_text(
        'title = "某县表"\nkind = "project_form"\n[recognize]\nall = ["事项名称", "考核内容"]\n'
        '[labels]\nname = ["事项名称"]\n[columns]\nname = ["考核内容"]\n',
        "utf-8",
    )
    file = tmp_path / "表.txt"
    file.write_text(
        "某县绩效目标表\n（2025年度）\n事项名称\t修桥\t\t\n一级指标\t二级指标\t考核内容\t指标值\n"
        "产出指标\t数量指标\t修桥座数\t≥2座\n",
        "utf-8",
    )
    [read] = check_files([str(file)], settings=DEFAULT, layouts=own)
    assert "某县表" in next(item.reason for item in read.read if item.code == "I101")
    (own / "broken.toml").write_text("title = 1", "utf-8")
    checking._layouts.cache_clear()
    with pytest.raises(InvalidInput, match="broken"):
        check_files([str(file)], settings=DEFAULT, layouts=own)


def _dies_at_c(file, manner):
    if file.endswith("c.txt"):
        os._exit(9)
    return _EXAMINE(file, manner)


_EXAMINE = checking._examine


def test_copies_are_looked_for_in_the_folder_and_in_what_is_named_beside_it(folder: Path, tmp_path: Path) -> None:
    text = SAMPLE.read_text("utf-8")
    (folder / "other.txt").write_text(text.replace("612003", "613003").replace("图书馆", "文化馆"), "utf-8")
    results = {Path(item.name).name: item for item in check_files([str(folder)], settings=DEFAULT)}
    for name in ("a.txt", "other.txt"):
        assert "R003" in {item.finding.code for item in results[name].findings}
    beside = tmp_path / "去年"
    beside.mkdir()
    last = text.replace("2021 年部门", "2020 年部门").replace("2021年县", "2020年县").replace("3200册", "900册")
    (beside / "last.txt").write_text(last, "utf-8")
    results = {
        Path(i.name).name: i for i in check_files([str(folder / "a.txt")], settings=DEFAULT, against=[str(beside)])
    }
    assert results.keys() == {"a.txt"}
    assert {"R003", "F004"} <= {item.finding.code for item in results["a.txt"].findings}


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="没有文件或文件夹"):
        files_in([str(tmp_path / "nothing")])
    with pytest.raises(InvalidInput, match="没有可以读取的文本文件"):
        files_in([str(tmp_path)])
    with pytest.raises(InvalidInput, match="--settings"):
        settings_from(tmp_path / "nothing.toml")


def test_the_settings_of_the_installation_hold_for_the_check_and_for_the_guard(
    sqlite_office: Office, tmp_path: Path
) -> None:
    text = sqlite_office.imported()
    drafter = sqlite_office.people[Role.DRAFTER]
    assert texts.check(drafter, text)["errors"] == 0
    file = tmp_path / "checks.toml"
    file.write_text('[rules.A006]\nseverity = "error"\n', "utf-8")
    attach(sqlite_office.installation.engine, file)
    assert texts.check(drafter, text)["errors"] == 1
    with pytest.raises(GuardFailed) as refused:
        sqlite_office.act(Role.DEPARTMENT_HEAD, text, "submit")
    assert any("A006" in reason for reason in refused.value.facts["reasons"])
    file.write_text('[rules.A006]\ndisabled = "满意度由第三方调查"\n', "utf-8")
    assert "A006" not in {item["code"] for item in texts.check(drafter, text)["findings"]}
    sqlite_office.act(Role.DEPARTMENT_HEAD, text, "submit")


def other_department(office: Office) -> Request:
    """The drafter of a department beside the demonstration's."""
    installation, first = office.installation, office.people[Role.DRAFTER]
    now = installation.clock()
    given = {"actor": "-", "role": "-", "now": now}
    with transaction(installation.engine) as work:
        organization = insert_organization(
            work, first.recorder, name="文化馆", kind=OrganizationKind.DEPARTMENT, code=None, aliases=(), **given
        )
        account = insert_account(
            work, first.recorder, organization=organization, login="wenhua", display_name="文化", password=None, **given
        )
        insert_grant(work, first.recorder, account=account, role=Role.DRAFTER, actor=None, actor_role="-", now=now)
        token = issue_token(work, account.id, "test", now=now, lifetime=timedelta(days=900))
    return Request(installation, authenticate(installation, token), "other")


def codes(request: Request, text: str) -> set[str]:
    return {item["code"] for item in texts.check(request, text)["findings"]}


def test_a_copy_of_a_text_that_the_person_may_not_read_is_not_told(sqlite_office: Office) -> None:
    first = sqlite_office.driven("first_review")
    theirs = other_department(sqlite_office)
    data = SAMPLE.read_text("utf-8").replace("612003", "613003").replace("图书馆", "文化馆").encode()
    second = import_text(theirs, data)["text"]
    assert "R003" not in codes(theirs, second)
    assert "R003" not in codes(sqlite_office.people[Role.REVIEWER], first)
    sqlite_office.act(Role.REVIEWER, first, "pass")
    sqlite_office.act(Role.APPROVER, first, "approve")
    sqlite_office.act(Role.PUBLISHER, first, "publish")
    # Now everybody may read it.
    assert "R003" in codes(theirs, second)


def test_last_years_text_of_the_department_is_compared_with(office: Office) -> None:
    drafter = office.people[Role.DRAFTER]
    text = SAMPLE.read_text("utf-8")
    last = text.replace("2021 年部门", "2020 年部门").replace("2021年县", "2020年县").replace("3200册", "900册")
    now = office.imported()
    assert {"R003", "F004"}.isdisjoint(codes(drafter, now))
    import_text(drafter, last.encode())
    assert {"R003", "F004"} <= codes(drafter, now)


def test_the_files_contents_list_counts_until_the_content_is_edited(sqlite_office: Office) -> None:
    drafter = sqlite_office.people[Role.DRAFTER]
    listed = SAMPLE.read_text("utf-8").replace(
        "1.阅读推广经费绩效目标表.....\t6\n", "1.阅读推广经费绩效目标表.....\t6\n2.流动图书车经费绩效目标表.....\t8\n"
    )
    text = import_text(drafter, listed.encode())["text"]
    confirm_repairs(drafter, text, (), everything=True)
    assert "C003" in codes(drafter, text)
    with pytest.raises(GuardFailed):
        sqlite_office.act(Role.DEPARTMENT_HEAD, text, "submit")
    content = texts.show_text(drafter, text)["content"]
    content["projects"][0]["purpose"] += "另购书架。"
    replace_content(drafter, text, orjson.dumps(content), reason="补充")
    assert "C003" not in codes(drafter, text)
