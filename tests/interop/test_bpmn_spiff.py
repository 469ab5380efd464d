"""A stranger opens our BPMN: SpiffWorkflow validates it against the OMG's schema, and walks it to the end."""

from __future__ import annotations

import importlib.resources
import warnings
from io import BytesIO
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lxml import etree
    from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, BpmnValidator
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
    from SpiffWorkflow.util.task import TaskState

from workflow.bpmn import export
from workflow.definition import Definition
from workflow.source import parse_definition

WAYS = {
    "simple": ["submit", "approve", "publish"],
    "standard": ["submit", "return", "submit", "accept", "pass", "pass", "approve", "publish"],
    "county": [
        "submit",
        "accept",
        "pass",
        "pass",
        "approve",
        "issue",
        "publish",
        "adjust",
        "submit",
        "accept",
        "return",
    ],
}


def shipped(name: str) -> Definition:
    return parse_definition(importlib.resources.files("workflow").joinpath(f"definitions/{name}.yaml").read_bytes())


def opened(definition: Definition) -> Any:
    parser = BpmnParser(validator=BpmnValidator())
    parser.add_bpmn_io(BytesIO(export(definition)), filename="ours.bpmn")
    return parser.get_spec(definition.name)


@pytest.mark.parametrize("name", WAYS)
def test_the_schema_of_the_omg_accepts_it_and_the_same_bytes_come_twice(name: str) -> None:
    data = export(shipped(name))
    assert data == export(shipped(name))
    BpmnValidator().validate(etree.fromstring(data))


@pytest.mark.parametrize("name", WAYS)
def test_it_is_walked_through_the_states_that_the_actions_reach(name: str) -> None:
    definition = shipped(name)
    instance = BpmnWorkflow(opened(definition))
    state = definition.initial
    for action in WAYS[name]:
        instance.do_engine_steps()
        waiting = [task for task in instance.get_tasks(state=TaskState.READY) if task.task_spec.manual]
        assert {task.task_spec.bpmn_name for task in waiting} == {definition.states[state].title}
        for task in waiting:  # a sign-off has one for each seat
            task.data["action"] = action
            task.run()
        transition = definition.transition(action, state)
        assert transition is not None
        state = transition.target
    instance.do_engine_steps()
    reached = definition.states[state]
    waiting = [task for task in instance.get_tasks(state=TaskState.READY) if task.task_spec.manual]
    if not reached.final:
        assert {task.task_spec.bpmn_name for task in waiting} == {reached.title}
    for task in waiting:
        task.data["action"] = ""
        task.run()
    instance.do_engine_steps()
    assert instance.is_completed() or not reached.final


def test_hostile_titles_are_data() -> None:
    county = shipped("county")
    title = "<b>&\"'</b>]]>"
    states = {**county.states, "issuing": county.states["issuing"].model_copy(update={"title": title})}
    definition = county.model_copy(update={"states": states, "title": title})
    assert opened(definition).name == county.name
    names = etree.fromstring(export(definition)).xpath("//*[@id='state_issuing']/@name")
    assert names == [title]
