import pytest
from rendering_stages import project, stage, text

from documents.rendering import document_names, published, render_html
from documents.rendering.publication import is_personal
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
    for document in set(document_names()) - {"review", "return"}:
        page = render_html(stage(document, private)).decode()
        found = [value for value in PERSONAL if value in page]
        assert found == ([] if document == "publication" else found)
        assert document == "publication" or found


def test_the_public_page_has_no_draft_mark_and_no_opinions(opined):
    page = render_html(stage("publication", opinions=opined, status="草案")).decode()
    assert "草案" not in page
    assert "data-watermark=" not in page
    assert "没有对应的预算项目" not in page
