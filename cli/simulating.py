"""What a definition costs in days and people: workflow simulate."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from application import workflows
from cli.output import print_json, print_table, progress
from cli.session import as_json

_MANY = 5


@click.command("simulate")
@click.argument("source", metavar="NAME|FILE")
@click.option("--texts", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="文本数。")
@click.option(
    "--arrivals",
    metavar="RATE",
    default="all at once",
    show_default=True,
    help="到达方式：all at once、40 per day、200 per week、batch 50 every 5 working days。",
)
@click.option("--staff", multiple=True, metavar="ROLE=N", help="岗位的人数，可写多次，如 reviewer=3。")
@click.option(
    "--service",
    multiple=True,
    metavar="STATE=TIME",
    help="环节或岗位办理一次的平均用时（m 分钟、h 小时、d 工作日），可写多次，如 second_review=2h。",
)
@click.option("--chance", "chances", multiple=True, metavar="ACTION=P", help="动作的概率，可写多次，如 return=0.3。")
@click.option(
    "--direct", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="可选时，直送退回人的比例。"
)
@click.option("--seed", type=int, default=0, show_default=True, help="随机数种子；同一种子得到同样的数字。")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="第一个工作日（周一至周五），用于按日期的期限。")
@as_json
def simulate(source: str, as_json: bool, start: datetime | None, texts: int, **given: Any) -> None:
    """模拟许多文本走完流程：等待、用时、利用率、瓶颈，以及增加一个人的效果。

    NAME 是流程名称，FILE 是 YAML 文件。
    """
    from cli.workflows import source_of  # that module registers this command

    data = source_of(source)
    if start is not None:
        given["start"] = start.date()
    with progress(texts, "模拟") as done:
        report = workflows.simulate_workflow(data, texts=texts, progress=done, **given)
    if as_json:
        print_json(report)
        return
    _print(report)


def _print(report: dict[str, Any]) -> None:
    cycle = report["cycle"]
    click.echo(f"{report['title']}（{report['definition']}@{report['version']}），种子 {report['seed']}")
    click.echo(
        f"{report['texts']} 份文本办结 {report['finished']} 份，共 {report['days']:.1f} 个工作日，"
        f"期限内完成 {_share(report['on_time']) or '没有期限'}"
    )
    if cycle["count"]:
        click.echo(
            f"每份用时（工作日）：平均 {cycle['mean']:.1f}，中位数 {cycle['median']:.1f}，"
            f"九成不超过 {cycle['p90']:.1f}，最长 {cycle['max']:.1f}"
        )
        click.echo(f"报送轮次：{_rounds(report['rounds'])}")
    if report["stopped"]:
        reasons = dict.fromkeys(item["reason"] for item in report["stopped"])
        click.echo(f"没有办结 {len(report['stopped'])} 份：{'、'.join(reasons)}")
    print_table(
        ("环节", "次数", "等待", "九成等待", "办理", "排队", "最多排队", "按期"),
        [
            (
                state["title"],
                state["wait"]["count"],
                f"{state['wait']['mean']:.1f}",
                f"{state['wait']['p90']:.1f}",
                f"{state['service']['mean']:.1f}",
                f"{state['queue_mean']:.1f}",
                state["queue_max"],
                _share(state["on_time"]),
            )
            for state in report["states"]
        ],
        empty="",
    )
    print_table(
        ("岗位", "人数", "次数", "工作日", "利用率"),
        [
            (
                role["title"],
                "不限" if role["staff"] is None else role["staff"],
                role["handled"],
                f"{role['busy']:.1f}",
                _share(role["utilisation"]),
            )
            for role in report["roles"]
        ],
        empty="",
    )
    click.echo(report["bottleneck"]["sentence"])
    click.echo("说明：等待、办理是每次的平均工作日（每天 8 小时），排队是平均份数。")
    for note in report["notes"]:
        click.echo(f"说明：{note}。")


def _rounds(counted: dict[str, int]) -> str:
    """How many texts took one round, two and so on; the many rounds of a few in one."""
    told = [f"{rounds} 轮 {count} 份" for rounds, count in counted.items() if int(rounds) < _MANY]
    more = sum(count for rounds, count in counted.items() if int(rounds) >= _MANY)
    return "，".join([*told, *([f"{_MANY} 轮以上 {more} 份"] if more else [])])


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"
