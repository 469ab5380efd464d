"""What can be said of a definition without exploring it: names that nobody knows here, conditions, deadlines, reasons.

The definition is consistent in itself already (``workflow/definition.py``); these checks hold it against the installation:
its roles, guards, documents and facts. What depends on the ways through it is ``workflow/proofs.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import combinations, pairwise
from typing import Any, Final, Literal

from models.people import ROLE_HOME, Role
from models.texts import TextKind
from workflow.definition import SIGN_OFF, TASK_HOLDER, Definition, TaskRule, Transition
from workflow.expressions import Expression, ExpressionError, Undecidable, overlap, parse
from workflow.expressions import combinations as truth_values
from workflow.facts import facts_known
from workflow.guards import _REGISTRY as GUARDS  # the names alone are asked for, to suggest one that is near

Severity = Literal["error", "warning"]
Place = tuple[str | int, ...]

# Auditors and administrators have no part in a text's way (domain.md section 1).
_ROLES: Final = {str(role): home.value for role, home in ROLE_HOME.items() if role is not Role.AUDITOR}
_SIDES: Final = {"department": "部门", "finance": "财政"}
_APPROVED_UNCHANGED: Final = "approved_content_unchanged"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a place of the definition; an error stops publishing, a warning is for people to consider."""

    code: str
    severity: Severity
    message: str
    place: Place


def lint(definition: Definition, *, documents: Collection[str], today: date | None = None) -> tuple[Flaw, ...]:
    """Everything that is wrong or doubtful; ``documents`` are the names that can be rendered.

    Fixed days are held against ``today`` (in Shanghai), and not at all without one.
    """
    checks: tuple[Iterable[Flaw], ...] = (
        _unknown_names(definition, documents),
        _roles(definition),
        _guards(definition),
        _conditions(definition),
        _past_deadlines(definition, today),
        _reasons(definition),
        _publications(definition),
        _unused_roles(definition),
        _separation(definition),
        _single_seats(definition),
        _same_titles(definition),
    )
    return tuple(flaw for found in checks for flaw in found)


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name: the nearest one, and all there are."""
    names = sorted(known)
    near = get_close_matches(name, names, 1)
    return f"是不是“{near[0]}”？可以用 {'、'.join(names)}" if near else f"请改用 {'、'.join(names)}"


def _unknown_names(definition: Definition, documents: Collection[str]) -> Iterator[Flaw]:
    kinds = [kind.value for kind in TextKind]
    if definition.kind not in kinds:
        message = f"没有“{definition.kind}”这一类文本；{suggestion(definition.kind, kinds)}。"
        yield Flaw("unknown_kind", "error", message, ("kind",))
    for name, state in definition.states.items():
        if state.document not in documents:
            message = f"“{state.title}”的文书“{state.document}”不存在；{suggestion(state.document, documents)}。"
            yield Flaw("unknown_document", "error", message, ("states", name, "document"))


def _roles(definition: Definition) -> Iterator[Flaw]:
    for name, rule in definition.roles.items():
        home = _ROLES.get(name)
        if home is None:
            message = f"系统中没有岗位“{name}”（{rule.title}），任务会没有人办；{suggestion(name, _ROLES)}。"
            yield Flaw("unknown_role", "error", message, ("roles", name))
        elif rule.of != home:
            message = f"岗位“{name}”（{rule.title}）只能授予{_SIDES[home]}的人；请写 of: {home}。"
            yield Flaw("role_side", "error", message, ("roles", name, "of"))


def _guards(definition: Definition) -> Iterator[Flaw]:
    for number, item in enumerate(definition.transitions):
        for place, name in enumerate(item.guards):
            if name not in GUARDS:
                message = f"“{item.title}”（{item.action}）的条件“{name}”没有登记；{suggestion(name, GUARDS)}。"
                yield Flaw("unknown_guard", "error", message, ("transitions", number, "guards", place))


def _conditions(definition: Definition) -> Iterator[Flaw]:
    """Conditions that can't be read or decided, and pairs of one action and state that can both be met."""
    known = facts_known(definition.kind)
    ways: dict[int, Expression] = {}
    for number, item in enumerate(definition.transitions):
        for place, rule in enumerate(item.requires):
            try:
                parse(rule.that, known)
            except ExpressionError as error:
                yield Flaw("condition", "error", str(error), ("transitions", number, "requires", place, "that"))
        if item.when is None:
            continue
        where = ("transitions", number, "when")
        try:
            expression = parse(item.when, known)
            truth_values([expression])
        except Undecidable as error:
            yield Flaw("undecidable", "error", str(error), where)
        except ExpressionError as error:
            yield Flaw("condition", "error", str(error), where)
        else:
            ways[number] = expression
    for one, other in combinations(ways, 2):
        first, second = definition.transitions[one], definition.transitions[other]
        if first.action != second.action or not {*first.sources} & {*second.sources}:
            continue
        where = ("transitions", other, "when")
        try:
            witness = overlap(ways[one], ways[other])
        except Undecidable as error:
            yield Flaw("undecidable", "error", str(error), where)
            continue
        if witness is not None:
            message = (
                f"“{first.title}”和“{second.title}”（{first.action}）的条件可以同时成立，"
                f"例如{_witness(witness, ways[one], ways[other])}；请改成互斥的条件。"
            )
            yield Flaw("overlapping", "error", message, where)


