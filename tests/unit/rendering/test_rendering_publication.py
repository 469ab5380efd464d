import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering_stages import project, stage, text

from documents.rendering import document_names, published, render_html
from documents.rendering.personal import CARD, MAIL, NAME, PHONE, persons_in
from documents.rendering.publication import is_personal, removed, suspicions
from models.content import from_json, to_json

PERSONAL = ["王小明", "0319-8765432", "李大华", "13900001111", "赵经办", "孙联系"]


def private_text():
    indicator = {"id": "i1", "name": "下乡活动", "extra": [{"label": "联系人", "value": PERSONAL[5]}]}
    return from_json(
        {
            "fiscal_year": 2021,
            "extra": [{"label": "填报人", "value": PERSONAL[4]}, {"label": "备注", "value": "照常公开"}],
            "overall": {"indicators": [indicator]},
            "projects": [
                project(
                    person_in_charge=PERSONAL[0],
                    phone=PERSONAL[1],
                    extra=[
                        {"label": "项目 负责 人", "value": PERSONAL[2]},
                        {"label": "手机号码", "value": PERSONAL[3]},
                        {"label": "实施地点", "value": "城关镇"},
                    ],
                    indicators=[indicator],
                )
            ],
        }
    )


def test_publication_drops_persons_and_phones_everywhere():
    words = str(to_json(published(private_text())))
    assert not [value for value in PERSONAL if value in words]
    assert "城关镇" in words
    assert "照常公开" in words


def test_publication_leaves_the_approved_content_alone():
    content = private_text()
    before = to_json(content)
    published(content)
    assert to_json(content) == before
    assert published(text()) == text()


@pytest.mark.parametrize("label", ["联系人", "联 系\u3000人", "联系电话", "项目负责人", "手机", "经办人"])
def test_labels_of_persons(label):
    assert is_personal(label)


def test_a_label_of_a_thing_is_not_personal():
    assert not is_personal("实施地点")


def test_only_the_public_page_hides_persons():
    private = private_text()
    # These say nothing of a project's members.
    for document in set(document_names()) - {"review", "return", "archive", "processing"}:
        page = render_html(stage(document, private)).decode()
        found = [value for value in PERSONAL if value in page]
        assert found == ([] if document == "publication" else found)
        assert document == "publication" or found


def test_the_public_page_has_no_draft_mark_and_no_opinions(opined):
    page = render_html(stage("publication", opinions=opined, status="草案")).decode()
    assert "草案" not in page
    assert "data-watermark=" not in page
    assert "没有对应的预算项目" not in page


def test_what_was_taken_out_is_listed_by_place_and_label_and_never_by_value():
    found = removed(private_text())
    assert [(item.place, item.label) for item in found] == [
        ("/extra/0", "填报人"),
        ("/overall/indicators/i1/extra/0", "联系人"),
        ("/projects/p1/person_in_charge", "项目负责人"),
        ("/projects/p1/phone", "联系电话"),
        ("/projects/p1/extra/0", "项目 负责 人"),
        ("/projects/p1/extra/1", "手机号码"),
        ("/projects/p1/indicators/i1/extra/0", "联系人"),
    ]
    assert not [value for value in PERSONAL if value in str(found)]
    assert removed(text()) == ()


LABELS = st.sampled_from(["联系人", "备注", "手机", "实施地点", "填 报 人", ""])
EXTRAS = st.lists(
    st.builds(lambda label, value: {"label": label, "value": value}, LABELS, st.text("甲乙1", max_size=3))
)
PERSONS = st.none() | st.text("王小明", min_size=1, max_size=3)


@given(EXTRAS, EXTRAS, PERSONS, PERSONS)
def test_the_list_is_empty_exactly_where_nothing_was_taken_out(extra, inner, person, phone):
    content = from_json(
        {
            "fiscal_year": 2021,
            "extra": extra,
            "projects": [
                {
                    "id": "p1",
                    "person_in_charge": person,
                    "phone": phone,
                    "extra": inner,
                    "indicators": [{"id": "i1", "extra": extra}],
                }
            ],
        }
    )
    public = published(content)
    assert (removed(content) == ()) == (public == content)
    assert removed(public) == ()
    kept = len(public.extra) + len(public.projects[0].extra) + len(public.projects[0].indicators[0].extra)
    gone = sum(item.place.rsplit("/", 2)[-2] == "extra" for item in removed(content))
    assert kept + gone == 2 * len(extra) + len(inner)


def saying(words):
    return text(1, projects=[project(purpose=words)])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("请致电13900001111咨询", PHONE),
        ("手机 139 0000 1111", PHONE),
        ("+86-13900001111", PHONE),
        ("１３９００００１１１１", PHONE),
        ("（0335）6012345", PHONE),
        ("0335-6012345。", PHONE),
        ("03356012345", PHONE),
        ("联系电话：6012345", PHONE),
        ("身份证 13030619900101123X", CARD),
        ("130306900101123", CARD),
        ("来信 office@example.org", MAIL),
    ],
)
def test_numbers_and_addresses_in_words_are_pointed_out(words, kind):
    (found,) = suspicions(saying(words))
    assert (found.place, found.kind) == ("/projects/p1/purpose", kind)
    assert found.shown.endswith("***")


@pytest.mark.parametrize(
    "words",
    [
        "共13900001111.00元",
        "共13900001111元",
        "2021年3月5日，编码13030621G5NX247OTT0DE",
        "13030621139000011112",
        "文号20210305",
        "开展12345次",
        "拨打12345热线",
        "指标 0.85@3",
    ],
)
def test_money_codes_and_days_are_not_pointed_out(words):
    assert suspicions(saying(words)) == ()


def test_known_persons_and_those_of_the_text_itself_are_found_in_narratives():
    content = text(
        1,
        projects=[
            project(
                purpose="由王 小明和李大华组织，赵四参加",
                person_in_charge="王小明、张三",
                extra=[{"label": "联系人", "value": "李大华 13900001111"}],
            )
        ],
    )
    found = suspicions(content, frozenset({"赵四", "孙"}))
    assert {item.shown for item in found} == {"王**", "李**", "赵*"}
    assert {(item.place, item.kind) for item in found} == {("/projects/p1/purpose", NAME)}
    assert suspicions(saying("由王小明组织")) == ()


def test_what_was_taken_out_is_not_suspected_once_more():
    assert suspicions(private_text()) == ()


@pytest.mark.parametrize(
    ("words", "persons"),
    [
        ("王 明", ("王明",)),
        ("王小明、李大华 139", ("王小明", "李大华")),
        ("", ()),
        ("Li", ()),
        ("阿·买买提", ("阿·买买提",)),
    ],
)
def test_names_in_a_field(words, persons):
    assert persons_in(words) == persons


DIGITS = st.text(string.digits, min_size=8, max_size=8)


@given(
    st.sampled_from("3456789"),
    DIGITS,
    st.sampled_from(["", "，", "电话", "（", "\n"]),
    st.sampled_from(["", "。", "）"]),
)
def test_a_mobile_number_is_found_wherever_it_stands_and_never_shown_whole(second, rest, before, after):
    number = f"1{second}{rest}0"
    found = suspicions(saying(f"{before}{number}{after}"))
    assert [item.kind for item in found] == [PHONE]
    assert number not in found[0].shown


@given(st.text(max_size=200))
def test_no_words_stop_the_search(words):
    for item in suspicions(from_json({"fiscal_year": 2021, "overall": {"introduction": words.replace("\ud800", "")}})):
        assert item.place == "/overall/introduction"
