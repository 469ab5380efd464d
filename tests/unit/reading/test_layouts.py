"""Layouts as data: what a file says is what is read, mistakes are one sentence, the organization's come first."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from reading_look import REPOSITORY

from documents.reading import FormKind, load_layouts, read_text, traditional
from documents.reading.layout_files import builtin_layouts, general_layout, parse_layout
from documents.reading.letters import letter_of
from documents.reading.lines import cleaned_lines
from models.errors import InvalidInput

GUIDE = (REPOSITORY / "docs" / "layouts.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
OWN = EXAMPLE[1] if EXAMPLE else ""
FORM = """某县事项绩效目标表
（2024年度）
单位：元
事项名称\t修路\t主管部门\t交通局
年度资金总额\t5000\t本年要办成的事\t路修平
一级指标\t二级指标\t考核内容\t指标值
管理指标\t质量指标\t平整度\t≥95%
"""
LETTER = """青禾县财政局文件
青财预〔2024〕15号
关于青禾县水利局2024年预算绩效目标的批复
青禾县水利局：
你局报来的绩效目标收悉，同意渠道修缮项目安排85万元。
"""


def test_the_layout_of_the_guide_reads_what_the_general_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    reading = read_text(FORM.encode(), layouts=load_layouts(tmp_path))
    project = reading.content.projects[0]
    assert (reading.layout, project.name, project.goals[0].text) == ("own", "修路", "路修平")
    assert [(item.level1, item.level2, item.name, item.value) for item in project.indicators] == [
        ("管理指标", "质量指标", "平整度", "95")
    ]
    without = read_text(FORM.encode())
    assert without.layout == "general"
    assert (without.content.projects[0].name, without.coverage.kept > 0) == ("", True)


def test_an_own_layout_goes_before_those_of_the_program(tmp_path: Path) -> None:
    builtin = builtin_layouts()[0]
    words = "、".join(f'"{word}"' for word in builtin.words).replace("、", ", ")
    (tmp_path / "zz.toml").write_text(
        f'title = "自己的"\nkind = "project_form"\n[recognize]\nall = [{words}]\n', encoding="utf-8"
    )
    assert load_layouts(tmp_path)[0].name == "zz"
    assert load_layouts(None) == builtin_layouts()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("goal_year", "goal_yaer", "labels.goal_yaer"),
        ("[terms]", "[termz]", "termz"),
        ('goal_year = ["本年要办成的事"]', 'goal_year = ["事项名称"]', "既是 name 又是 goal_year"),
        ('kind = "project_form"', 'kind = "poem"', "kind"),
        ('[recognize]\nall = ["事项名称", "考核内容"]', "", "recognize.all"),
        ("[terms]", '[noise]\npatterns = ["("]\n[terms]', "正则表达式"),
        ("title =", "title ==", "TOML"),
    ],
)
def test_a_mistake_in_a_layout_is_one_sentence_that_names_it(old: str, new: str, says: str) -> None:
    assert OWN.count(old) >= 1
    with pytest.raises(InvalidInput) as refused:
        parse_layout("own", OWN.replace(old, new, 1))
    assert "own.toml" in str(refused.value)
    assert says in str(refused.value)


def test_a_folder_or_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="没有版式文件夹"):
        load_layouts(tmp_path / "nowhere")
    (tmp_path / "a.toml").write_bytes("title = '版式'".encode("gb18030"))
    with pytest.raises(InvalidInput, match="UTF-8"):
        load_layouts(tmp_path)


def test_the_guide_names_every_member_of_a_layout() -> None:
    from documents.reading.layout_files import ColumnRole, InfoRole

    missing = [role.value for role in (*InfoRole, *ColumnRole) if f"`{role.value}`" not in GUIDE]
    assert missing == []


def test_no_label_of_the_program_has_two_meanings_in_one_layout() -> None:
    for layout in (general_layout(), *builtin_layouts()):
        assert all(words == "".join(words.split()) and words for words in layout.labels)
        assert all(len(roles) == len(set(roles)) for roles in layout.columns.values())


def test_a_letter_is_told_from_a_text_with_what_it_says() -> None:
    letter = letter_of(cleaned_lines(LETTER)[0])
    assert letter is not None
    assert (letter.kind, letter.document_number, letter.addressee, letter.money) == (
        "批复", "青财预〔2024〕15号", "青禾县水利局", ("85万元",),
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="批复") as refused:
        read_text(LETTER.encode())
    assert refused.value.facts["form"] == FormKind.LETTER
    assert refused.value.facts["letter"]["title"].startswith("关于青禾县水利局")


def test_a_text_that_quotes_a_letter_is_none(sample: str) -> None:
    quoted = sample.replace("馆务保障", "落实《关于做好预算绩效管理的通知》（青财预〔2021〕3号）")
    assert letter_of(cleaned_lines(quoted)[0]) is None
    assert letter_of(cleaned_lines(LETTER + "一级指标\t二级指标\n")[0]) is None


def test_traditional_characters_without_opencc_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traditional.importlib, "import_module", _no_module)
    traditional._converter.cache_clear()
    traditional._character.cache_clear()
    with pytest.raises(InvalidInput, match="OpenCC"):
        read_text("項目績效目標表\n項目名稱\t修路\n財政資金\t5000\n單位：元\n".encode())


def test_traditional_characters_become_simplified_one_by_one_with_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = dict(zip("項績標稱財資單萬縣領導", "项绩标称财资单万县领导", strict=True))
    converter = SimpleNamespace(convert=lambda char: pairs.get(char, char))
    monkeypatch.setattr(
        traditional.importlib, "import_module", lambda name: SimpleNamespace(OpenCC=lambda _: converter)
    )
    traditional._converter.cache_clear()
    traditional._character.cache_clear()
    text, findings = traditional.simplified("項目績效目標表，項目名稱，財政資金，單位：萬元")
    assert text == "项目绩效目标表，项目名称，财政资金，单位：万元"
    assert [item.code for item in findings] == ["I112"]
    assert findings[0].repaired is not None
    assert len(findings[0].raw) == len(findings[0].repaired)
    traditional._converter.cache_clear()
    traditional._character.cache_clear()


def test_a_simplified_text_that_quotes_some_traditional_words_is_left_alone() -> None:
    assert traditional.simplified("館藏《單位志》") == ("館藏《單位志》", ())


def _no_module(name: str) -> None:
    raise ModuleNotFoundError(name)
