"""The acts of the log: what an event says was done. The values are stored for ever, so none is ever renamed."""

from __future__ import annotations

import re
from enum import StrEnum

from models.errors import InvalidInput

_ACTION = re.compile(r"[a-z][a-z0-9_]*")


class Act(StrEnum):
    """Acts with a fixed name; actions of a workflow get theirs from ``workflow_act``."""

    TEXT_CREATE = "text.create"
    TEXT_IMPORT = "text.import"
    TEXT_CONFIRM = "text.confirm"
    TEXT_FIELD_UPDATE = "text.field.update"
    TEXT_READ = "text.read"
    FINDING_ANSWER = "finding.answer"
    OPINION_ADD = "opinion.add"
    OPINION_ANSWER = "opinion.answer"
    OPINION_RESOLVE = "opinion.resolve"
    REVIEW_FORM_UPDATE = "review_form.update"
    TASK_CLAIM = "task.claim"
    TASK_RELEASE = "task.release"
    TASK_REASSIGN = "task.reassign"
    TASK_DELEGATE = "task.delegate"
    TASK_RESOLVE = "task.resolve"
    TASK_REMIND = "task.remind"
    TASK_OVERDUE = "task.overdue"
    SIGNER_ADD = "signer.add"
    SIGNER_REMOVE = "signer.remove"
    TEXT_COPY = "text.copy"
    CALENDAR_CHANGE = "calendar.change"
    NOTICE_TELL = "notice.tell"
    NOTICE_DELIVER = "notice.deliver"
    NOTICE_READ = "notice.read"
    NOTICE_RETRY = "notice.retry"
    NOTICE_TEST = "notice.test"
    PREFERENCE_CHANGE = "preference.change"
    CONTACT_CHANGE = "contact.change"
    CHANNEL_CHANGE = "channel.change"
    AUTH_LOGIN = "auth.login"
    AUTH_LOGOUT = "auth.logout"
    AUTH_FAILURE = "auth.failure"
    ACCOUNT_ADD = "account.add"
    ACCOUNT_UPDATE = "account.update"
    ACCOUNT_DISABLE = "account.disable"
    ORGANIZATION_ADD = "organization.add"
    ORGANIZATION_UPDATE = "organization.update"
    ROLE_GRANT = "role.grant"
    ROLE_REVOKE = "role.revoke"
    DELEGATION_ADD = "delegation.add"
    DELEGATION_REVOKE = "delegation.revoke"
    TOKEN_CREATE = "token.create"  # noqa: S105 -- the name of an act, not a secret
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 -- the name of an act, not a secret
    DEFINITION_PUBLISH = "definition.publish"
    DEFINITION_MIGRATE = "definition.migrate"
    DOCUMENT_RENDER = "document.render"
    EXPORT_CREATE = "export.create"
    PRIVACY_REQUEST = "privacy.request"
    PRIVACY_ERASE = "privacy.erase"
    LOG_CREATE = "log.create"
    KEY_CREATE = "key.create"
    KEY_ROTATE = "key.rotate"
    KEY_RETIRE = "key.retire"
    CONFIG_CHANGE = "config.change"


def workflow_act(action: str) -> str:
    """The act of a workflow action: ``workflow.submit`` for ``submit``.

    Raises InvalidInput for a name that is not lower-case ASCII letters, digits and underscores.
    """
    if _ACTION.fullmatch(action) is None:
        raise InvalidInput(f"流程动作“{action}”只能用小写字母、数字和下划线命名；请修改流程定义。")
    return f"workflow.{action}"
