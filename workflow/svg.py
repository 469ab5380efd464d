"""A definition as a stand-alone SVG picture: readable on screen in light and dark, and printed in black and white."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as Xml

from workflow.authority import whom
from workflow.definition import EARLIER, PREVIOUS, SIGN_OFF, TASK_HOLDER, UNDO, Definition
from workflow.layout import Link, links, place
from workflow.mermaid import signing

_WIDTH: Final = 232
_LINE: Final = 19
_GAP: Final = 64
_LEFT: Final = 24
_BETWEEN: Final = 210
_LANE: Final = 26
_STYLE: Final = """
svg { color: #1b1b1b; background: #ffffff; font-family: "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC",
 "SimHei", sans-serif; font-size: 13px }
@media (prefers-color-scheme: dark) { svg { color: #e8e8e8; background: #1b1b1b } }
text { fill: currentColor } .label { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round }
@media (prefers-color-scheme: dark) { .label { stroke: #1b1b1b } }
.title { font-size: 15px; font-weight: bold } .small { font-size: 12px }
.box { fill: none; stroke: currentColor; stroke-width: 1.3 } .written { stroke-dasharray: 6 3 }
.here { stroke-width: 4 } .visited { fill: currentColor; fill-opacity: 0.08 }
.way { fill: none; stroke: currentColor; stroke-width: 1.3 } .back { stroke-dasharray: 3 3 }
.head { fill: currentColor }
"""


# Where a label stands, its words, and its text-anchor.
_Label = tuple[float, float, str, str]


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    height: float
    lines: tuple[str, ...]

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def draw(definition: Definition, *, state: str | None = None, visited: Collection[str] = ()) -> str:
    """The picture; ``state`` is where a text stands (thick border), ``visited`` where it has been (shaded).

    States that can be edited have a dashed border, final ones a double one; ways back are dotted.
    """
    boxes = _boxes(definition)
    ways = links(definition)
    lanes = sum(link.back and boxes[link.source].x == boxes[link.target].x for link in ways)
    main = max(box.x for box in boxes.values())
    width = main + _WIDTH + 24 + (lanes * _LANE + 170 if lanes else 170)
    height = max(box.y + box.height for box in boxes.values()) + 30
    svg = Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{width:g}",
            "height": f"{height:g}",
            "role": "img",
            "aria-labelledby": "title desc",
        },
    )
    Xml.SubElement(svg, "title", {"id": "title"}).text = definition.title
    Xml.SubElement(svg, "desc", {"id": "desc"}).text = _described(definition)
    Xml.SubElement(svg, "style").text = _STYLE
    marker = Xml.SubElement(
        Xml.SubElement(svg, "defs"),
        "marker",
        {
            "id": "head",
            "viewBox": "0 0 8 8",
            "refX": "7",
            "refY": "4",
            "markerWidth": "8",
            "markerHeight": "8",
            "orient": "auto",
        },
    )
    Xml.SubElement(marker, "path", {"d": "M0,0 L8,4 L0,8 z", "class": "head"})
    labels = _draw_ways(svg, definition, boxes, ways)
    for name, box in boxes.items():
        _draw_box(svg, definition, name, box, here=name == state, visited=name in visited)
    for label in labels:
        _label(svg, *label)
    return Xml.tostring(svg, encoding="unicode") + "\n"


def _boxes(definition: Definition) -> dict[str, _Box]:
    placed = place(definition)
    wide = any(item.column for item in placed.values())
    main = _LEFT + (_WIDTH + _BETWEEN if wide else 0)
    texts = {name: _texts(definition, name) for name in definition.states}
    rows: dict[int, float] = {}
    top = 24.0
    for row in range(max(item.row for item in placed.values()) + 1):
        rows[row] = top
        here = [len(texts[name]) for name, item in placed.items() if item.row == row]
        # Several ways out of one box to the left are labelled one below the other.
        top += max(here, default=1) * _LINE + 22 + _GAP
    return {
        name: _Box(_LEFT if item.column else main, rows[item.row], len(texts[name]) * _LINE + 22, texts[name])
        for name, item in placed.items()
    }


def _texts(definition: Definition, name: str) -> tuple[str, ...]:
    """What stands in a box below the title: whose turn it is and until when, the sign-off, the ways back."""
    state = definition.states[name]
    out = [state.title]
    if state.sign and len(state.sign.seats) > 1:
        out.append(signing(definition, state.sign))
    elif state.task:
        out.append(definition.roles[state.sign.seats[0] if state.sign else state.task.role].title)
    if state.task and state.task.due:
        due = _due(state.task.due)
        # A box is some seventeen characters wide.
        out = [*out, due] if len(out[-1]) + len(due) > 16 else [*out[:-1], f"{out[-1]}，{due}"]
    back = [item for item in definition.leaving(name) if item.target in (PREVIOUS, EARLIER)]
    if back:
        out.append("可" + "、".join(dict.fromkeys(item.title for item in back)))
    if any(item.target == UNDO for item in definition.leaving(name)):
        out.append("上一步可撤回")
    return tuple(out)


def _due(text: str) -> str:
    if text.startswith("before "):
        return f"{text[7:]} 前"
    number = text.split()[0]
    return f"{number} 个工作日" if "working" in text else f"{number} 天"


def _draw_box(svg: Xml.Element, definition: Definition, name: str, box: _Box, *, here: bool, visited: bool) -> None:
    state = definition.states[name]
    marks = [
        "box",
        *(["written"] if state.editable else []),
        *(["here"] if here else []),
        *(["visited"] if visited else []),
    ]
    frame = {"x": f"{box.x:g}", "y": f"{box.y:g}", "width": f"{_WIDTH}", "height": f"{box.height:g}", "rx": "6"}
    Xml.SubElement(svg, "rect", {**frame, "class": " ".join(marks)})
    if state.final:
        inner = {
            "x": f"{box.x + 4:g}",
            "y": f"{box.y + 4:g}",
            "width": f"{_WIDTH - 8}",
            "height": f"{box.height - 8:g}",
            "rx": "4",
        }
        Xml.SubElement(svg, "rect", {**inner, "class": "box"})
    for number, line in enumerate(box.lines):
        at = {"x": f"{box.x + _WIDTH / 2:g}", "y": f"{box.y + 22 + number * _LINE:g}", "text-anchor": "middle"}
        Xml.SubElement(svg, "text", {**at, "class": "small" if number else "title"}).text = line


def _draw_ways(
    svg: Xml.Element, definition: Definition, boxes: dict[str, _Box], ways: tuple[Link, ...]
) -> list[_Label]:
    """Draws the lines; the labels are drawn after everything, so that no line crosses a word."""
    labels: list[_Label] = []
    main = max(box.x for box in boxes.values())
    leaving: dict[str, int] = {}
    lane = 0
    order = sorted(boxes, key=lambda name: boxes[name].y)
    for link in ways:
        start, end = boxes[link.source], boxes[link.target]
        words = _words(definition, link)
        next_below = [name for name in order if boxes[name].x == main and boxes[name].y > start.y][:1]
        if start.x == end.x == main and next_below == [link.target]:
            x = main + _WIDTH / 2
            _way(svg, f"M{x:g},{start.y + start.height:g} V{end.y:g}", back=False)
            labels.append((x + 10, (start.y + start.height + end.y) / 2 + 4, words, "start"))
        elif start.x == end.x:
            lane += 1
            x = (main if start.x == main else start.x) + _WIDTH
            far = x + 18 + lane * _LANE
            first, last = start.middle - 8, end.middle + 8
            if link.source == link.target:
                first, last = start.middle - 10, start.middle + 10
            _way(svg, f"M{x:g},{first:g} H{far:g} V{last:g} H{x:g}", back=link.back)
            labels.append((far + 6, first + 4, words, "start"))
        elif start.x == main:
            number = leaving[link.source] = leaving.get(link.source, 0) + 1
            y = start.y + 14 + (number - 1) * 22
            _way(
                svg,
                f"M{main:g},{y:g} C{main - 70:g},{y:g} {end.x + _WIDTH + 70:g},{end.middle:g} {end.x + _WIDTH:g},{end.middle:g}",
                back=True,
            )
            labels.append((main - 10, y - 5, words, "end"))
        else:
            y = start.y + start.height - 10
            into = end.y + end.height - 12
            _way(
                svg,
                f"M{start.x + _WIDTH:g},{y:g} C{start.x + _WIDTH + 70:g},{y:g} {main - 70:g},{into:g} {main:g},{into:g}",
                back=False,
            )
            labels.append((start.x + _WIDTH / 2, start.y + start.height + 16, words, "middle"))
    return labels


def _words(definition: Definition, link: Link) -> str:
    found = [definition.transitions[number] for number in link.numbers]
    names = [
        item.title + ("" if item.by in (SIGN_OFF, TASK_HOLDER) else f"（{whom(definition, item)}）") for item in found
    ]
    return "／".join(dict.fromkeys(names))


def _way(svg: Xml.Element, path: str, *, back: bool) -> None:
    Xml.SubElement(svg, "path", {"d": path, "class": "way back" if back else "way", "marker-end": "url(#head)"})


def _label(svg: Xml.Element, x: float, y: float, words: str, anchor: str) -> None:
    Xml.SubElement(
        svg, "text", {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor, "class": "small label"}
    ).text = words


def _described(definition: Definition) -> str:
    states = definition.states
    ways = [
        f"{states[source].title}{item.title}到{states[item.target].title}"
        for item in definition.transitions
        if item.target in states
        for source in item.sources
    ]
    return f"{definition.title}：{'；'.join(ways)}。"
