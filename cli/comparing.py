"""Comparing on the command line: text compare, on the terminal, as JSON, as HTML pages and as 变更对照表."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from application import comparing
from application.comparing import Compared, Side
from application.installation import Request
from cli.differences import print_differences
from cli.output import print_json, print_table, say
from cli.session import as_json, read_input, with_request
from models.errors import InvalidInput, JixiaoError

# The pages of the layouts that application.comparing offers, under the names that people type.
_PAGES = {"html": "side", "inline": "inline", "sheet": "sheet"}
_REFERENCE = re.compile(r"(?P<text>[^@]+)(?:@(?P<version>[1-9][0-9]{0,8}))?")


@click.command("compare")
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "table", *_PAGES)),
    default="text",
    show_default=True,
    help="text 逐处列出；table 变更对照表；html 左右对照网页；inline 合并网页；sheet 变更对照表网页。",
)
@click.option("--out", metavar="FILE", help="网页写入的文件（默认写到标准输出）。")
@as_json
def compare(before: str, after: str | None, format_: str, out: str | None, as_json: bool) -> None:
    """比较两版、两份文本或两个文件，逐处列出新增、删除、修改、移动。

    A、B 写 编号@版次（如 ID@1 ID@3）、编号（您能看的最新一版），或文件（JSON 内容，或文本、Word、Excel、PDF、网页，不需要数据库；
    文件名与编号相同时加 ./）。只写一个编号时，比较您能看的最后两版；只写 编号@版次 时，与最新一版比较。
    """
    if out is not None and (as_json or format_ not in _PAGES):
        raise InvalidInput("--out 只用于网页；请同时写 --format html、inline 或 sheet，其他输出用 > 转到文件。")
    compared = _compared(before, after)
    if as_json:
        print_json(compared.to_json())
    elif format_ in _PAGES:
        _write(compared.page(_PAGES[format_]), out)
    elif format_ == "table":
        print_change_table(compared)
    else:
        print_differences(compared)


def print_change_table(compared: Compared) -> None:
    """变更对照表: place, before, after, reason."""
    print_table(
        ("位置", "修改前", "修改后", "理由"),
        [
            (row.full_title, row.before or "（无）", row.after or "（无）", compared.reason(row))
            for row in compared.rows
        ],
        empty="两者内容相同，没有差异。",
    )


def _compared(before: str, after: str | None) -> Compared:
    if after is None and _is_file(before):
        raise InvalidInput(f"“{before}”是文件，还要写明与什么比较：另一个文件，或文本编号。")
    if after is not None and _is_file(before) and _is_file(after):
        # Files alone need no installation and nobody's permission.
        return comparing.compare_sides(_file(before), _file(after))
    compared: Compared = _with_texts(before, after)
    return compared


@with_request
def _with_texts(request: Request, before: str, after: str | None) -> Compared:
    if after is None:
        text, version = _reference(before)
        return comparing.compare_versions(request, text, before=version)
    if not _is_file(before) and not _is_file(after):
        (left, old), (right, new) = _reference(before), _reference(after)
        if left == right and old is not None:
            return comparing.compare_versions(request, left, before=old, after=new)
    return comparing.compare_sides(_side(request, before), _side(request, after))


def _is_file(reference: str) -> bool:
    # A name with a folder, an ending or - is never an id, so that a misspelt file is not looked for among the texts.
    return reference == "-" or "/" in reference or "." in reference or Path(reference).exists()


def _reference(reference: str) -> tuple[str, int | None]:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise InvalidInput(f"“{reference}”无法识别；应写成 编号@版次，如 {reference.partition('@')[0] or 'ID'}@2。")
    return found["text"], int(found["version"]) if found["version"] else None


def _side(request: Request, reference: str) -> Side:
    if _is_file(reference):
        return _file(reference)
    text, version = _reference(reference)
    return comparing.read_side(request, text, version=version)


def _file(reference: str) -> Side:
    return comparing.side_of_file(read_input(reference), "标准输入" if reference == "-" else Path(reference).name)


def _write(data: bytes, out: str | None) -> None:
    if out is None:
        sys.stdout.buffer.write(data)
        return
    try:
        Path(out).write_bytes(data)
    except OSError as error:
        raise JixiaoError(f"不能写入 {out}（{error.strerror}）；请用 --out 指定别处。") from error
    say(f"已写入 {out}，可用浏览器打开或打印。")
