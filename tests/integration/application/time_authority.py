"""A real time stamping authority: ``openssl ts`` with certificates of our own, answering files or HTTP."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """
[req]
distinguished_name=dn
[dn]
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
[tsa]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
[authority]
serial=./serial
signer_cert=./tsa.pem
signer_key=./tsa.key
certs=./chain.pem
signer_digest=sha256
default_policy=1.2.3.4.1
digests=sha256
ess_cert_id_alg=sha256
"""


@dataclass(frozen=True)
class TimeAuthority:
    """Its folder; ``root`` is the certificate that people are given."""

    folder: Path

    @property
    def root(self) -> bytes:
        return (self.folder / "ca.pem").read_bytes()

    def reply(self, query: bytes) -> bytes:
        (self.folder / "q.tsq").write_bytes(query)
        self.openssl(
            "ts", "-reply", "-config", "ts.cnf", "-section", "authority", "-queryfile", "q.tsq", "-out", "r.tsr"
        )
        return (self.folder / "r.tsr").read_bytes()

    def openssl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr


def make_time_authority(folder: Path, name: str = "Test") -> TimeAuthority:
    """A new authority under a root of its own; its replies carry the chain, in openssl's order."""
    folder.mkdir()
    made = TimeAuthority(folder)
    (folder / "ts.cnf").write_text(_CONFIG)
    (folder / "serial").write_text("01\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ts.cnf")
    made.openssl(
        "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", f"/CN={name} CA", "-extensions", "ca"
    )
    made.openssl("req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"/CN={name} TSA")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ts.cnf", "-extensions", "tsa")
    made.openssl("x509", "-req", "-in", "tsa.csr", *signing, "-out", "tsa.pem", "-days", "30")
    (folder / "chain.pem").write_bytes(made.root)
    return made
