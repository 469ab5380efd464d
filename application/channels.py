"""The channels of an installation, made of its settings and secrets; each worker thread makes its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from application.secrets_file import read_secrets
from application.settings import ChannelSetting, Settings
from models.errors import InvalidInput, NotFound
from notifications.channels.addresses import allow_list
from notifications.channels.protocol import Channel
from notifications.kinds import Kind
from notifications.letters import Item
from notifications.quiet import QuietHours, parse_hours

MAIL = "mail"


def channel_names(settings: Settings) -> list[str]:
    """The names of all channels by which something is sent; raises InvalidInput where two have one name."""
    names = [MAIL] if settings.mail is not None else []
    names += [item.name for item in settings.channels]
    if len(set(names)) != len(names):
        raise InvalidInput("settings.toml 中有两个通道同名；请各起一个名称，且不能叫 mail。")
    return names


def make_channel(settings: Settings, name: str) -> Channel:
    """A channel by its name; raises NotFound, and InvalidInput where a secret is missing or malformed."""
    if name not in channel_names(settings):
        raise NotFound(f"没有名为“{name}”的通道；请用 jixiao notify channels 查看。", channel=name)
    secrets = read_secrets(settings).get(name, {})
    if name == MAIL:
        return _mail(settings, secrets)
    setting = next(item for item in settings.channels if item.name == name)
    return _endpoint(settings, setting, secrets)


def link_of(settings: Settings) -> Callable[[str], str]:
    """The address of a text's page by its number; empty where there are no pages."""
    base = settings.link_base
    return lambda text_id: f"{base}{text_id}" if base else ""


def quiet_of(settings: Settings) -> QuietHours:
    """The quiet hours; raises InvalidInput."""
    begins, ends = parse_hours(settings.quiet_hours)
    return QuietHours(begins, ends, settings.quiet_days_off)


def wants(setting: ChannelSetting, item: Item, organizations: Mapping[str, str], organization_id: str) -> bool:
    """Whether a robot or web hook tells of an item that concerns an organization."""
    if item.kind in (Kind.DUE, Kind.CHANNEL):
        return False
    if setting.kinds and str(item.kind) not in setting.kinds:
        return False
    return not setting.organizations or organizations.get(organization_id) in setting.organizations


def _mail(settings: Settings, secrets: Mapping[str, Any]) -> Channel:
    from notifications.channels.mail import Mail, MailSettings, check_address

    given = settings.mail
    assert given is not None  # noqa: S101 -- the name is known only then
    return Mail(
        MailSettings(
            host=given.host,
            port=given.port,
            tls=given.tls,
            user=given.user,
            password=_secret(MAIL, secrets, "password") if given.user else "",
            sender=check_address(given.sender),
            unsubscribe=check_address(given.unsubscribe) if given.unsubscribe else "",
            ca_file=given.ca_file,
        )
    )


def _endpoint(settings: Settings, setting: ChannelSetting, secrets: Mapping[str, Any]) -> Channel:
    url, link = _secret(setting.name, secrets, "url"), link_of(settings)
    if setting.kind == "webhook":
        from notifications.channels.webhook import Webhook, WebhookSettings

        keys = secrets.get("keys", [])
        if not isinstance(keys, list) or not 1 <= len(keys) <= 2 or not all(isinstance(key, str) for key in keys):
            raise InvalidInput(f"密钥文件中 [{setting.name}] 的 keys 应是一个或两个 whsec_ 密钥，新的在前。")
        hook = WebhookSettings(
            setting.name,
            url,
            tuple(keys),
            source=settings.link_base or "jixiao",
            allowed=allow_list(settings.webhook_allow),
            ca_file=setting.ca_file,
        )
        return Webhook(hook, link)
    from notifications.channels.robots import RobotSettings

    robot = RobotSettings(setting.name, url, str(secrets.get("secret", "")), ca_file=setting.ca_file)
    if setting.kind == "wecom":
        from notifications.channels.wecom import WeCom

        return WeCom(robot, link)
    if setting.kind == "dingtalk":
        from notifications.channels.dingtalk import DingTalk

        return DingTalk(robot, link)
    if setting.kind == "feishu":
        from notifications.channels.feishu import Feishu

        return Feishu(robot, link)
    from notifications.channels.apprise import Apprise

    return Apprise(robot, link)


def _secret(name: str, secrets: Mapping[str, Any], member: str) -> str:
    value = secrets.get(member)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"密钥文件 secrets.toml 的 [{name}] 里没有 {member}；请补上。")
    if member == "url" and not value.startswith(("https://", "http://")) and "://" not in value:
        raise InvalidInput(f"密钥文件中 [{name}] 的 url 不是地址；请从机器人设置中整段复制。")
    return value
