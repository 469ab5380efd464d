"""How right forms of other layouts are read: every field of the labelled samples and of our own forms, with floors."""

from __future__ import annotations

import form_texts
import pytest

from benchmarks.fidelity import SAMPLES, expected_of, judged, sample_reading
from documents.reading import Limits, read_file, read_text
from models.content import to_json

NAMES = ("01", "02", "03", "06", "08", "10", "15", "16")
# Shares of right fields; a floor is only ever raised.
FLOORS = dict.fromkeys(NAMES, 1.0)
# Of each layout's characters at least so many find a member of their own (the others are kept as extra members).
PLACED = {"01": 1.0, "02": 0.92, "03": 0.82, "06": 0.96, "08": 0.72, "10": 0.96, "15": 1.0, "16": 0.73}
WAYS = [(name, way) for name, form in form_texts.FORMS.items() for way in form.ways]


def sample(name: str):
    if not (SAMPLES / f"layout-{name}.txt").is_file():
        pytest.skip(f"the samples are not at {SAMPLES}; set JIXIAO_SAMPLES to their folder")
    return sample_reading(f"layout-{name}"), expected_of(f"layout-{name}")


@pytest.mark.parametrize("name", NAMES)
def test_each_field_of_a_sample_is_read_as_it_was_labelled(name: str) -> None:
    reading, expected = sample(name)
    fidelity = judged(to_json(reading.content), expected)
    assert (fidelity.wrong, fidelity.missed, fidelity.invented) == ((), (), ())
    assert fidelity.share >= FLOORS[name]
    assert (reading.form, reading.layout) == (expected["kind"], expected["layout"])


@pytest.mark.parametrize("name", NAMES)
def test_what_a_careful_reader_doubts_in_a_sample_is_a_finding(name: str) -> None:
    reading, expected = sample(name)
    for doubt in expected["doubts"]:
        found = [
            item
            for item in reading.findings
            if (item.place.startswith(doubt["place"]) or not doubt["place"]) and doubt["raw"] in item.raw
        ]
        assert found, doubt
        assert abs(max(item.confidence for item in found) - doubt["confidence"]) <= 0.41, (doubt, found)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_sample_is_dropped_without_a_word(name: str) -> None:
    reading, _ = sample(name)
    assert reading.coverage.left == 0
    assert reading.coverage.share >= PLACED[name]


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_a_form_says_the_same_however_it_is_written(name: str, way: str) -> None:
    form = form_texts.FORMS[name]
    data = dict(form_texts.files_of(form, only=way))[way]
    result = read_file(data, limits=Limits(seconds=60))
    fidelity = judged(to_json(result.content), form.expected)
    assert (fidelity.wrong, fidelity.missed, fidelity.invented) == ((), (), ())
    assert result.coverage.left == 0


def test_a_wrong_a_missing_and_an_invented_field_lower_the_share() -> None:
    form = form_texts.IN_COLUMNS
    content = to_json(read_text(form_texts.as_tabs(form).encode()).content)
    assert judged(content, form.expected).share == 1
    content["projects"][0]["name"] = "别的项目"
    del content["projects"][0]["nature"]
    content["reviewing_body"] = "凭空多出"
    fidelity = judged(content, form.expected)
    assert [place for place, _, _ in fidelity.wrong] == ["/projects/0/name"]
    assert (fidelity.missed, fidelity.invented) == (("/projects/0/nature",), ("/reviewing_body",))
    assert fidelity.share < 1