def _witness(witness: Mapping[str, Any], *expressions: Expression) -> str:
    facts = {name: fact for item in expressions for name, fact in item.facts.items()}
    words = {True: "是", False: "否"}
    return "、".join(
        f"{facts[name].title}为 {words[value] if isinstance(value, bool) else value}" for name, value in witness.items()
    )


def _past_deadlines(definition: Definition, today: date | None) -> Iterator[Flaw]:
    tasks: list[tuple[Place, str, TaskRule | None]] = [
        *((("states", name, "task", "due"), state.title, state.task) for name, state in definition.states.items()),
        *(
            (("transitions", number, "task", "due"), item.title, item.task)
            for number, item in enumerate(definition.transitions)
        ),
    ]
    for place, title, task in tasks:
        day = task.deadline.before if task and task.deadline else None
        if day is not None and today is not None and day < today:
            message = f"“{title}”的期限 {day} 已经过去，新的任务一开始就逾期；请改成以后的日子，或写几个工作日。"
            yield Flaw("past_deadline", "warning", message, place)


def _reasons(definition: Definition) -> Iterator[Flaw]:
    for number, item in enumerate(definition.transitions):
        if item.reason == "required":
            continue
        if _is_return(definition, item):
            message = f"“{item.title}”（{item.action}）退回必须写明理由；请写 reason: required。"
            yield Flaw("return_without_reason", "error", message, ("transitions", number))
        elif item.reopens and item.by != SIGN_OFF:
            message = f"“{item.title}”（{item.action}）重新打开文本，却不要求理由；请写 reason: required。"
            yield Flaw("reopening_without_reason", "warning", message, ("transitions", number))


def _is_return(definition: Definition, item: Transition) -> bool:
    """Whether somebody gives a text back: along its way, or from a desk of the bureau to its author."""
    # What a sign-off decides has the reasons of those who voted against.
    if item.by == SIGN_OFF:
        return False
    if item.returns:
        return True
    if item.target not in definition.states or not definition.states[item.target].editable:
        return False
    acting = {item.by}
    if item.by == TASK_HOLDER:
        tasks = (definition.states[name].task for name in item.sources)
        acting = {task.role for task in tasks if task is not None}
    return any(role in definition.roles and definition.side(role) == "finance" for role in acting)


def _publications(definition: Definition) -> Iterator[Flaw]:
    for number, item in enumerate(definition.transitions):
        if item.publishes and _APPROVED_UNCHANGED not in item.guards:
            message = f"“{item.title}”（{item.action}）公开时不核对批准的内容；请写条件 {_APPROVED_UNCHANGED}。"
            yield Flaw("publication_unguarded", "warning", message, ("transitions", number))


def _unused_roles(definition: Definition) -> Iterator[Flaw]:
    used = {rule.head for rule in definition.roles.values()}
    for state in definition.states.values():
        used |= {*([state.task.role] if state.task else []), *(state.sign.seats if state.sign else [])}
    for item in definition.transitions:
        used |= {item.by, item.capacity, *([item.task.role] if item.task else [])}
    for name, rule in definition.roles.items():
        if name not in used:
            message = f"岗位“{name}”（{rule.title}）没有任务，也没有动作；请删去，或给它任务。"
            yield Flaw("unused_role", "warning", message, ("roles", name))


def _separation(definition: Definition) -> Iterator[Flaw]:
    if len(definition.separate) < 2:
        what = "没有写不相容岗位" if not definition.separate else "不相容岗位只有一组"
        message = f"{what}，同一个人可以办完全程；请在 separate 中至少写两组。"
        yield Flaw("no_separation", "warning", message, ("separate",))


def _single_seats(definition: Definition) -> Iterator[Flaw]:
    for name, state in definition.states.items():
        if state.sign is not None and state.sign.rule != "all" and len(state.sign.seats) == 1:
            message = f"“{state.title}”只有一个签署席位，rule: {state.sign.rule} 没有意义；请增加席位，或写 rule: all。"
            yield Flaw("single_seat", "warning", message, ("states", name, "sign"))


def _same_titles(definition: Definition) -> Iterator[Flaw]:
    titles = Counter(state.title for state in definition.states.values())
    for title in (title for title, count in titles.items() if count > 1):
        names = [name for name, state in definition.states.items() if state.title == title]
        for before, name in pairwise(names):
            message = f"状态“{name}”和“{before}”都叫“{title}”，列表中无法分辨；请改名。"
            yield Flaw("same_title", "warning", message, ("states", name, "title"))
