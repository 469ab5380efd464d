"""What the checks found on a stored text, and the department's answers: text findings, text answer."""

from __future__ import annotations

from typing import Any

import click

from application import answering
from application.installation import Request
from cli.output import print_json, print_table, say
from cli.session import as_json, with_request
from cli.views import SEVERITIES, print_checks

SOURCES = {
    "organization": "财政单位的设置",
    "installation": "本安装的设置",
    "file": "指定的设置",
    "default": "默认设置",
}


@click.command("findings")
@click.argument("text_id", metavar="ID")
@click.option("--version", type=click.IntRange(min=1), help="第几版（默认您能看的最新一版）。")
@as_json
@with_request
def text_findings(request: Request, text_id: str, version: int | None, as_json: bool) -> None:
    """检查结果和编制部门的答复：错误要改正，警告要改正或答复，提示供参考。"""
    found = answering.list_findings(request, text_id, version=version)
    if as_json:
        print_json(found)
        return
    print_checks(found["findings"])
    stopped = found["errors"] or found["unanswered"]
    say(
        f"第 {found['version']} 版：错误 {found['errors']}，警告 {found['warnings']}（待答复 {found['unanswered']}），"
        f"提示 {found['hints']}：{'还不能报送。' if stopped else '可以报送。'}{settings_sentence(found['settings'])}"
    )


@click.command("answer")
@click.argument("text_id", metavar="ID")
@click.argument("targets", nargs=-1, metavar="[代码@位置…]")
@click.option("--text", "words", required=True, help="答复：为什么这样写，或怎样核对过。")
@click.option("--all", "everything", is_flag=True, help="以同一句话答复全部待答复的警告。")
@click.option("--expect", "expected", type=int, help="您看到的改动次数（row_version）。")
@as_json
@with_request
def text_answer(
    request: Request,
    text_id: str,
    targets: tuple[str, ...],
    words: str,
    everything: bool,
    expected: int | None,
    as_json: bool,
) -> None:
    """答复检查发现的警告（经办人），如 F001@/projects/p1/indicators/i2/sign；只写代码是这条规则的全部。

    内容在别处改动，答复仍然有效；所答复的地方改了，答复作废，要重新答复。
    """
    done = answering.answer_findings(request, text_id, targets, words=words, everything=everything, expected=expected)
    if as_json:
        print_json(done)
        return
    left = done["unanswered"]
    say(
        f"已答复 {len(done['answered'])} 条，还有 {left} 条警告待答复"
        + (f"，{done['errors']} 处错误要改正" if done["errors"] else "")
        + f"。下一步：{f'jixiao text findings {text_id}' if left or done['errors'] else '请部门负责人报送'}。"
    )


def settings_sentence(held: dict[str, Any]) -> str:
    """By which settings a check was made; nothing is said of the defaults."""
    if held["settings"] == "default":
        return ""
    version = f"第 {held['version']} 版，" if "version" in held else ""
    sha256 = f"（{version}SHA-256 {held['sha256'][:12]}…）" if "sha256" in held else ""
    return f"按{SOURCES[held['settings']]}{sha256}检查。"


def tell_checks(request: Request, text_id: str) -> None:
    """After an edit: how the text stands with the checks, in one sentence."""
    found = answering.list_findings(request, text_id)
    rows = [item for item in found["findings"] if item["stops"]]
    if not rows:
        say(f"检查：警告 {found['warnings']}，提示 {found['hints']}，没有挡住报送的问题。")
        return
    print_table(
        ("级别", "代码", "位置", "说明"),
        [(SEVERITIES[item["severity"]], item["code"], item["anchor"], item["message"]) for item in rows],
        empty="",
    )
    say(f"检查：错误 {found['errors']}，待答复的警告 {found['unanswered']}；下一步：jixiao text findings {text_id}。")
