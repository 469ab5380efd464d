"""Issued documents, their templates, and the words of document numbers: document list|lint, org number-word."""

from __future__ import annotations

import click

from application import numbering
from application.installation import Request
from cli.linting import document_lint
from cli.output import print_json, print_table, say
from cli.session import as_json, with_request

_DOCUMENT = click.Choice(tuple(numbering.DOCUMENT_TITLES))


@click.group()
def document() -> None:
    """发文登记：编了文号的报送函、退回修改通知和批复函；检查单位自己的文书模板。"""


document.add_command(document_lint)


@document.command("list")
@click.option("--year", type=click.IntRange(2000, 2099), help="只看文号中的某一年。")
@click.option("--document", "kind", type=_DOCUMENT, help="只看一种文件。")
@as_json
@with_request
def document_list(request: Request, year: int | None, kind: str | None, as_json: bool) -> None:
    """发文登记簿：本单位发出的和收到的，按文号排列；撤回的文号作废，不再给别的文件。"""
    found = numbering.list_documents(request, year=year, document=kind)
    if as_json:
        print_json(found)
        return
    print_table(
        ("文号", "日期", "文件", "发文单位", "文本", "版本", "状态"),
        [
            (
                item["number"],
                item["issued_on"],
                item["document_title"],
                item["organization"],
                item["title"],
                item["version"],
                "作废" if item["void"] else "有效",
            )
            for item in found
        ],
        empty="还没有编号的文件；文号从设置字头（jixiao org number-word）之后的办理开始编。",
    )


@click.command("number-word")
@click.argument("organization", metavar="ORG")
@click.argument("word", metavar="[WORD]", required=False)
@click.option("--document", "kind", type=_DOCUMENT, help="只用于一种文件（默认用于本单位的全部文件）。")
@click.option("--none", "ends", is_flag=True, help="不再编号，文号留空由人填写。")
@as_json
@with_request
def number_word(
    request: Request, organization: str, word: str | None, kind: str | None, ends: bool, as_json: bool
) -> None:
    """设置一个单位的发文字头，如 jixiao org number-word 财政局 抚财绩（系统管理员）；不写 WORD 时只查看。

    此后每次报送、退回、批复由系统编号，如 抚财绩〔2021〕5号：每年从 1 起，不跳号，撤回的作废。没有设字头的单位，
    文件上留“〔2021〕　　号”由人填写。
    """
    if word is not None and ends:
        raise click.UsageError("--none 和 WORD 只能写一个。")
    if word is None and not ends:
        made = numbering.number_words(request, organization)
    else:
        made = numbering.set_number_word(request, organization, word or "", document=kind)
    if as_json:
        print_json(made)
        return
    print_table(
        ("文件", "字头"),
        [(item["title"], item["word"]) for item in made["words"]],
        empty=f"“{made['organization']}”没有字头，文号由人填写。",
    )
    if "changed" in made:
        say(f"已设置“{made['organization']}”的发文字头。" if made["changed"] else "与原来相同，没有改动。")
