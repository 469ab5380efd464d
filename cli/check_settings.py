"""The check settings of a finance bureau: check settings show|import|export."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from application import bureau_checks
from application.installation import Request
from cli.findings import SOURCES
from cli.output import local_time, print_json, print_table, say
from cli.session import as_json, read_input, with_request
from models.errors import JixiaoError

_bureau = click.argument("organization", metavar="[财政单位]", required=False)


@click.group()
def settings() -> None:
    """财政单位的检查设置：级别、界限、停用的规则、指标体系。"""


@settings.command("show")
@_bureau
@as_json
@with_request
def settings_show(request: Request, organization: str | None, as_json: bool) -> None:
    """显示现行设置和历次设置；适用于这个财政单位审核的文本。"""
    found = bureau_checks.show_settings(request, organization)
    if as_json:
        print_json(found)
        return
    version = f"第 {found['version']} 版" if "version" in found else ""
    click.echo(f"{found['organization']}：{SOURCES[found['settings']]}{version}")
    if "sha256" in found:
        click.echo(f"SHA-256：{found['sha256']}")
    print_table(
        ("设置", "值"),
        [*_rows("", found["given"])],
        empty="没有改动默认设置：规则、级别和界限用 jixiao check rules 查看。",
    )
    if found["versions"]:
        click.echo("\n历次设置")
        print_table(
            ("版本", "时间", "导入的人", "文件", "SHA-256", "理由"),
            [
                (
                    item["version"],
                    local_time(item["at"]),
                    item["author"],
                    item["name"],
                    item["sha256"][:16],
                    item["reason"],
                )
                for item in found["versions"]
            ],
            empty="",
        )


@settings.command("import")
@click.argument("file", metavar="FILE")
@_bureau
@click.option("--reason", default="", help="为什么改。")
@as_json
@with_request
def settings_import(request: Request, file: str, organization: str | None, reason: str, as_json: bool) -> None:
    """导入设置（TOML 或 YAML；系统管理员），立即适用于这个财政单位审核的文本；以前的设置都留着。"""
    name = "checks.toml" if file == "-" else Path(file).name
    done = bureau_checks.import_settings(request, organization, read_input(file), name=name, reason=reason)
    if as_json:
        print_json(done)
    elif done["changed"]:
        say(f"已导入“{done['organization']}”的检查设置第 {done['version']} 版，SHA-256 {done['sha256']}。")
    else:
        say(f"与“{done['organization']}”现行的设置（第 {done['version']} 版）相同，没有改动。")


@settings.command("export")
@_bureau
@click.option("--version", type=click.IntRange(min=1), help="第几版（默认现行的）。")
@click.option("--out", metavar="FILE", help="写入的文件（默认写到标准输出）。")
@with_request
def settings_export(request: Request, organization: str | None, version: int | None, out: str | None) -> None:
    """导出设置的原文件，与导入时一字不差。"""
    name, data = bureau_checks.export_settings(request, organization, version=version)
    if out is None:
        sys.stdout.buffer.write(data)
        return
    path = Path(out)
    try:
        path = path / name if path.is_dir() else path
        path.write_bytes(data)
    except OSError as error:
        raise JixiaoError(f"不能写入 {path}（{error.strerror}）；请用 --out 指定别处。") from error
    say(f"已写入 {path}。")


def _rows(place: str, value: object) -> list[tuple[str, str]]:
    """What is set, a line for each member of the file; lists in one line."""
    if isinstance(value, dict):
        return [row for key, member in value.items() for row in _rows(f"{place}.{key}" if place else str(key), member)]
    return [(place, value if isinstance(value, str) else orjson.dumps(value).decode())]
