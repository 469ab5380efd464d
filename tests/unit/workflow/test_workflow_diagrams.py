"""Pictures of definitions: everything is on them, nothing overlaps, and titles are data."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from random_definitions import definitions

from workflow.bpmn import export
from workflow.definition import Definition
from workflow.layout import links, place
from workflow.mermaid import state_diagram
from workflow.source import parse_definition
from workflow.svg import draw

SVG = "{http://www.w3.org/2000/svg}"
SHIPPED = ("simple", "standard", "county")


def shipped(name: str) -> Definition:
    return parse_definition(files("workflow").joinpath(f"definitions/{name}.yaml").read_bytes())


def rectangles(svg: str) -> list[tuple[float, float, float, float]]:
    found = [item for item in Xml.fromstring(svg).iter(f"{SVG}rect") if item.get("rx") == "6"]
    return [tuple(float(item.get(name, "0")) for name in ("x", "y", "width", "height")) for item in found]  # type: ignore[misc]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    apart = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
    return not (apart or one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1])


@pytest.mark.parametrize("name", SHIPPED)
def test_every_state_and_action_is_on_the_picture(name: str) -> None:
    definition = shipped(name)
    svg = draw(definition, state=definition.initial)
    words = " ".join("".join(item.itertext()) for item in Xml.fromstring(svg).iter(f"{SVG}text"))
    assert all(state.title in words for state in definition.states.values())
    for item in definition.transitions:
        if item.target in definition.states:
            assert item.title in words
    assert svg.count("here") == 2  # the style and the one box
    assert "<script" not in svg


@settings(max_examples=80, deadline=None)
@given(definition=definitions())
def test_boxes_never_overlap_and_lie_within_the_picture(definition: Definition) -> None:
    svg = draw(definition)
    boxes = rectangles(svg)
    assert len(boxes) == len(definition.states)
    assert not any(overlap(one, other) for one, other in itertools.combinations(boxes, 2))
    width, height = (float(value) for value in Xml.fromstring(svg).get("viewBox", "").split()[2:])
    assert all(x + w <= width and y + h <= height for x, y, w, h in boxes)
    assert svg == draw(definition)


@settings(max_examples=40, deadline=None)
@given(definition=definitions())
def test_any_definition_is_drawn_in_every_form(definition: Definition) -> None:
    assert len(set(place(definition).values())) == len(definition.states)
    drawn = {number for link in links(definition) for number in link.numbers}
    fixed = {number for number, item in enumerate(definition.transitions) if item.target in definition.states}
    assert drawn == fixed
    Xml.fromstring(export(definition))
    mermaid = state_diagram(definition).splitlines()
    assert mermaid[0] == "stateDiagram-v2"
    # A transition that leaves several states is several lines.
    arrows = sum(len(definition.transitions[number].sources) for number in fixed)
    assert sum("-->" in line and "[*]" not in line for line in mermaid) == arrows


def test_titles_are_data_in_every_form() -> None:
    title = "<b>&\"'`#{}</b> a: b; c --> d"
    county = shipped("county")
    states = {**county.states, "issuing": county.states["issuing"].model_copy(update={"title": title})}
    definition = county.model_copy(update={"states": states})
    words = ["".join(item.itertext()) for item in Xml.fromstring(draw(definition)).iter(f"{SVG}text")]
    assert title in words
    line = next(line for line in state_diagram(definition).splitlines() if line.startswith("    issuing:"))
    assert not re.search(r'[<>"#{}`;]', line.replace("    issuing:", "", 1))
    assert line.count(":") == 1


def test_mermaid_tells_sign_offs_and_ways_back() -> None:
    mermaid = state_diagram(shipped("county"))
    assert "note right of second_review: 会签 绩效股复审、预算股复审" in mermaid
    assert "send_back 退回前面环节到经过的环节" in mermaid
    assert "    issuing --> issued: approve 签发（局领导）" in mermaid


@pytest.mark.parametrize("name", SHIPPED)
def test_the_pictures_of_the_guide_are_those_of_today(name: str) -> None:
    kept = Path(__file__).parents[3] / "docs" / "pictures" / f"{name}.svg"
    assert kept.read_text("utf-8") == draw(shipped(name)), f"make schema draws docs/pictures/{name}.svg anew"
