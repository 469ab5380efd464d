"""Electronic seals (电子印章): what an adapter of a seal service must do, where a page has room for a seal, and a signer.

A seal is never drawn here. An adapter takes the bytes of a letter and gives them back sealed, without changing what was
there (an incremental update), or raises. ``Pkcs12Signer`` is the one that comes along: a PDF signature (PAdES B-B, ETSI EN
319 142-1) with a key in a PKCS#12 file. It is for trying things out and for offices that sign with a certificate; it shows no
picture, since a picture of a seal is the seal service's to give.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from models.canonical import digest
from models.errors import InvalidInput, JixiaoError

SLOT: Final = "（此处盖章）"


@dataclass(frozen=True, slots=True)
class SealPlace:
    """The slot of a seal: page from 0, and its box in points from the lower left corner (left, bottom, right, top)."""

    page: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed letter, and what is told of the seal in the log: the adapter and the SHA-256 of the certificate (DER)."""

    data: bytes
    adapter: str
    certificate: str


class SealAdapter(Protocol):
    """What applies a seal. A package registers its own as an entry point of the group ``jixiao.seals``."""

    def seal(self, pdf: bytes, place: SealPlace, *, reason: str) -> Sealed:
        """The PDF with a seal at a place; raises JixiaoError where the seal can't be applied."""
        ...


def seal_place(pdf: bytes) -> SealPlace:
    """Where a letter has room for the seal; raises InvalidInput for a document without a slot."""
    import pdfplumber

    with pdfplumber.open(io.BytesIO(pdf)) as document:
        for number, page in enumerate(document.pages):
            found = page.search(SLOT, regex=False)
            if found:
                box, height = found[0], float(page.height)
                place = (float(box["x0"]), height - float(box["bottom"]), float(box["x1"]), height - float(box["top"]))
                return SealPlace(number, place)
            page.close()
    raise InvalidInput("这份文件没有盖章的位置；盖章只用于报送函、退回修改通知和批复函。")


@dataclass(frozen=True)
class Pkcs12Signer:
    """Signs with the key of a PKCS#12 file; the passphrase is the first line of a file of its own."""

    key: Path
    passphrase: Path | None = None

    def seal(self, pdf: bytes, place: SealPlace, *, reason: str) -> Sealed:
        """The PDF with an invisible PAdES signature; ``place`` is not drawn on."""
        del place  # a visible field would need a picture, which is not ours to make
        try:
            from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
            from pyhanko.sign import fields, signers
        except ImportError as error:
            raise JixiaoError("没有安装签章组件；请运行 pip install 'jixiao[seal]' 后重试。") from error
        try:
            signer = signers.SimpleSigner.load_pkcs12_data(self._key(), other_certs=[], passphrase=self._passphrase())
        except ValueError as error:
            raise InvalidInput("签章的密钥文件打不开：不是 PKCS#12 文件，或者口令不对；请检查设置 seals。") from error
        if signer.signing_cert is None:
            raise InvalidInput("签章的密钥文件里没有证书，不能签章；请检查设置 seals。")
        metadata = signers.PdfSignatureMetadata(
            field_name="Seal", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, reason=reason
        )
        output = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), metadata, signer=signer)
        return Sealed(output.getvalue(), "pkcs12", digest(signer.signing_cert.dump()))

    def _key(self) -> bytes:
        try:
            return self.key.read_bytes()
        except OSError as error:
            raise InvalidInput(f"不能读取签章的密钥文件“{self.key}”（{error.strerror}）；请检查设置 seals。") from error

    def _passphrase(self) -> bytes | None:
        if self.passphrase is None:
            return None
        try:
            return self.passphrase.read_bytes().split(b"\n")[0].rstrip(b"\r")
        except OSError as error:
            raise InvalidInput(
                f"不能读取签章口令的文件“{self.passphrase}”（{error.strerror}）；请检查设置 seals。"
            ) from error
