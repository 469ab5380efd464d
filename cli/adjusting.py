"""The adjustment of a published text: text adjustment."""

from __future__ import annotations

import sys
from typing import Any

import click
import orjson

from application import adjusting
from application.installation import Request
from cli.output import print_json, print_table, say
from cli.session import as_json, with_request


@click.command("adjustment")
@click.argument("text_id", metavar="ID")
@as_json
@with_request
def adjustment(request: Request, text_id: str, as_json: bool) -> None:
    """显示公开之后的调整：位置、修改前、修改后、理由。"""
    found = adjusting.adjustment(request, text_id)
    if as_json:
        print_json(found)
        return
    say(f"调整：第 {found['from']} 版 → 第 {found['to']} 版（第 {found['round']} 轮）。理由：{found['reason']}")
    print_table(
        ("位置", "修改前", "修改后", "理由"),
        [
            (item["place_title"], _words(item, "before"), _words(item, "after"), item["reason"])
            for item in found["rows"]
        ],
        empty="您能查看的版本中内容还没有改动。",
    )


def _words(item: dict[str, Any], side: str) -> str:
    """A value as people read it on a terminal; into a pipe what has parts stays JSON, which programs have read so far."""
    value = item[side]
    if value is None:
        return "（无）"
    if sys.stdout.isatty():
        return str(item[f"{side}_words"])
    return value if isinstance(value, str) else orjson.dumps(value).decode()
