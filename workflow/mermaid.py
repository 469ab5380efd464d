"""A definition as a Mermaid state diagram, for pages that render Mermaid, such as a README."""

from __future__ import annotations

from typing import Final

from workflow.authority import whom
from workflow.definition import EARLIER, PREVIOUS, SIGN_OFF, UNDO, Definition, SignRule

RULES: Final = {"all": "会签", "any": "或签", "quorum": "票签", "sequential": "依次签署"}
# What Mermaid reads as its own, and what stands for it.
_READ: Final = str.maketrans(
    {":": "：", ";": "；", "<": "＜", ">": "＞", "{": "｛", "}": "｝", '"': "”", "#": "＃", "`": "’", "%": "％"}
)


def state_diagram(definition: Definition) -> str:
    """Mermaid text: every state with its title, every transition with who performs it, sign-offs and ways back as notes."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {name}: {_plain(state.title)} {name}" for name, state in definition.states.items()]
    lines.append(f"    [*] --> {definition.initial}")
    for item in definition.transitions:
        if item.target in (PREVIOUS, EARLIER, UNDO):
            continue
        by = "" if item.by == SIGN_OFF else f"（{whom(definition, item)}）"
        words = _plain(f"{item.action} {item.title}{by}" + (f" 当 {item.when}" if item.when else ""))
        lines += [f"    {source} --> {item.target}: {words}" for source in item.sources]
    lines += [f"    {name} --> [*]" for name, state in definition.states.items() if state.final]
    for name, state in definition.states.items():
        notes = [signing(definition, state.sign)] if state.sign else []
        notes += [
            f"{item.action} {item.title}到{_WAYS[item.target]}"
            for item in definition.leaving(name)
            if item.target in _WAYS
        ]
        if notes:
            lines.append(f"    note right of {name}: {_plain('，'.join(notes))}")
    return "\n".join(lines) + "\n"


_WAYS: Final = {PREVIOUS: "上一环节", EARLIER: "经过的环节", UNDO: "上一步之前"}


def signing(definition: Definition, sign: SignRule) -> str:
    """A sign-off in words: its rule and its seats."""
    counted: dict[str, int] = {}
    for role in sign.seats:
        counted[role] = counted.get(role, 0) + 1
    seats = "、".join(
        definition.roles[role].title + (f"×{count}" if count > 1 else "") for role, count in counted.items()
    )
    rule = RULES[sign.rule] + (f" {sign.needed}/{len(sign.seats)}" if sign.rule == "quorum" else "")
    return f"{rule} {seats}"


def _plain(text: str) -> str:
    return " ".join(text.translate(_READ).split())
