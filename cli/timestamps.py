"""Time stamps by an outside authority: audit timestamp."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.output import local_time, print_json, print_table, say
from cli.session import as_json, current_installation, read_input
from models.errors import InvalidInput


@click.command("timestamp")
@click.option("--tsa", metavar="URL", help="时间戳机构的地址：在线申请（一天一次）。")
@click.option(
    "--query",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="不联网：把请求写入文件，带去申请。",
)
@click.option("--reply", metavar="FILE", help="不联网：收下带回来的应答。")
@click.option("--tsa-cert", metavar="FILE", help="时间戳机构的根证书和中间证书（PEM），用来验证。")
@click.option("--log", "log", default="main", show_default=True, help="哪一个日志。")
@as_json
def timestamp(
    tsa: str | None, query: Path | None, reply: str | None, tsa_cert: str | None, log: str, as_json: bool
) -> int:
    """为最新的检查点加盖时间戳（RFC 3161）；不带选项时列出已有的时间戳。"""
    from application import timestamping

    if sum(item is not None for item in (tsa, query, reply)) > 1:
        raise InvalidInput("--tsa、--query、--reply 一次只用一个；联网用 --tsa，不联网先 --query 后 --reply。")
    installation = current_installation()
    pem = None if tsa_cert is None else read_input(tsa_cert)
    if query is not None:
        data, size = timestamping.query_file(installation, log=log)
        query.write_bytes(data)
        say(
            f"请求已写入 {query}（{size} 条的检查点）；交时间戳机构申请，带回应答后运行 jixiao audit timestamp --reply。"
        )
        return 0
    if tsa is not None or reply is not None:
        result = (
            timestamping.stamp_online(installation, tsa, pem=pem, log=log)
            if tsa is not None
            else timestamping.take_reply(installation, read_input(reply or ""), pem=pem, log=log)
        )
        _print_result(result, as_json)
        return 0
    found = timestamping.list_tokens(installation, pem=pem, log=log)
    _print_list(found, as_json)
    return 7 if any(item["verified"] is False for item in found) else 0


def _print_result(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    done = "已保存" if result["stored"] else "早已有了，没有改动"
    click.echo(f"{result['size']} 条的检查点的时间戳：{local_time(result['time'])}，{done}。")
    if not result["verified"]:
        say("提示：没有验证时间戳机构的签名；请用 --tsa-cert 给出它的证书再核对。")


def _print_list(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    titles = {True: "证书已验证", False: "不成立", None: "没有验证证书"}
    print_table(
        ("条数", "时间", "结论", "说明"),
        [(item["size"], local_time(item["time"]), titles[item["verified"]], item["message"]) for item in found],
        empty="还没有时间戳；联网用 --tsa，不联网用 --query。",
    )
