"""``jixiao``: the group of all commands. Help must start fast, so a command's module is loaded only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

# name: (module, attribute, short help). The help stands here, so that listing commands loads none of them.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("cli.setup", "demo", "演示：从导入到公开的全过程"),
    "init": ("cli.setup", "init", "建立一个新的安装"),
    "login": ("cli.access", "login", "登录"),
    "logout": ("cli.access", "logout", "退出登录"),
    "passwd": ("cli.access", "passwd", "设置自己的口令"),
    "whoami": ("cli.access", "whoami", "我是谁，有哪些岗位"),
    "org": ("cli.organizations", "org", "单位：add list number-word"),
    "user": ("cli.organizations", "user", "账号：add list grant revoke disable"),
    "text": (
        "cli.texts",
        "text",
        "文本：import new list show check findings answer compare confirm edit history actions do render",
    ),
    "check": ("cli.checking", "check", "检查规则：rules explain settings"),
    "document": ("cli.documents", "document", "发文登记：list，模板检查：lint"),
    "archive": ("cli.archives", "archive", "归档：make verify"),
    "opinion": ("cli.texts", "opinion", "审核意见：list"),
    "review": ("cli.reviewing", "review", "审核表：form fill list"),
    "task": ("cli.tasks", "task", "任务：list claim reassign delegate add-signer remind …"),
    "delegation": ("cli.delegations", "delegation", "代理：add list revoke"),
    "submit": ("cli.actions", "submit", "报送"),
    "recall": ("cli.actions", "recall", "撤回"),
    "accept": ("cli.actions", "accept", "受理"),
    "return": ("cli.actions", "return_", "退回修改"),
    "pass": ("cli.actions", "pass_", "通过"),
    "sign": ("cli.actions", "sign", "签署：同意或不同意"),
    "send_back": ("cli.actions", "send_back", "退回前面环节"),
    "approve": ("cli.actions", "approve", "批复，或签发"),
    "issue": ("cli.actions", "issue", "批复（county 流程）"),
    "publish": ("cli.actions", "publish", "公开"),
    "adjust": ("cli.actions", "adjust", "调整已公开的文本"),
    "workflow": ("cli.workflows", "workflow", "流程：list show check publish graph simulate migrate"),
    "calendar": ("cli.calendars", "calendar", "工作日历：show set import unset"),
    "notify": ("cli.notifying", "notify", "通知：inbox preferences list dead retry channels test preview"),
    "audit": ("cli.auditing", "audit", "审计日志：log verify checkpoint export prove erase key …"),
    "worker": ("cli.worker", "worker", "后台：整合审计事件，签发检查点，发送通知"),
    "db": ("cli.database", "db", "数据库：upgrade current downgrade roles"),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; that the reader of our output has gone (such as ``| head``) is no failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """All names, in the order of a text's life rather than of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as above
        """The command, imported."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- as above
        """The list of commands, from the table above."""
        with formatter.section("命令"):
            formatter.write_dl([(name, help_) for name, (_, _, help_) in COMMANDS.items()])


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from application.installation import program_version

        click.echo(f"jixiao {program_version()}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="退出码：0 完成，1 失败，2 用法，3 没有找到，4 无权，5 冲突，6 检查未通过，7 完整性校验未通过。",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="显示版本并退出。"
)
def cli() -> None:
    """部门预算绩效文本的审批引擎与可验证审计日志。"""


def main() -> None:
    """Entry point: runs the command; an error of ours is one sentence on standard error and its exit code."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 -- for the life of the process
    if sys.stdout is None:
        click.echo("错误：标准输出已关闭，没有执行；请重新打开或转到文件。", err=True)
        sys.exit(1)
    try:
        status = cli.main(prog_name="jixiao", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("已取消。", err=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 -- the outermost boundary: people get a sentence, maintainers the traceback
        sys.exit(_flushed(_failed(error)))
    sys.exit(_flushed(status if isinstance(status, int) else 0))


def _flushed(status: int) -> int:
    """The exit code after everything was written out: what is left in the buffer may still find no room or no reader."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # Nothing more is to be tried when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError) or status:
            return status
        click.echo(f"错误：写不出结果（{error.strerror}）；请检查磁盘空间。", err=True)
        return 1
    return status


def _failed(error: Exception) -> int:
    from models.errors import JixiaoError, exit_code

    if isinstance(error, JixiaoError):
        click.echo(f"错误：{error.message}", err=True)
        return exit_code(error)
    if os.environ.get("JIXIAO_DEBUG"):
        raise error
    if isinstance(error, UnicodeEncodeError):
        click.echo("错误：参数里有不是 UTF-8 的文字；请检查终端的编码后重试。", err=True)
        return 2
    if isinstance(error, OSError) and error.strerror:
        what = f"不能读写文件 {error.filename}" if error.filename else "不能读写"
        click.echo(f"错误：{what}（{error.strerror}）；请检查路径、权限和磁盘空间。", err=True)
        return 1
    click.echo(
        f"错误：程序内部错误（{type(error).__name__}: {error}）；没有完成此操作，请设 JIXIAO_DEBUG=1 重试并把输出交给维护者。",
        err=True,
    )
    return 1


if __name__ == "__main__":
    main()
