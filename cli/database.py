"""The database's schema: db upgrade|current|downgrade."""

from __future__ import annotations

import click

from application import migrations
from cli.output import print_json, say
from cli.session import as_json, current_settings
from models.engine import make_engine


@click.group()
def db() -> None:
    """数据库：升级、当前版本、降级。"""


@db.command("upgrade")
def upgrade() -> None:
    """把数据库升级到程序的版本（在一个事务中完成）。"""
    engine = make_engine(current_settings().engine_url())
    migrations.upgrade(engine)
    say(f"数据库版本：{migrations.schema_state(engine).database}")


@db.command("current")
@as_json
def current(as_json: bool) -> None:
    """显示数据库和程序的版本。"""
    state = migrations.schema_state(make_engine(current_settings().engine_url()))
    if as_json:
        print_json(
            {"database": state.database, "program": state.program, "current": state.current, "advice": state.advice}
        )
    else:
        advice = f"（{state.advice}）" if state.advice else ""
        click.echo(f"数据库 {state.database or '空'}，程序 {state.program}{advice}")


@db.command("downgrade")
@click.argument("revision")
@click.confirmation_option("--yes", prompt="降级会丢掉新版本的表和其中的数据，确定吗？", help="不再询问。")
def downgrade(revision: str) -> None:
    """把数据库降到某个版本（base 为全部撤除）。"""
    engine = make_engine(current_settings().engine_url())
    migrations.downgrade(engine, revision)
    say(f"数据库版本：{migrations.schema_state(engine).database or '空'}")
