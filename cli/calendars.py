"""The working calendar: calendar show|set|import|unset."""

from __future__ import annotations

from typing import Any

import click

from application import calendars
from application.installation import Request
from cli.output import print_json, print_table, say
from cli.session import as_json, read_input, with_request
from models.errors import InvalidInput

_WEEKDAYS = "一二三四五六日"


@click.group()
def calendar() -> None:
    """工作日历：期限按它计算工作日。"""


@calendar.command("show")
@click.argument("year", type=int)
@as_json
@with_request
def calendar_show(request: Request, year: int, as_json: bool) -> None:
    """显示一年的工作日：· 为放假，数字为上班，* 为本单位单独设置的日子。"""
    found = calendars.show_calendar(request, year)
    if as_json:
        print_json(found)
        return
    if not found["published"]:
        say(
            f"注意：{year} 年的放假安排还没有公布，按周一至周五上班推算；公布之后请更新程序，或用 jixiao calendar set 设置。"
        )
    click.echo(f"{year} 年，工作日 {found['working_days']} 天")
    for month in found["months"]:
        click.echo(f"\n{month['month']} 月，工作日 {month['working_days']} 天")
        click.echo("   ".join(_WEEKDAYS))
        for line in _weeks(month["days"]):
            click.echo(line)
    own = [day for month in found["months"] for day in month["days"] if day["overridden"]]
    if own:
        click.echo("\n单独设置的日子")
        print_table(("日期", "星期", "设置", "名称"), [_row(day) for day in own], empty="")


@calendar.command("set")
@click.argument("day")
@click.option("--working", is_flag=True, help="这一天上班。")
@click.option("--holiday", is_flag=True, help="这一天放假。")
@click.option("--name", required=True, help="为什么，如 春节调休。")
@as_json
@with_request
def calendar_set(request: Request, day: str, working: bool, holiday: bool, name: str, as_json: bool) -> None:
    """设置一天上班或放假（DAY 如 2026-02-14；系统管理员）。已经定下的期限不变。"""
    if working == holiday:
        raise InvalidInput("请写 --working（上班）或 --holiday（放假）之一。")
    done = calendars.set_day(request, day, working=working, name=name)
    if as_json:
        print_json(done)
        return
    again = "" if done["changed"] else "（本来就是这样，没有改动）"
    say(f"{done['day']} {'上班' if done['working'] else '放假'}：{done['name']}{again}。")


@calendar.command("import")
@click.argument("path", metavar="FILE")
@as_json
@with_request
def calendar_import(request: Request, path: str, as_json: bool) -> None:
    """导入放假安排（系统管理员）：CSV，第一行 day,working,name，例如 2027-02-06,1,春节调休；- 为标准输入。"""
    done = calendars.import_days(request, read_input(path))
    if as_json:
        print_json(done)
    else:
        say(f"文件中有 {done['days']} 天，改动了 {done['changed']} 天；已经定下的期限不变。")


@calendar.command("unset")
@click.argument("day")
@as_json
@with_request
def calendar_unset(request: Request, day: str, as_json: bool) -> None:
    """取消一天的单独设置，恢复为公布的安排（系统管理员）。"""
    done = calendars.unset_day(request, day)
    if as_json:
        print_json(done)
    else:
        say(f"{done['day']} 已恢复为公布的安排：{'上班' if done['working'] else '放假'}。")


def _weeks(days: list[dict[str, Any]]) -> list[str]:
    """A month as lines of seven columns, four characters each."""
    cells = ["    "] * (days[0]["weekday"] - 1)
    for day in days:
        number = day["day"][-2:] if day["working"] else " ·"
        cells.append(f"{number}{'*' if day['overridden'] else ' '} ")
    return ["".join(cells[start : start + 7]).rstrip() for start in range(0, len(cells), 7)]


def _row(day: dict[str, Any]) -> tuple[str, str, str, str]:
    return day["day"], f"星期{_WEEKDAYS[day['weekday'] - 1]}", "上班" if day["working"] else "放假", day["name"]
