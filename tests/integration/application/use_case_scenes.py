"""A short scene for every use case that changes something: each sets the stage and gives the call that is watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import orjson
import pytest
import yaml
from handled_texts import administrator
from offices import SAMPLE
from post_offices import mail_to, with_settings

from application import (
    accounts,
    acting,
    answering,
    archiving,
    assignments,
    beginning,
    bulk,
    bulk_rendering,
    bureau_checks,
    calendars,
    delegations,
    dispatching,
    editing,
    erasing,
    identity,
    importing,
    leaving,
    migrating,
    notifying,
    numbering,
    proving,
    rendering,
    reviewing,
    rotating,
    sealing,
    workflows,
)
from application.settings import SealSetting
from application.texts import show_text
from application.workflows import shipped
from documents.rendering.sealing import Sealed
from documents.reviewing import default_form
from models.engine import transaction
from models.errors import NotAllowed
from models.people import OrganizationKind, Role

Call = Callable[[], Any]
Scene = Callable[[Any], Call]
LIBRARY = "澜石市青禾县图书馆"


def _system(office: Any) -> Any:
    return administrator(office, Role.SYSTEM_ADMINISTRATOR)


def _audit(office: Any) -> Any:
    return administrator(office, Role.AUDIT_ADMINISTRATOR)


def organization_add(office: Any) -> Call:
    return lambda: accounts.add_organization(_system(office), "青禾县文化馆", OrganizationKind.DEPARTMENT)


def account_add(office: Any) -> Call:
    return lambda: accounts.add_account(_system(office), "new", "新来的", LIBRARY)


def role_grant(office: Any) -> Call:
    account_add(office)()
    who = administrator(office, Role.SECURITY_ADMINISTRATOR)
    return lambda: accounts.grant_role(who, "new", Role.DRAFTER)


def role_revoke(office: Any) -> Call:
    role_grant(office)()
    who = administrator(office, Role.SECURITY_ADMINISTRATOR)
    return lambda: leaving.revoke_role(who, "new", Role.DRAFTER, reason="调离")


def account_disable(office: Any) -> Call:
    account_add(office)()
    return lambda: leaving.disable_account(_system(office), "new", reason="离职")


def definition_publish(office: Any) -> Call:
    value = yaml.safe_dump({**yaml.safe_load(shipped("simple")), "version": 2}, allow_unicode=True).encode()
    return lambda: workflows.publish_workflow(_system(office), value)


def text_import(office: Any) -> Call:
    return lambda: importing.import_text(office.people[Role.DRAFTER], SAMPLE.read_bytes(), name="a.txt")


def text_confirm(office: Any) -> Call:
    text = office.imported(confirm=False)
    return lambda: editing.confirm_repairs(office.people[Role.DRAFTER], text, (), everything=True)


def text_answer(office: Any) -> Call:
    text = office.imported(confirm=False)
    return lambda: answering.answer_findings(office.people[Role.DRAFTER], text, (), words="已核对", everything=True)


def text_new(office: Any) -> Call:
    text = office.imported()
    return lambda: beginning.new_text(office.people[Role.DRAFTER], source=text, year=2022)


def check_import(office: Any) -> Call:
    data = '[rules.C006]\ndisabled = "依据统一"\n[thresholds]\nyear_factor = 3.5\n'.encode()
    return lambda: bureau_checks.import_settings(_system(office), None, data, name="本县.toml", reason="按通知")


def text_replace(office: Any) -> Call:
    text = office.imported()
    content = show_text(office.people[Role.DRAFTER], text)["content"]
    content["title"] += "（修订）"
    return lambda: editing.replace_content(office.people[Role.DRAFTER], text, orjson.dumps(content))


def review_fill(office: Any) -> Call:
    text = office.county("first_review")
    scores = {item.name: item.points for item in default_form().items}
    return lambda: reviewing.fill_form(office.people[Role.REVIEWER], text, reviewing.Sheet(scores, {}))


def text_set(office: Any) -> Call:
    text = office.imported()
    return lambda: editing.set_members(office.people[Role.DRAFTER], text, [("/projects/p1/phone", "0319-1")])


def text_act(office: Any) -> Call:
    text = office.imported()
    return lambda: acting.act(office.people[Role.DEPARTMENT_HEAD], text, action="submit")


def text_bulk(office: Any) -> Call:
    texts = [office.imported(), office.imported()]
    return lambda: bulk.act_on_many(office.people[Role.DEPARTMENT_HEAD], texts, action="submit")


def number_word(office: Any) -> Call:
    return lambda: numbering.set_number_word(_system(office), LIBRARY, "青图")


def text_render_all(office: Any) -> Call:
    office.imported()
    folder = office.installation.settings.home / "documents"
    drafter = office.people[Role.DRAFTER]
    return lambda: bulk_rendering.render_all(drafter, folder, format_="json", workers=1)


def archive_make(office: Any) -> Call:
    text = office.driven("submitted")
    return lambda: archiving.make_archive(office.people[Role.DRAFTER], text)


class _Sealer:
    def seal(self, pdf: bytes, _place: Any, *, reason: str) -> Sealed:
        return Sealed(pdf + reason.encode(), "test", "0" * 64)


def document_seal(office: Any) -> Call:
    text, approver = office.driven("approved"), office.people[Role.APPROVER]
    seals = (SealSetting(organization="澜石市青禾县财政局", adapter="test"),)
    settings = office.installation.settings.model_copy(update={"seals": seals})
    approver = replace(approver, installation=replace(office.installation, settings=settings))
    made = rendering.render_text(approver, text, document="approval")

    def call() -> Any:
        with mock.patch.object(sealing, "adapter_of", return_value=_Sealer()):
            return sealing.sealed(approver, text, made)

    return call


def text_render(office: Any) -> Call:
    text = office.imported()
    return lambda: rendering.render_text(office.people[Role.DRAFTER], text, format_="html")


def task_claim(office: Any) -> Call:
    text = office.driven("submitted")
    return lambda: assignments.claim(office.people[Role.REVIEWER], text)


def task_release(office: Any) -> Call:
    text = office.driven("submitted")
    assignments.claim(office.people[Role.REVIEWER], text)
    return lambda: assignments.release(office.people[Role.REVIEWER], text)


def task_reassign(office: Any) -> Call:
    text = office.driven("submitted")
    office.another(Role.REVIEWER, "colleague")
    assignments.claim(office.people[Role.REVIEWER], text)
    return lambda: assignments.reassign(office.people[Role.REVIEWER], text, "colleague", reason="出差")


def task_delegate(office: Any) -> Call:
    text = office.driven("submitted")
    office.another(Role.REVIEWER, "colleague")
    assignments.claim(office.people[Role.REVIEWER], text)
    return lambda: assignments.delegate(office.people[Role.REVIEWER], text, "colleague", reason="请核对")


def task_resolve(office: Any) -> Call:
    text = office.driven("submitted")
    colleague = office.another(Role.REVIEWER, "colleague")
    assignments.claim(office.people[Role.REVIEWER], text)
    assignments.delegate(office.people[Role.REVIEWER], text, "colleague", reason="请核对")
    return lambda: assignments.resolve(colleague, text, note="已核对")


def task_remind(office: Any) -> Call:
    text = office.driven("submitted")
    assignments.claim(office.people[Role.REVIEWER], text)
    return lambda: assignments.remind(office.people[Role.DEPARTMENT_HEAD], text)


def text_copy(office: Any) -> Call:
    text = office.driven("submitted")
    return lambda: assignments.copy(office.people[Role.REVIEWER], text, ["approver"])


def signer_add(office: Any) -> Call:
    text = office.county("second_review")
    office.another(Role.SECOND_REVIEWER, "adviser")
    who = office.people[Role.SECOND_REVIEWER]
    return lambda: assignments.add_signer(who, text, "adviser", place="before", reason="请先看资金")


def signer_remove(office: Any) -> Call:
    text = office.county("second_review")
    office.another(Role.SECOND_REVIEWER, "adviser")
    who = office.people[Role.SECOND_REVIEWER]
    assignments.add_signer(who, text, "adviser", place="before", reason="请先看资金")
    return lambda: assignments.remove_signer(who, text, "+1", reason="不用了")


def overdue_report(office: Any) -> Call:
    office.driven("submitted")
    office.clock.moment += timedelta(days=60)
    return lambda: assignments.report_overdue(_system(office))


def definition_migrate(office: Any) -> Call:
    office.imported(workflow="simple")
    definition_publish(office)()
    return lambda: migrating.migrate_texts(_system(office), "simple@1", "simple@2")


def delegation_add(office: Any) -> Call:
    office.another(Role.REVIEWER, "colleague")
    until = (office.clock.moment + timedelta(days=3)).date().isoformat()
    return lambda: delegations.add_delegation(office.people[Role.REVIEWER], "colleague", until=until, reason="出差")


def delegation_revoke(office: Any) -> Call:
    made = delegation_add(office)()
    return lambda: delegations.revoke_delegation(office.people[Role.REVIEWER], made["id"], reason="回来了")


def log_in(office: Any) -> Call:
    accounts.add_account(_system(office), "new", "新来的", LIBRARY, password="long-enough")
    return lambda: identity.log_in(office.installation, "new", "long-enough")


def log_out(office: Any) -> Call:
    token, person = log_in(office)()
    request = type(office.people[Role.DRAFTER])(office.installation, person, "out")
    return lambda: identity.log_out(request, token)


def refused_token(office: Any) -> Call:
    token = office.token(Role.DRAFTER, "new")
    leaving.disable_account(_system(office), "new", reason="离职")

    def refused() -> None:
        with pytest.raises(NotAllowed):
            identity.authenticate(office.installation, token)

    return refused


def password_set(office: Any) -> Call:
    return lambda: identity.set_password(office.people[Role.DRAFTER], "long-enough")


def calendar_set(office: Any) -> Call:
    return lambda: calendars.set_day(_system(office), "2026-10-10", working=True, name="国庆调休")


def calendar_unset(office: Any) -> Call:
    calendar_set(office)()
    return lambda: calendars.unset_day(_system(office), "2026-10-10")


def erasure_request(office: Any) -> Call:
    office.another(Role.DRAFTER, "leaver")
    return lambda: erasing.request_erasure(_audit(office), subject="leaver", basis="依法", reason="离职")


def erasure_confirm(office: Any) -> Call:
    asked = erasure_request(office)()
    return lambda: erasing.confirm_erasure(office.people[Role.AUDITOR], asked["id"])


def key_rotate(office: Any) -> Call:
    return lambda: rotating.rotate_key(_audit(office), log="main")


def key_retire(office: Any) -> Call:
    key_rotate(office)()
    return lambda: rotating.retire_key(_audit(office), log="main", reason="交接完毕")


def export(office: Any) -> Call:
    folder = office.installation.settings.home / "tiles"
    return lambda: proving.export_tiles(office.people[Role.AUDITOR], folder)


def prove(office: Any) -> Call:
    return lambda: proving.prove(office.people[Role.AUDITOR], "0")


def look(office: Any) -> Call:
    text = office.imported()
    return lambda: show_text(office.people[Role.AUDITOR], text)


def refusal(office: Any) -> Call:
    text = office.imported()

    def refused() -> None:
        with pytest.raises(NotAllowed):
            acting.act(office.people[Role.DRAFTER], text, action="submit")

    return refused


def failed_log_in(office: Any) -> Call:
    def refused() -> None:
        with pytest.raises(NotAllowed):
            identity.log_in(office.installation, "drafter", "wrong")

    return refused


def _with_mail(office: Any, *, dead: bool = False) -> Any:
    """A system administrator of an office whose mail server nobody answers at; one letter waits, or is dead."""
    boss = _system(office)
    settings = with_settings(office.installation, mail=mail_to(9)).settings
    object.__setattr__(office.installation, "settings", settings)
    notifying.set_contact(boss, "sysadmin@example.gov.cn")
    if dead:
        dispatching.send_test(boss, "mail")
        with transaction(office.installation.engine) as work:
            work.connection.exec_driver_sql("UPDATE delivery SET status = 'dead', finished_at = created_at")
    return boss


def delivery_retry(office: Any) -> Call:
    boss = _with_mail(office, dead=True)
    return lambda: dispatching.retry(boss, everything=True)


def channel_test(office: Any) -> Call:
    boss = _with_mail(office)
    return lambda: dispatching.send_test(boss, "mail")


def channel_switch(office: Any) -> Call:
    boss = _with_mail(office)
    return lambda: dispatching.switch(boss, "mail", on=False, reason="维护")


def notice_read(office: Any) -> Call:
    office.driven("submitted")
    notifying.tell_now(office.installation)
    return lambda: notifying.read_notices(office.people[Role.REVIEWER], everything=True)


def contact_set(office: Any) -> Call:
    return lambda: notifying.set_contact(office.people[Role.DRAFTER], "zhao@example.gov.cn")


def preference_set(office: Any) -> Call:
    return lambda: notifying.set_preference(office.people[Role.DRAFTER], "copied", "off")


def calendar_import(office: Any) -> Call:
    days = "day,working,name\n2027-02-06,0,春节\n2027-02-07,1,春节调休\n".encode()
    return lambda: calendars.import_days(_system(office), days)
