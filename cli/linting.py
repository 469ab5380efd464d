"""Checking an office's own templates: ``document lint``."""

from __future__ import annotations

from pathlib import Path

import click

from application.template_checks import check_templates
from cli.output import print_json, say
from cli.session import as_json
from models.readable import visible

_FAILED = 6


@click.command("lint")
@click.argument("folder", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@as_json
def document_lint(folder: Path | None, as_json: bool) -> int:
    """检查单位自己的模板：逐个用示例内容生成 HTML、PDF 和 Word；有问题时逐条列出，退出码为 6。

    FOLDER 是放模板的文件夹，默认取设置 templates（JIXIAO_TEMPLATES）；不需要登录。
    """
    report = check_templates(folder)
    if as_json:
        print_json(report.to_json())
        return _FAILED if report.problems else 0
    for item in report.problems:
        line = f" 第 {item['line']} 行" if item["line"] else ""
        click.echo(visible(f"{item['file']}{line}：{item['message']}"))
    if report.problems:
        say(f"有 {len(report.problems)} 处问题；改好之前，用到这些模板的文件不能生成。")
        return _FAILED
    say(f"模板没有问题：{f'自己的 {report.files} 个，' if report.files else ''}每种文书都用示例生成过。")
    return 0
