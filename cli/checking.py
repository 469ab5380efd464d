"""Checking: ``text check`` for files and stored texts, and ``check rules|explain`` for what is looked for."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from application import checking, rules, texts
from application.check_settings import settings_from
from application.installation import Request, program_version
from application.settings import load_settings
from cli.check_settings import settings as settings_commands
from cli.findings import settings_sentence
from cli.output import print_json, print_table, progress, say
from cli.session import as_json, with_request
from cli.views import SEVERITIES
from models.errors import InvalidInput, JixiaoError
from models.readable import visible

CHECK_FAILED = 6
_COLUMNS = ("级别", "代码", "位置", "说明")

_settings_option = click.option(
    "--settings", "settings_file", metavar="FILE", help="检查设置（TOML 或 YAML；默认取 JIXIAO_CHECKS）。"
)


@click.group()
def check() -> None:
    """检查规则：列出，逐条解释；财政单位的检查设置。"""


check.add_command(settings_commands)


@check.command("rules")
@_settings_option
@as_json
def check_rules(settings_file: str | None, as_json: bool) -> None:
    """列出全部规则和现行设置：编号、级别、标准、名称、依据、查什么。"""
    found = rules.list_rules(_file_settings(settings_file))
    if as_json:
        print_json(found)
        return
    print_table(
        ("代码", "级别", "标准", "名称", "依据", "查什么"),
        [
            (
                item["code"],
                "停用" if "disabled" in item else SEVERITIES[item["severity"]],
                item["criterion"],
                item["title"],
                item["basis"],
                f"（停用：{item['disabled']}）" if "disabled" in item else item["looks_for"],
            )
            for item in found
        ],
        empty="没有规则。",
    )


@check.command("explain")
@click.argument("code", metavar="CODE")
@_settings_option
@as_json
def check_explain(code: str, settings_file: str | None, as_json: bool) -> None:
    """解释一条规则，并举例，如 jixiao check explain C001。"""
    item = rules.explain_rule(_file_settings(settings_file), code)
    if as_json:
        print_json(item)
        return
    state = f"停用（{item['disabled']}）" if "disabled" in item else SEVERITIES[item["severity"]]
    click.echo(f"{item['code']} {item['title']}（{state}，{item['criterion']}）")
    for title, key in (("依据", "basis"), ("查什么", "looks_for"), ("不符合", "wrong"), ("符合", "right")):
        click.echo(f"  {title}：{item[key]}")


@click.command("check")
@click.argument("targets", metavar="ID|FILE|FOLDER…", nargs=-1, required=True)
@click.option("--against", metavar="PATH", multiple=True, help="另外对照的文件或文件夹（如上年文本），只比不查。")
@_settings_option
@click.option("--year", type=click.IntRange(2000, 2099), help="财政年度（默认取自文件）。")
@click.option("--department", metavar="NAME", help="文件里有几个部门时读哪一个（名称或编码）。")
@click.option("--jobs", type=click.IntRange(1, 256), help="几个进程读文件（默认每核一个）。")
@click.option("--sarif", "as_sarif", is_flag=True, help="以 SARIF 2.1.0 输出（编辑器和代码托管平台用）。")
@click.option("--xlsx", metavar="FILE", help="另存问题清单（Excel），供部门填写答复。")
@as_json
def text_check(
    targets: tuple[str, ...],
    against: tuple[str, ...],
    settings_file: str | None,
    year: int | None,
    department: str | None,
    jobs: int | None,
    as_sarif: bool,
    xlsx: str | None,
    as_json: bool,
) -> int:
    """按规则检查文本，或不经导入直接检查文件和文件夹；有错误或读不出时退出码为 6。"""
    if as_json and as_sarif:
        raise InvalidInput("--json 和 --sarif 只能选一个。")
    on_disk = [target for target in targets if Path(target).exists()]
    if on_disk and len(on_disk) < len(targets):
        missing = next(target for target in targets if target not in on_disk)
        raise InvalidInput(f"没有文件或文件夹“{missing}”；请检查路径（文本编号不能与文件混写）。")
    if on_disk:
        return _check_files(targets, against, settings_file, year, department, jobs, as_sarif, xlsx, as_json)
    if not all(map(checking.is_text_id, targets)):
        missing = next(target for target in targets if not checking.is_text_id(target))
        raise InvalidInput(
            f"没有文件或文件夹“{missing}”，它也不是文本编号；请检查路径，或用 jixiao text list 查看编号。"
        )
    if against or year or department or jobs:
        raise InvalidInput(
            "--against、--year、--department、--jobs 只用于检查文件；库中的文本自动与上年和其他部门的对照。"
        )
    return int(_check_stored(targets, settings_file, as_sarif, xlsx, as_json))


def _check_files(
    targets: tuple[str, ...],
    against: tuple[str, ...],
    settings_file: str | None,
    year: int | None,
    department: str | None,
    jobs: int | None,
    as_sarif: bool,
    xlsx: str | None,
    as_json: bool,
) -> int:
    settings = _file_settings(settings_file)
    files = checking.files_in([*targets, *against])
    with progress(len(files), "检查") as done:
        results = checking.check_files(
            targets,
            settings=settings,
            against=against,
            jobs=jobs,
            year=year,
            department=department,
            layouts=load_settings().layouts,
            progress=done,
        )
    counted = checking.totals(results)
    if as_sarif:
        print_json(checking.sarif(results, settings=settings, version=program_version()))
    elif as_json:
        print_json({**counted, "results": [item.to_json() for item in results]})
    else:
        _print_results(results)
    _save(xlsx, results)
    read = sum(len(item.read) for item in results)
    if read and not (as_json or as_sarif):
        say(f"读入时修复或存疑 {read} 处，导入后请逐条确认（--json 中列出）。")
    if not counted["texts"]:
        say("没有检查：给出的文件都不是预算绩效文本；请选文本本身。")
        return CHECK_FAILED
    failed = counted["errors"] or counted["unreadable"]
    say(_verdict(counted) + ("有错误的不能报送。" if failed else "没有错误。"))
    return CHECK_FAILED if failed else 0


@with_request
def _check_stored(
    request: Request,
    targets: tuple[str, ...],
    settings_file: str | None,
    as_sarif: bool,
    xlsx: str | None,
    as_json: bool,
) -> int:
    # Without a file of its own a stored text is judged as the guard of 报送 judges it.
    settings = settings_from(settings_file) if settings_file else None
    found = [texts.check(request, target, settings=settings) for target in targets]
    results = [item.pop("checked") for item in found]
    held = [item.pop("in_force") for item in found]
    counted = checking.totals(results)
    if as_sarif:
        print_json(checking.sarif(results, settings=held[0].settings, version=program_version(), files=False))
    elif as_json:
        print_json(found[0] if len(found) == 1 else {**counted, "results": found})
    else:
        _print_results(results)
    _save(xlsx, results)
    if not as_json:
        after = "警告改正或答复以后可以报送（jixiao text findings）。" if counted["warnings"] else "可以报送。"
        told = settings_sentence(found[0]["settings"])
        say(_verdict(counted) + ("不能报送。" if counted["errors"] else after) + told)
    return CHECK_FAILED if counted["errors"] else 0


def _verdict(counted: dict[str, int]) -> str:
    several = f"{counted['texts']} 份文本，" if counted["texts"] > 1 else ""
    broken = f"读不出 {counted['unreadable']} 份，" if counted["unreadable"] else ""
    others = f"不是文本 {counted['others']} 份，" if counted["others"] else ""
    return f"{several}{others}{broken}错误 {counted['errors']}，警告 {counted['warnings']}，提示 {counted['hints']}："


def _file_settings(path: str | None) -> Any:
    return settings_from(path or load_settings().checks)


def _print_results(results: list[Any]) -> None:
    """On a terminal a table under each file's name; into a pipe one line for each finding that begins with the file."""
    if not sys.stdout.isatty():
        several = len(results) > 1
        print_table(
            ("文件", *_COLUMNS) if several else _COLUMNS,
            [(item.name, *row) if several else row for item in results for row in _rows(item)],
            empty="没有发现问题。",
        )
        return
    for item in results:
        if len(results) > 1:
            click.echo(click.style(f"\n{visible(' '.join(item.name.split()))}", bold=True))
        print_table(_COLUMNS, _rows(item), empty="没有发现问题。")


def _rows(item: Any) -> list[tuple[str, ...]]:
    if item.problem is not None:
        return [("读不出", "", "", item.problem)]
    if item.other is not None:
        return [("不是文本", "", "", item.other[1])]
    return [
        (SEVERITIES[found.finding.severity], found.finding.code, found.where, found.finding.message)
        for found in item.findings
    ]


def _save(path: str | None, results: list[Any]) -> None:
    if path is None:
        return
    try:
        Path(path).write_bytes(checking.worklist(results, now=datetime.now(UTC)))
    except OSError as error:
        raise JixiaoError(f"不能写入 {path}（{error.strerror}）；请用 --xlsx 指定别处。") from error
    say(f"问题清单已写入 {path}。")
