"""``review``: the review form (绩效目标审核表): a blank one to fill in, scores handed in, and what was given."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from application.installation import Request
from application.reviewing import Sheet, blank_form, fill_form, list_forms
from cli.output import local_time, print_json, print_table, say
from cli.session import as_json, read_input, with_request
from models.errors import InvalidInput

_project = click.option("--project", metavar="编号|名称", help="项目的编号、编码或名称；不写为部门整体绩效目标。")


@click.group()
def review() -> None:
    """绩效目标审核表：取空表、打分、查看。"""


@review.command("form")
@click.argument("text_id", metavar="文本")
@_project
@with_request
def review_form(request: Request, text_id: str, project: str | None) -> None:
    """打印一张空的审核表（YAML）；填好后用 review fill --file 交回。"""
    click.echo(_blank(blank_form(request, text_id, project=project)), nl=False)


@review.command("fill")
@click.argument("text_id", metavar="文本")
@_project
@click.option("--file", "file", metavar="FILE", help="填好的审核表（YAML；- 为标准输入）。")
@click.option("--score", "scores", multiple=True, metavar="要点=得分", help="一个要点的得分，可写多次。")
@click.option("--note", "notes", multiple=True, metavar="要点=说明", help="一个要点的说明，可写多次。")
@click.option("--conclusion", help="结论；不写按等级确定。")
@click.option("--expect", "expected", type=int, help="您看到的改动次数（row_version）；已被别人改动时拒绝。")
@as_json
@with_request
def review_fill(request: Request, text_id: str, project: str | None, as_json: bool, **given: Any) -> None:
    """交一张审核表：各要点打分，得出总分、等级和结论。再交一次以后一次为准。"""
    sheet = _sheet(given, project)
    done = fill_form(request, text_id, sheet, expected=given["expected"])
    if as_json:
        print_json(done)
        return
    click.echo(f"{done['title']}：{done['total']} 分，{done['grade']}，{done['conclusion']}")
    if not done["passes"]:
        say(f"等级为“{done['grade']}”，不能进入下一环节；请用 jixiao return {text_id} 退回，逐处写明意见。")


@review.command("list")
@click.argument("text_id", metavar="文本")
@as_json
@with_request
def review_list(request: Request, text_id: str, as_json: bool) -> None:
    """列出各轮审核表：对象、环节、总分、等级、结论、打分的人。"""
    found = list_forms(request, text_id)
    if as_json:
        print_json(found)
        return
    print_table(
        ("轮次", "环节", "对象", "总分", "等级", "结论", "审核人", "时间"),
        [
            (
                *(item[name] for name in ("round", "state_title", "title", "total", "grade", "conclusion", "author")),
                local_time(item["at"]),
            )
            for item in found
        ],
        empty="还没有审核表。",
    )


def _blank(form: Mapping[str, Any]) -> str:
    lines = [f"# {form['title']}：得分写在冒号后面；说明可以不写。", f"subject: {_quoted(form['subject'])}", "scores:"]
    for criterion in form["criteria"]:
        lines.append(f"  # {criterion['name']}")
        lines += [f"  {item['name']}:   # 满分 {item['points']}，{item['asks']}" for item in criterion["items"]]
    lines += ["notes: {}", f"conclusion:   # {'、'.join(form['conclusions'])}；不写按等级确定", ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _sheet(given: Mapping[str, Any], project: str | None) -> Sheet:
    said: dict[str, Any] = {}
    if given["file"] is not None:
        said = _parsed(read_input(given["file"]), given["file"])
    pairs = {name: dict(_pair(item) for item in given[name]) for name in ("scores", "notes")}
    scores = {**(said.get("scores") or {}), **pairs["scores"]}
    if not scores:
        raise InvalidInput("请用 --file 交填好的表，或用 --score 要点=得分 打分；空表用 jixiao review form 取。")
    return Sheet(
        {name: _number(name, score) for name, score in scores.items() if score is not None},
        {name: str(words) for name, words in {**(said.get("notes") or {}), **pairs["notes"]}.items()},
        project if project is not None else said.get("subject") or "",
        given["conclusion"] or said.get("conclusion") or None,
    )


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    import yaml

    try:
        # All scalars stay text: 9.5 is a score to be read exactly.
        said = yaml.load(data, Loader=yaml.BaseLoader)  # noqa: S506 -- builds nothing but text, lists and mappings
    except yaml.YAMLError as error:
        raise InvalidInput(
            f"审核表“{name}”不是有效的 YAML（{' '.join(str(error).split())}）；请改正后重试。"
        ) from error
    if not isinstance(said, dict) or said.keys() - {"subject", "scores", "notes", "conclusion"}:
        raise InvalidInput(f"“{name}”不是审核表；请从 jixiao review form 打印的空表填起。")
    for part in ("scores", "notes"):
        value = said.get(part) or {}
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise InvalidInput(f"“{name}”的 {part} 应为“要点: 内容”各占一行；请对照空表改正。")
        said[part] = {key: item for key, item in value.items() if item.strip()}
    if not all(isinstance(said.get(part) or "", str) for part in ("subject", "conclusion")):
        raise InvalidInput(f"“{name}”的 subject 和 conclusion 各写一个词；请对照空表改正。")
    return said


def _pair(item: str) -> tuple[str, str]:
    name, sign, value = item.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise InvalidInput(f"“{item}”应写成 要点=内容，例如 规范完整=9。")
    return name.strip(), value.strip()


def _number(name: str, score: str) -> Decimal:
    try:
        return Decimal(str(score).strip())
    except InvalidOperation:
        raise InvalidInput(f"“{name}”的得分“{score}”不是数字；请写成 9 或 9.5。") from None
