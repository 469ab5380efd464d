"""Random valid definitions: desks, sign-offs, returns, ways of resuming, conditions, limits, taking back, properties."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from workflow.definition import Definition

ROLES: dict[str, dict[str, str]] = {
    "drafter": {"title": "经办人", "of": "department"},
    "head": {"title": "部门负责人", "of": "department"},
    "clerk": {"title": "初审", "of": "finance"},
    "second": {"title": "复审", "of": "finance"},
    "chief": {"title": "局领导", "of": "finance"},
}
BUREAU = ("clerk", "second", "chief")
# Ways to keep duties apart, from not at all to each for itself.
GROUPS: tuple[list[list[str]], ...] = (
    [],
    [["drafter", "editor", "submitter"], ["clerk", "second", "chief"]],
    [["drafter", "editor", "submitter"], ["clerk"], ["second"], ["chief"]],
    [["drafter", "submitter"], ["clerk", "chief"]],
    [["submitter"], ["chief"]],
)


@st.composite
def sign_rules(draw: st.DrawFn, passed: str, failed: str) -> dict[str, Any]:
    seats = draw(st.lists(st.sampled_from(BUREAU), min_size=1, max_size=3))
    rule = draw(st.sampled_from(("all", "any", "quorum", "sequential")))
    out: dict[str, Any] = {"rule": rule, "seats": seats, "passed": passed, "early_stop": draw(st.booleans())}
    if rule == "quorum":
        out["quorum"] = draw(st.integers(1, len(seats)))
    if draw(st.booleans()):
        out["failed"] = failed
    return out


@st.composite
def definitions(
    draw: st.DrawFn,
    *,
    desks: int = 3,
    conditions: bool = True,
    undo: bool = True,
    limits: bool = True,
    properties: bool = True,
) -> Definition:
    """A definition of at most so many desks between a draft and a final state; each is valid, few are sensible."""
    names = [f"desk{number}" for number in range(1, draw(st.integers(1, desks)) + 1)]
    states: dict[str, dict[str, Any]] = {
        "draft": {"title": "草案", "status": "草案", "document": "draft", "editable": True, "task": {"role": "drafter"}}
    }
    transitions: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        made: dict[str, Any] = {
            "title": f"环节{number + 1}",
            "status": "送审稿",
            "document": "review",
            "task": {"role": draw(st.sampled_from(BUREAU))},
        }
        onward = [*names[number + 1 :], "end"]
        if draw(st.booleans()):
            made["sign"] = draw(sign_rules("pass", "fail"))
            target = draw(_mostly(onward))
            transitions += _outcomes(draw, name, target, made["sign"])
        else:
            transitions.append(draw(_desk_step(name, onward)))
        states[name] = made
    states["end"] = {"title": "办结", "status": "批复稿", "document": "approval", "final": True}
    transitions.insert(0, draw(_submission(names)))
    for name in names:
        if draw(st.booleans()):
            transitions.append(draw(_return(name)))
    transitions += _extras(draw, states, names, undo=undo)
    if conditions and draw(st.booleans()):
        _divide(draw, transitions, names)
    for item in transitions:
        if limits and item["to"] != "undo" and draw(st.integers(0, 5)) == 0:
            item["at_most"] = draw(st.integers(1, 2))
    given: dict[str, Any] = {
        "name": "random",
        "version": 1,
        "title": "随机流程",
        "kind": "budget",
        "initial": "draft",
        "roles": ROLES,
        "separate": draw(st.sampled_from(GROUPS)),
        "states": states,
        "transitions": transitions,
    }
    if properties:
        actions = sorted({item["action"] for item in transitions})
        given["properties"] = draw(st.lists(_properties(actions, list(states)), max_size=3))
    return Definition.model_validate(given)


def _mostly(names: list[str]) -> st.SearchStrategy[str]:
    """Mostly the first, so that few desks are left out."""
    return st.sampled_from((*names[:1] * 3, *names))


def _transition(action: str, title: str, sources: list[str], target: str, by: str, **members: Any) -> dict[str, Any]:
    return {"action": action, "title": title, "from": sources, "to": target, "by": by, **members}


def _outcomes(draw: st.DrawFn, name: str, target: str, sign: dict[str, Any]) -> list[dict[str, Any]]:
    resumes = draw(st.booleans())
    guards = draw(st.sampled_from(([], ["content_unchanged"])))
    out = [_transition("pass", "签署通过", [name], target, "sign_off", resumes=resumes, guards=guards)]
    if "failed" in sign:
        back = draw(st.sampled_from(("draft", "previous", "end")))
        members = {"resume": "restart"} if back == "draft" else {}
        out.append(_transition("fail", "签署未通过", [name], back, "sign_off", **members))
    return out


def _extras(draw: st.DrawFn, states: dict[str, Any], names: list[str], *, undo: bool) -> list[dict[str, Any]]:
    """What not every definition has: taking back, adjusting, a recall by the submitter, a task handed on in its state."""
    out: list[dict[str, Any]] = []
    extra = draw(st.sets(st.sampled_from(("undo", "adjust", "recall", "forward")), max_size=2))
    if undo and "undo" in extra:
        out.append(_transition("undo", "收回", [*names, "draft"], "undo", "last_actor", guards=["nobody_acted_since"]))
    if "adjust" in extra:
        out.append(
            _transition("adjust", "调整", ["end"], "draft", "drafter", reopens=True, next_round=draw(st.booleans()))
        )
    if "recall" in extra:
        guards = draw(st.sampled_from(([], ["nobody_acted_since"])))
        out.append(_transition("recall", "撤回", [names[0]], "draft", "submitter", guards=guards))
    if "forward" in extra:
        by, task = draw(st.sampled_from(BUREAU)), {"role": draw(st.sampled_from(BUREAU))}
        plain = [name for name in names if "sign" not in states[name]]
        if plain:
            out.append(_transition("forward", "转请", plain[:1], plain[0], by, task=task, guards=["holds_task"]))
    return out


@st.composite
def _desk_step(draw: st.DrawFn, name: str, onward: list[str]) -> dict[str, Any]:
    action = draw(st.sampled_from(("accept", "approve", "publish")))
    guards = draw(
        st.lists(st.sampled_from(("content_unchanged", "approved_content_unchanged", "holds_task")), max_size=1)
    )
    item = _transition(
        f"{action}_{name}", "办理", [name], draw(_mostly(onward)), draw(st.sampled_from((*BUREAU, "task_holder"))),
        guards=guards, resumes=draw(st.booleans()),
    )  # fmt: skip
    if action == "approve":
        item["approves"] = True
    if action == "publish":
        item["publishes"] = True
    return item


@st.composite
def _submission(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    members = {
        "freeze": draw(st.sampled_from((True, True, False))),
        "next_round": draw(st.booleans()),
        "resumes": draw(st.booleans()),
        "as": draw(st.sampled_from(("submitter", "submitter", "drafter"))),
    }
    return _transition("submit", "报送", ["draft"], draw(_mostly(names)), "head", **members)


@st.composite
def _return(draw: st.DrawFn, name: str) -> dict[str, Any]:
    resume = draw(st.sampled_from(("restart", "direct", "choose")))
    target = draw(st.sampled_from(("draft", "previous", "earlier")))
    by = draw(st.sampled_from(("task_holder", "clerk")))
    return _transition(f"return_{name}", "退回", [name], target, by, resume=resume)


def _divide(draw: st.DrawFn, transitions: list[dict[str, Any]], names: list[str]) -> None:
    """Splits one transition into two by round, so that exactly one of them is meant."""
    whole = draw(st.sampled_from([item for item in transitions if item["to"] != "undo"]))
    limit = draw(st.integers(1, 2))
    other = {**whole, "title": whole["title"] + "（后）", "when": f"round > {limit}"}
    if whole["by"] != "sign_off" and "resume" not in whole and not whole.get("reopens"):
        other["to"] = draw(st.sampled_from([*names, "end"]))
    whole["when"] = f"round <= {limit}"
    transitions.append(other)


def _properties(actions: list[str], states: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    action, state = st.sampled_from(actions), st.sampled_from(states)
    capacities = st.sampled_from((*ROLES, "editor", "submitter"))
    return st.one_of(
        st.builds(lambda name: {"reachable": name}, state),
        st.builds(lambda name: {"eventually_possible": name}, state),
        st.builds(lambda one, other: {"always_before": [one, other]}, action, action),
        st.builds(lambda name, most: {"at_most": [name, most]}, action, st.integers(0, 2)),
        st.builds(lambda names: {"separate": names}, st.lists(capacities, min_size=2, max_size=3, unique=True)),
    )
