"""Sealing a letter with the seal of the organization that issues it; a letter is sealed once, and kept as it was sealed."""

from __future__ import annotations

from importlib.metadata import entry_points

from application.installation import Request
from application.kept_documents import Made, find, keep
from application.rendering import Rendered, allowed_stage, record
from application.settings import SealSetting
from application.use_cases import refusals_recorded, use_case
from audit.events import Act
from documents.rendering.sealing import Pkcs12Signer, SealAdapter, seal_place
from models.canonical import digest
from models.engine import Work, transaction
from models.errors import InvalidInput, NotAllowed
from models.people import Organization, OrganizationKind, Role
from workflow.issuing import LETTERS, SUBMISSION

# The format under which sealed letters are kept: a signature holds its time, so that none is ever made a second time.
FORMAT = "pdf-sealed"
_GROUP = "jixiao.seals"
_MAY = (Role.DEPARTMENT_HEAD, Role.APPROVER, Role.REVIEWER)


@use_case("document.seal")
def sealed(request: Request, text_id: str, made: Rendered) -> Rendered:
    """A rendered letter with the seal of its organization, applied by somebody of it.

    Raises InvalidInput for what is no letter or where no seal was set up, NotAllowed for people of other organizations.
    """
    if made.document not in LETTERS or not made.data.startswith(b"%PDF"):
        raise InvalidInput("盖章只用于 pdf 格式的报送函、退回修改通知和批复函；请用 --document 和 --format 指定。")
    installation = request.installation
    installation.require_writable()
    with (
        refusals_recorded(request, Act.DOCUMENT_RENDER, ("text", text_id)),
        transaction(installation.engine, read_only=True) as work,
    ):
        stage = allowed_stage(work, request, text_id, made.document)
        setting = _setting(work, request, made.document)
        before = find(work, stage, FORMAT)
    if before is not None:
        return _result(made, before.data)
    done = adapter_of(setting).seal(made.data, seal_place(made.data), reason=stage.document_number or stage.status)
    if not done.data.startswith(made.data):
        raise InvalidInput("签章服务改动了文件原来的内容，没有采用；请联系签章服务的维护人员。")
    with transaction(installation.engine) as work:
        first = find(work, stage, "pdf")
        kept = keep(work, stage, FORMAT, Made(done.data, *_versions(first)), request.now())
        seal = {"adapter": done.adapter, "certificate": done.certificate}
        recorded = record(work, request, stage, FORMAT, kept, seal=seal)
    installation.settle(recorded.event_id, checkpoint=True)
    return _result(made, kept.data)


def _versions(first: Made | None) -> tuple[str, str]:
    return (first.templates, first.program) if first is not None else ("", "")


def _result(made: Rendered, data: bytes) -> Rendered:
    name = made.name.removesuffix(".pdf") + "-sealed.pdf"
    return Rendered(made.document, made.version, name, data, digest(data), made.number)


def _setting(work: Work, request: Request, document: str) -> SealSetting:
    person = request.person
    issuer = OrganizationKind.DEPARTMENT if document == SUBMISSION else OrganizationKind.FINANCE
    if person.organization_kind != issuer or not person.holds(*_MAY):
        raise NotAllowed("盖章由发文单位的负责人或承办人办理；请以发文单位的账号登录。")
    own = work.session.get_one(Organization, person.organization_id)
    names = (own.id, own.name, *own.aliases.splitlines())
    for setting in request.installation.settings.seals:
        if setting.organization in names:
            return setting
    raise InvalidInput(
        f"没有设置“{own.name}”的签章，不能盖章；请系统管理员在 settings.toml 中加 [[seals]]，或打印后手工盖章。"
    )


def adapter_of(setting: SealSetting) -> SealAdapter:
    """The adapter that a setting names: ``pkcs12``, or one that an installed package registers; raises InvalidInput."""
    if setting.adapter == "pkcs12":
        if setting.pkcs12 is None:
            raise InvalidInput("签章设置缺少 pkcs12（密钥文件）；请在 settings.toml 的 [[seals]] 中补上。")
        return Pkcs12Signer(setting.pkcs12, setting.passphrase_file)
    found = [item for item in entry_points(group=_GROUP) if item.name == setting.adapter]
    if not found:
        raise InvalidInput(f"没有名为“{setting.adapter}”的签章适配器；请安装它，或改用 pkcs12。")
    adapter: SealAdapter = found[0].load()(setting)
    return adapter
