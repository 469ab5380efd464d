"""Acting on texts: ``text do ACTION ID`` and the short forms, all one command with other defaults."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click
import orjson

from application.acting import Remark, Reply, act
from application.installation import Request
from application.texts import actions as list_actions
from cli.output import print_json, say
from cli.session import as_json, current_request, read_input
from models.errors import InvalidInput
from models.texts import AnswerKind, OpinionKind

_KINDS = "|".join(OpinionKind)
_REMARK = re.compile(
    rf"^(?P<place>/[^=]*)=(?:(?P<kind>{_KINDS})[:：])?(?P<problem>[^|]+)(?:\|(?P<wanted>.+))?$", re.DOTALL
)
_ANSWER = re.compile(rf"^(?P<id>[^=]+)=(?P<kind>{'|'.join(AnswerKind)})(?:[:：](?P<text>.*))?$", re.DOTALL)


def acting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every action takes."""
    for option in (
        click.option("--reason", help="理由。"),
        click.option(
            "--opinion",
            "opinions",
            multiple=True,
            metavar="位置=问题|要求",
            help="一处意见，可写多次，如 /projects/p1/indicators/i6/sign=成本指标没有符号|补写≤。问题前可加“建议：”或“疑问：”。",
        ),
        click.option(
            "--opinions", "opinions_file", metavar="FILE", help="意见的 JSON 文件：[{place, problem, wanted, kind}]。"
        ),
        click.option(
            "--answer", "answers", multiple=True, metavar="意见编号=接受|说明：…", help="答复一条意见，可写多次。"
        ),
        click.option("--accept-all", is_flag=True, help="对其余意见都答复“接受”。"),
        click.option("--expect", "expected", type=int, help="您看到的改动次数（row_version）；已被别人改动时拒绝。"),
        click.option("--command-id", help="命令编号：同一编号重复执行只生效一次。"),
        as_json,
    ):
        function = option(function)
    return function


def perform(text_id: str, action: str, given: dict[str, Any]) -> None:
    """Runs an action and says what comes next."""
    request = current_request()
    expected = given["expected"]
    if expected is None:
        # What the person acts on is the text as it stands when the command starts: whoever is first wins, the other is
        # told that the text has changed meanwhile.
        expected = list_actions(request, text_id)["row_version"] if given["command_id"] is None else None
    done = act(
        request,
        text_id,
        action=action,
        reason=given["reason"],
        remarks=[*map(_remark, given["opinions"]), *_remarks_of(given["opinions_file"])],
        replies=dict(map(_answer, given["answers"])),
        accept_all=given["accept_all"],
        expected=expected,
        command_id=given["command_id"],
    )
    if given["as_json"]:
        print_json(done)
    else:
        again = "（此命令先前已执行，未重复）" if done["replayed"] else ""
        say(
            f"完成{again}：文本现在是“{done['state_title']}”，第 {done['round']} 轮，第 {done['version']} 版。{_next(request, text_id)}"
        )


def _next(request: Request, text_id: str) -> str:
    from models.errors import NotAllowed

    try:
        found = list_actions(request, text_id)
    except NotAllowed:
        # The person acted, and the text is no longer theirs to look at.
        return ""
    if not found["actions"]:
        return "流程已结束。"
    turn = found["turn"]
    whose = f"轮到“{turn['role_title']}”" + (f"，期限 {turn['due']}" if turn["due"] else "") if turn else ""
    possible = "、".join(dict.fromkeys(f"{item['title']}（{item['by']}）" for item in found["actions"]))
    return f"{whose}；之后可以：{possible}。"


def _remark(text: str) -> Remark:
    match = _REMARK.match(text)
    if match is None:
        raise InvalidInput(f"意见“{text}”无法识别；应写成 位置=问题 或 位置=问题|要求，位置以 / 开头。")
    return Remark(
        match["place"],
        match["problem"].strip(),
        (match["wanted"] or "").strip(),
        OpinionKind(match["kind"] or OpinionKind.REQUIRED),
    )


def _remarks_of(path: str | None) -> list[Remark]:
    if path is None:
        return []
    try:
        return [
            Remark(
                str(item["place"]),
                str(item["problem"]),
                str(item.get("wanted", "")),
                OpinionKind(item.get("kind", OpinionKind.REQUIRED)),
            )
            for item in orjson.loads(read_input(path))
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidInput(
            f"意见文件“{path}”无法识别（{error}）；应为 [{{place, problem, wanted, kind}}, …]。"
        ) from error


def _answer(text: str) -> tuple[str, Reply]:
    match = _ANSWER.match(text)
    if match is None:
        raise InvalidInput(f"答复“{text}”无法识别；应写成 意见编号=接受 或 意见编号=说明：理由。")
    if match["kind"] == AnswerKind.EXPLAINED and not (match["text"] or "").strip():
        raise InvalidInput("答复“说明”时要写明理由：意见编号=说明：理由。")
    return match["id"].strip(), Reply(AnswerKind(match["kind"]), (match["text"] or "").strip())


def short_form(action: str, help_: str) -> click.Command:
    """The command of one action."""

    @click.command(action, help=help_)
    @click.argument("text_id", metavar="ID")
    @acting_options
    def command(text_id: str, **given: Any) -> None:
        perform(text_id, action, given)

    return command


submit = short_form("submit", "报送文本（部门负责人）。有检查错误、未确认的修复或未答复的意见时不能报送。")
recall = short_form("recall", "撤回刚报送、对方尚未受理的文本（报送人）。")
accept = short_form("accept", "受理文本（初审）。")
return_ = short_form("return", "退回修改：--reason 写总的理由，--opinion 逐处写明意见。")
pass_ = short_form("pass", "审核通过（初审、复审）。")
approve = short_form("approve", "批复（审批）。只对报送时的那一份内容有效。")
publish = short_form("publish", "公开（公开岗）。")
SHORT_FORMS = (submit, recall, accept, return_, pass_, approve, publish)
