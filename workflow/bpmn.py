"""A definition as BPMN 2.0 (ISO/IEC 19510): process, lanes per role, user tasks, gateways, and the picture's coordinates.

What BPMN has no word for is said in documentation elements: taking back, and coming straight back after a return.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as Xml

from workflow.authority import whom
from workflow.definition import EARLIER, PREVIOUS, UNDO, Definition, State, Transition
from workflow.layout import place
from workflow.machine import destinations

_MODEL: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_DI: Final = "http://www.omg.org/spec/BPMN/20100524/DI"
_DC: Final = "http://www.omg.org/spec/DD/20100524/DC"
_DDI: Final = "http://www.omg.org/spec/DD/20100524/DI"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_COLUMN: Final = 420
_ROW: Final = 140
_TASK: Final = (160, 80)
_GATEWAY: Final = (50, 50)
_EVENT: Final = (36, 36)


def export(definition: Definition) -> bytes:
    """The XML; ids come from the names of states, so that the same definition gives the same bytes.

    After a task with several ways out, the variable ``action`` (and ``to``, where a return has several targets) chooses one.
    """
    return _Process(definition).whole()


class _Process:
    """The process as it is built: elements, which lane each belongs to, and where each stands."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.lanes: dict[str, list[str]] = {}
        self.places: dict[str, tuple[float, float, int, int]] = {}
        self.flows: list[tuple[str, str, str, str, str]] = []
        self.nodes: list[tuple[str, str, str, State | None, str]] = []

    def whole(self) -> bytes:
        """Builds everything and writes it."""
        for prefix, address in (("", _MODEL), ("bpmndi", _DI), ("dc", _DC), ("di", _DDI), ("xsi", _XSI)):
            Xml.register_namespace(prefix, address)
        self._nodes()
        root = Xml.Element(
            _name("definitions"),
            {"id": f"{self.definition.name}_definitions", "targetNamespace": "https://jixiao.example/workflow"},
        )
        process = Xml.SubElement(
            root, _name("process"), {"id": self.definition.name, "name": self.definition.title, "isExecutable": "true"}
        )
        self._document(process, f"{self.definition.title}，{self.definition.name}@{self.definition.version}")
        self._lane_set(process)
        for kind, id_, title, state, words in self.nodes:
            self._node(process, kind, id_, title, state, words)
        default = self._defaults()
        for id_, source, target, title, condition in self.flows:
            flow = Xml.SubElement(
                process, _name("sequenceFlow"), {"id": id_, "name": title, "sourceRef": source, "targetRef": target}
            )
            if condition and default.get(source) != id_:
                expression = Xml.SubElement(
                    flow, _name("conditionExpression"), {f"{{{_XSI}}}type": "tFormalExpression"}
                )
                expression.text = condition
        self._diagram(root)
        Xml.indent(root)
        data: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
        return data + b"\n"

    def _nodes(self) -> None:
        definition = self.definition
        placed = place(definition)
        for name, state in definition.states.items():
            x = 260.0 + (0 if placed[name].column else _COLUMN)
            y = 60.0 + placed[name].row * _ROW
            leaving = self._leaving(name)
            role = state.task.role if state.task else ""
            if name == definition.initial:
                self._put("startEvent", "start", "开始", x - 110, y + 22, _EVENT, role)
                self._flow("start", f"state_{name}", "")
            if state.final and not leaving:
                self._put("endEvent", f"state_{name}", state.title, x + 62, y + 22, _EVENT, role)
                continue
            self._put("userTask", f"state_{name}", state.title, x, y, _TASK, role, state, self._words(name))
            source = f"state_{name}"
            if len(leaving) + state.final > 1:
                self._put("exclusiveGateway", f"choice_{name}", f"{state.title}之后", x + 190, y + 15, _GATEWAY, role)
                self._flow(source, f"choice_{name}", "")
                source = f"choice_{name}"
            if state.final:
                self._put("endEvent", f"end_{name}", state.title, x + 290, y + 22, _EVENT, role)
                self._flow(source, f"end_{name}", "结束")
            for number, item, target, several in leaving:
                condition = f"action == '{item.action}'" + (f" and to == '{target}'" if several else "")
                title = item.title + (f"到{definition.states[target].title}" if several else "")
                self._flow(source, f"state_{target}", title, condition, f"flow_{name}_{number}_{target}")

    def _leaving(self, name: str) -> list[tuple[int, Transition, str, bool]]:
        out = []
        for number, item in enumerate(self.definition.transitions):
            if name not in item.sources or item.target == UNDO:
                continue
            dynamic = item.target in (PREVIOUS, EARLIER)
            targets = destinations(self.definition, item, name) if dynamic else (item.target,)
            out += [(number, item, target, dynamic) for target in targets]
        return out

    def _words(self, name: str) -> str:
        """What a task's documentation says: who, until when, and what BPMN has no element for."""
        definition, state = self.definition, self.definition.states[name]
        parts = [f"期限 {state.task.due}"] if state.task and state.task.due else []
        for item in definition.leaving(name):
            if item.target == UNDO:
                parts.append(f"{item.title}（{item.action}）：办理人可以收回上一步，到下一环节处理为止")
            else:
                parts.append(
                    f"{item.title}（{item.action}）由{whom(definition, item)}"
                    + (f"，条件 {item.when}" if item.when else "")
                )
            if item.resumes:
                parts.append(f"{item.title}在选择直送退回人之后回到退回的环节")
        return "；".join(parts)

    def _put(
        self,
        kind: str,
        id_: str,
        title: str,
        x: float,
        y: float,
        size: tuple[int, int],
        role: str,
        state: State | None = None,
        words: str = "",
    ) -> None:
        self.nodes.append((kind, id_, title, state, words))
        self.places[id_] = (x, y, *size)
        self.lanes.setdefault(role or next(iter(self.definition.roles)), []).append(id_)

    def _flow(self, source: str, target: str, title: str, condition: str = "", id_: str = "") -> None:
        self.flows.append((id_ or f"flow_{source}_{target}", source, target, title, condition))

    def _lane_set(self, process: Xml.Element) -> None:
        lanes = Xml.SubElement(process, _name("laneSet"), {"id": "lanes"})
        for role, ids in self.lanes.items():
            lane = Xml.SubElement(
                lanes, _name("lane"), {"id": f"lane_{role}", "name": self.definition.roles[role].title}
            )
            for id_ in ids:
                Xml.SubElement(lane, _name("flowNodeRef")).text = id_

    def _node(self, process: Xml.Element, kind: str, id_: str, title: str, state: State | None, words: str) -> None:
        members = {"id": id_, "name": title}
        default = self._defaults().get(id_)
        if default and kind == "exclusiveGateway":
            members["default"] = default
        node = Xml.SubElement(process, _name(kind), members)
        if words:
            self._document(node, words)
        for flow, _, target, _, _ in self.flows:
            if target == id_:
                Xml.SubElement(node, _name("incoming")).text = flow
        for flow, source, _, _, _ in self.flows:
            if source == id_:
                Xml.SubElement(node, _name("outgoing")).text = flow
        if state is not None and state.sign is not None and len(state.sign.seats) > 1:
            loop = Xml.SubElement(
                node,
                _name("multiInstanceLoopCharacteristics"),
                {"isSequential": "true" if state.sign.rule == "sequential" else "false"},
            )
            count = Xml.SubElement(loop, _name("loopCardinality"), {f"{{{_XSI}}}type": "tFormalExpression"})
            count.text = str(len(state.sign.seats))

    def _defaults(self) -> dict[str, str]:
        """The way that a gateway takes where nothing was chosen: to the end where there is one, else the first."""
        out: dict[str, str] = {}
        for id_, source, target, _, _ in self.flows:
            if source.startswith("choice_") and (source not in out or target.startswith("end_")):
                out[source] = id_
        return out

    def _diagram(self, root: Xml.Element) -> None:
        diagram = Xml.SubElement(root, f"{{{_DI}}}BPMNDiagram", {"id": "diagram"})
        plane = Xml.SubElement(diagram, f"{{{_DI}}}BPMNPlane", {"id": "plane", "bpmnElement": self.definition.name})
        for id_, (x, y, width, height) in self.places.items():
            shape = Xml.SubElement(plane, f"{{{_DI}}}BPMNShape", {"id": f"shape_{id_}", "bpmnElement": id_})
            bounds = {"x": f"{x:g}", "y": f"{y:g}", "width": str(width), "height": str(height)}
            Xml.SubElement(shape, f"{{{_DC}}}Bounds", bounds)
        for id_, source, target, _, _ in self.flows:
            edge = Xml.SubElement(plane, f"{{{_DI}}}BPMNEdge", {"id": f"edge_{id_}", "bpmnElement": id_})
            for node in (source, target):
                x, y, width, height = self.places[node]
                Xml.SubElement(edge, f"{{{_DDI}}}waypoint", {"x": f"{x + width / 2:g}", "y": f"{y + height / 2:g}"})

    def _document(self, element: Xml.Element, words: str) -> None:
        Xml.SubElement(element, _name("documentation")).text = words


def _name(tag: str) -> str:
    return f"{{{_MODEL}}}{tag}"
