"""A seal is applied by an adapter, once, by the organization that issues the letter; nothing is drawn and nothing faked."""

from __future__ import annotations

import dataclasses
import datetime
import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from handled_texts import last_event
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from application import sealing
from application.archive_checks import verify_archive
from application.archive_files import unpacked
from application.archiving import make_archive
from application.installation import Request
from application.rendering import render_text
from application.settings import SealSetting
from documents.rendering.sealing import SLOT, Pkcs12Signer, Sealed, SealPlace, seal_place
from models.canonical import digest
from models.errors import InvalidInput, NotAllowed
from models.people import Role

BUREAU = "澜石市青禾县财政局"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, x509.Certificate]:
    """A key and a certificate of our own making, which nobody trusts but this test."""
    folder = tmp_path_factory.mktemp("seal")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "测试用章（不是印章）")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.KeyUsage(True, True, False, False, False, True, False, False, False), critical=True)
        .sign(key, hashes.SHA256())
    )
    data = pkcs12.serialize_key_and_certificates(b"seal", key, certificate, None, BestAvailableEncryption(b"pass"))
    (folder / "seal.p12").write_bytes(data)
    (folder / "pass").write_bytes(b"pass\n")
    return folder / "seal.p12", folder / "pass", certificate


def with_seal(office: Any, role: Role, setting: SealSetting) -> Request:
    settings = office.installation.settings.model_copy(update={"seals": (setting,)})
    installation = dataclasses.replace(office.installation, settings=settings)
    return dataclasses.replace(office.people[role], installation=installation)


@pytest.fixture
def sealer(sqlite_office: Any, key_file: Any) -> Request:
    key, passphrase, _ = key_file
    return with_seal(
        sqlite_office, Role.APPROVER, SealSetting(organization=BUREAU, pkcs12=key, passphrase_file=passphrase)
    )


def seal(request: Request, text: str, document: str = "approval") -> Any:
    return sealing.sealed(request, text, render_text(request, text, document=document))


def test_a_sealed_letter_is_the_letter_with_a_valid_signature(sqlite_office, sealer, key_file):
    text = sqlite_office.driven("approved")
    letter = render_text(sealer, text, document="approval")
    made = sealing.sealed(sealer, text, letter)
    assert made.data.startswith(letter.data)
    assert made.name == "2021-approval-v1-sealed.pdf"
    signature = PdfFileReader(io.BytesIO(made.data)).embedded_signatures[0]
    trusted = ValidationContext(trust_roots=[_asn1(key_file[2])])
    status = validate_pdf_signature(signature, trusted)
    assert status.intact
    assert status.valid
    assert status.coverage.name == "ENTIRE_FILE"
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    told = last_event(sqlite_office, text)["chg"][0]["n"]
    assert told["seal"] == {"adapter": "pkcs12", "certificate": digest(_asn1(key_file[2]).dump())}
    assert told["sha256"] == digest(made.data)


def _asn1(certificate: x509.Certificate) -> Any:
    from asn1crypto.x509 import Certificate
    from cryptography.hazmat.primitives.serialization import Encoding

    return Certificate.load(certificate.public_bytes(Encoding.DER))


def test_a_sealed_letter_is_sound_and_still_says_that_it_is_pdf_a(sqlite_office, sealer):
    text = sqlite_office.driven("approved")
    made = seal(sealer, text)
    with pikepdf.open(io.BytesIO(made.data)) as document:
        assert document.check_pdf_syntax() == []
        metadata = bytes(document.Root.Metadata.read_bytes())
        assert b'pdfaid:part="2"' in metadata
        assert b'pdfaid:conformance="A"' in metadata
        assert "/OutputIntents" in document.Root
        field = document.Root.AcroForm.Fields[0]
        # ISO 19005-2, 6.3: an annotation is printed, neither hidden nor invisible; one without a size needs no appearance.
        assert int(field.F) & 0b100111 == 0b100
        assert "/AA" not in field
        assert "/NeedAppearances" not in document.Root.AcroForm
        assert [float(number) for number in field.Rect] == [0, 0, 0, 0]


def test_a_letter_is_sealed_once(sqlite_office, sealer):
    text = sqlite_office.driven("approved")
    assert seal(sealer, text).data == seal(sealer, text).data


