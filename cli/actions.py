"""Acting on texts: ``text do ACTION ID`` and the short forms, all one command with other defaults."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click
import orjson

from application.acting import Choice, Remark, Reply, act
from application.bulk import act_on_many
from application.installation import Request
from application.texts import actions as list_actions
from cli.output import print_json, print_table, progress, say
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
        click.option("--to", metavar="环节", help="退回到哪个环节（名称或代号）；默认为上一个。"),
        click.option(
            "--resume",
            type=click.Choice(["restart", "direct"]),
            help="退回之后：restart 重走流程，direct 直送退回人（流程允许时）。",
        ),
        click.option("--expect", "expected", type=int, help="您看到的改动次数（row_version）；已被别人改动时拒绝。"),
        click.option("--ids", "ids_file", metavar="FILE", help="文本编号的文件，每行一个（- 为标准输入）。"),
        click.option("--command-id", help="命令编号：同一编号重复执行只生效一次。"),
        as_json,
    ):
        function = option(function)
    return function


def perform(text_ids: tuple[str, ...], action: str, given: dict[str, Any]) -> int:
    """Runs an action on one text, or on many, and says what comes next."""
    text_ids = (*text_ids, *_ids_of(given.get("ids_file")))
    if not text_ids:
        raise InvalidInput("请写文本编号；用 jixiao task list 查看待办。")
    if len(text_ids) > 1:
        return _perform_many(text_ids, action, given)
    text_id = text_ids[0]
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
        remarks=_remarks(given),
        replies=dict(map(_answer, given["answers"])),
        accept_all=given["accept_all"],
        choice=_choice(given),
        expected=expected,
        command_id=given["command_id"],
    )
    if given["as_json"]:
        print_json(done)
        return 0
    again = "（此命令先前已执行，未重复）" if done["replayed"] else ""
    words = {"pending": "已签署，等待其他签署人；", "passed": "签署通过；", "failed": "签署未通过；"}
    voted = "已撤回您的签署；" if action == "recall" and done["vote"] else words.get(done["vote"] or "", "")
    say(
        f"完成{again}：{voted}文本现在是“{done['state_title']}”，第 {done['round']} 轮，第 {done['version']} 版。"
        f"{_next(request, text_id)}"
    )
    for note in done["notes"]:
        say(f"注意：{note}")
    if action == "publish" and not done["replayed"]:
        from application.publishing import publication_notes
        from cli.publishing import say_notes

        say_notes(publication_notes(request, text_id), advice="请逐处核对；要改正的，由经办人用 adjust 动作发起调整。")
    return 0


def _perform_many(text_ids: tuple[str, ...], action: str, given: dict[str, Any]) -> int:
    """A bulk: a line for each text; fails with 6 where one was refused."""
    for name, option in (("expected", "--expect"), ("command_id", "--command-id"), ("answers", "--answer")):
        if given[name]:
            raise InvalidInput(f"一次办理多份文本时不能用 {option}；请逐份办理。")
    request = current_request()
    with progress(len(set(text_ids)), "办理") as moved:
        done = act_on_many(
            request,
            text_ids,
            action=action,
            reason=given["reason"],
            remarks=_remarks(given),
            accept_all=given["accept_all"],
            choice=_choice(given),
            done=moved,
        )
    if given["as_json"]:
        print_json(done)
    else:
        print_table(
            ("编号", "结果", "说明"),
            [
                (item["text"], "完成" if item["ok"] else "未办", item.get("state_title") or item.get("message"))
                for item in done["results"]
            ],
            empty="没有文本。",
        )
        say(f"完成 {done['done']} 份，未办 {done['failed']} 份；批次 {done['bulk']}。")
    if "unsigned" in done:
        say(f"提示：{done['unsigned']}")
    return 6 if done["failed"] else 7 if "unsigned" in done else 0


def _ids_of(path: str | None) -> list[str]:
    """Text ids from a file, one a line; what stands behind a blank or TAB is not looked at."""
    if path is None:
        return []
    try:
        lines = read_input(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InvalidInput(f"“{path}”不是文本文件；应为每行一个文本编号。") from None
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def _choice(given: dict[str, Any]) -> Choice:
    return Choice(given["to"], given["resume"], given.get("against", False))


def _remarks(given: dict[str, Any]) -> list[Remark]:
    return [*map(_remark, given["opinions"]), *_remarks_of(given["opinions_file"])]


def _next(request: Request, text_id: str) -> str:
    from models.errors import NotAllowed

    try:
        found = list_actions(request, text_id)
    except NotAllowed:
        # The person acted, and the text is no longer theirs to look at.
        return ""
    if not found["actions"]:
        return "流程已结束。"
    turns = found["tasks"]
    titles = "、".join(dict.fromkeys(turn["role_title"] for turn in turns))
    due = min((turn["due"] for turn in turns if turn["due"]), default=None)
    whose = f"轮到“{titles}”" + (f"，期限 {due}" if due else "") if turns else ""
    possible = "、".join(dict.fromkeys(f"{item['title']}（{item['by']}）" for item in found["actions"]))
    return "；".join(filter(None, (whose, f"之后可以：{possible}。")))


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
    @click.argument("text_ids", metavar="ID…", nargs=-1)
    @acting_options
    def command(text_ids: tuple[str, ...], **given: Any) -> int:
        return perform(text_ids, action, given)

    return command


@click.command("sign", help="签署（会签、或签、票签、依次）：同意，或者 --against 表示不同意。")
@click.argument("text_ids", metavar="ID…", nargs=-1)
@click.option("--against", is_flag=True, help="不同意；要写 --reason，一般还要用 --opinion 逐处写明意见。")
@acting_options
def sign(text_ids: tuple[str, ...], **given: Any) -> int:
    """A vote in a sign-off."""
    return perform(text_ids, "sign", given)


submit = short_form("submit", "报送文本（部门负责人）。有检查错误、没有答复的警告和意见、没有确认的修复时不能报送。")
recall = short_form("recall", "撤回自己的上一步，或自己的签署；下一环节处理之前可以撤回。")
accept = short_form("accept", "受理文本（初审）。")
return_ = short_form("return", "退回修改：--reason 写总的理由，--opinion 逐处写明意见。")
pass_ = short_form("pass", "审核通过（初审、复审）。")
approve = short_form("approve", "批复（审批）。只对报送时的那一份内容有效。")
publish = short_form("publish", "公开（公开岗）。")
send_back = short_form("send_back", "退回前面的审核环节：--to 写环节，不写是上一个。")
issue = short_form("issue", "批复：把签发了的批复函发给部门（county 流程）。")
adjust = short_form("adjust", "调整已公开的文本：从公开的那一版开始新的一轮，新的一版公开之前，原来的一版继续公开。")
SHORT_FORMS = (submit, recall, accept, return_, pass_, sign, send_back, approve, issue, publish, adjust)