def test_an_archive_holds_the_sealed_letter(sqlite_office, sealer):
    office = sqlite_office
    text = office.driven("approved")
    made = seal(sealer, text)
    archive = make_archive(office.people[Role.AUDITOR], text)
    assert unpacked(archive.data)["documents/r1-approval-v1.pdf"] == made.data
    assert verify_archive(archive.data, [str(office.installation.signer.vkey)]).ok


def test_without_an_adapter_there_is_no_seal(sqlite_office):
    text = sqlite_office.driven("approved")
    with pytest.raises(InvalidInput, match="没有设置"):
        seal(sqlite_office.people[Role.APPROVER], text)


def test_the_seal_of_another_organization_seals_nothing(sqlite_office, key_file):
    text = sqlite_office.driven("approved")
    setting = SealSetting(organization="别的财政局", pkcs12=key_file[0], passphrase_file=key_file[1])
    with pytest.raises(InvalidInput, match="没有设置"):
        seal(with_seal(sqlite_office, Role.APPROVER, setting), text)


def test_a_department_can_not_seal_for_the_bureau_nor_the_bureau_for_it(sqlite_office, key_file):
    text = sqlite_office.driven("approved")
    setting = SealSetting(organization=BUREAU, pkcs12=key_file[0], passphrase_file=key_file[1])
    with pytest.raises(NotAllowed, match="发文单位"):
        seal(with_seal(sqlite_office, Role.DEPARTMENT_HEAD, setting), text)
    with pytest.raises(NotAllowed, match="发文单位"):
        seal(with_seal(sqlite_office, Role.APPROVER, setting), text, "submission")
    with pytest.raises(NotAllowed, match="发文单位"):
        seal(with_seal(sqlite_office, Role.AUDITOR, setting), text)


@pytest.mark.parametrize("document", ["review", "draft"])
def test_what_is_no_letter_is_not_sealed(sqlite_office, sealer, document):
    text = sqlite_office.driven("approved")
    with pytest.raises(InvalidInput, match="只用于"):
        seal(sealer, text, document)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        (SealSetting(organization=BUREAU), "pkcs12"),
        (SealSetting(organization=BUREAU, adapter="nobody"), "适配器"),
        (SealSetting(organization=BUREAU, pkcs12=Path("/nonexistent.p12")), "不能读取"),
        (SealSetting(organization=BUREAU, pkcs12=Path(__file__)), "打不开"),
    ],
)
def test_a_setting_that_does_not_work_says_why(sqlite_office, setting, reason):
    text = sqlite_office.driven("approved")
    with pytest.raises(InvalidInput, match=reason):
        seal(with_seal(sqlite_office, Role.APPROVER, setting), text)


def test_an_adapter_that_changes_the_letter_is_not_believed(sqlite_office, sealer, monkeypatch):
    class Forger:
        def seal(self, pdf: bytes, _place: Any, *, reason: str) -> Sealed:
            return Sealed(pdf.replace(b"PDF", b"PDG"), reason, "0")

    monkeypatch.setattr(sealing, "adapter_of", lambda _setting: Forger())
    with pytest.raises(InvalidInput, match="没有采用"):
        seal(sealer, sqlite_office.driven("approved"))


def test_the_place_of_the_seal_is_where_the_letter_says(sqlite_office):
    text = sqlite_office.driven("approved")
    data = render_text(sqlite_office.people[Role.APPROVER], text, document="approval").data
    place = seal_place(data)
    import pdfplumber

    with pdfplumber.open(io.BytesIO(data)) as document:
        page = document.pages[place.page]
        left, bottom, right, top = place.box
        cut = page.crop((left - 1, float(page.height) - top - 1, right + 1, float(page.height) - bottom + 1))
        assert cut.extract_text() == SLOT
    with pytest.raises(InvalidInput, match="没有盖章的位置"):
        seal_place(render_text(sqlite_office.people[Role.APPROVER], text, document="review").data)


def test_the_wrong_passphrase_opens_nothing(key_file, tmp_path):
    (tmp_path / "wrong").write_bytes(b"wrong")
    signer = Pkcs12Signer(key_file[0], tmp_path / "wrong")
    with pytest.raises(InvalidInput, match="口令"):
        signer.seal(b"%PDF-1.7", SealPlace(0, (0, 0, 0, 0)), reason="x")
