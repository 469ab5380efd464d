#!/usr/bin/env python3
"""核对审计日志：瓦片文件夹、检查点、收据。不需要数据库、网络，也不用被核对的那个程序的任何代码。

    python3 verify.py FOLDER --vkey FILE [--checkpoint OLD]... [--receipt R --event E]...

Written from RFC 6962, RFC 8032 and the C2SP specifications (tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature,
tlog-proof) alone. Needs Python 3.11 or newer and the package ``cryptography``. Memory stays bounded: one entry bundle at a time.

Exit codes: 0 intact · 7 tampered · 8 not provable · 9 cannot read · 2 usage.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit(
        "缺少 Python 包 cryptography；请先运行 pip install cryptography（Debian：apt install python3-cryptography）。"
    )

HASH = 32
WIDTH = 256
LARGEST_NOTE = 64 * 1024
LARGEST_ENTRY = 65_535
# Signature types of C2SP signed-note and tlog-cosignature.
ED25519, COSIGNATURE = 0x01, 0x04

INTACT, TAMPERED, NOT_PROVABLE, CANNOT_READ = 0, 7, 8, 9
TITLES = {
    INTACT: "完整：与签名相符，没有被改动。",
    TAMPERED: "已被改动：与签名或与它自己不符。",
    NOT_PROVABLE: "无法证明：没有可信公钥的签名，或给出的检查点超出了这个文件夹。",
    CANNOT_READ: "无法读取：文件缺少或残缺，不能下结论。",
}


class Unreadable(Exception):
    """A file is missing, cut short, or spelt in a way that no specification allows."""


@dataclass
class Findings:
    """Problems in the order they were found, each with its verdict."""

    problems: list[tuple[int, str]] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, verdict: int, message: str) -> None:
        """Notes a problem; only the first hundred are kept in words."""
        self.counts[verdict] = self.counts.get(verdict, 0) + 1
        if len(self.problems) < 100:
            self.problems.append((verdict, message))

    @property
    def verdict(self) -> int:
        """The exit code."""
        # An accusation weighs most; what could not be read is worse than what could not be proved.
        return next((kind for kind in (TAMPERED, CANNOT_READ, NOT_PROVABLE) if kind in self.counts), INTACT)


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry) (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right) (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: list[bytes]) -> bytes:
    """Root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[place], hashes[place + 1]) for place in range(0, len(hashes), 2)]
    return hashes[0]


def subtrees(hashes: list[bytes]) -> list[bytes]:
    """Roots of the complete subtrees that a row of hashes splits into, largest first."""
    out = []
    start = 0
    while start < len(hashes):
        width = 1 << ((len(hashes) - start).bit_length() - 1)
        out.append(fold(hashes[start : start + width]))
        start += width
    return out


def join(roots: list[bytes]) -> bytes:
    """Root of a tree from its complete subtrees, largest first."""
    if not roots:
        return sha256(b"").digest()
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


def root_from_proof(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes | None:
    """Root that an inclusion proof leads to (RFC 9162 section 2.1.3.2); None where the proof has a wrong length."""
    if index >= size:
        return None
    first, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if first & 1 or first == last:
            value = node_hash(step, value)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            value = node_hash(value, step)
        first >>= 1
        last >>= 1
    return value if last == 0 else None


@dataclass(frozen=True)
class Key:
    """A verifier key: name, four bytes of id, signature type, public key."""

    name: str
    key_id: bytes
    kind: int
    public: bytes


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says, and the text and signature lines by which it can be checked."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: list[tuple[str, bytes]]


def decode(text: str) -> bytes:
    """Standard base64 in its one spelling."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:
        raise Unreadable("Base64 的写法不对")
    return data


def decimal(text: str) -> int:
    """A number without leading zeroes."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or (text[0] == "0" and text != "0"):
        raise Unreadable(f"“{text[:20]}”不是数")
    return int(text)


def parse_key(line: str) -> Key:
    """``name+id+base64(type ‖ public key)``."""
    name, key_id, data = [*line.split("+", 2), "", ""][:3]
    try:
        raw = decode(data)
    except Unreadable:
        raw = b""
    right = name and len(raw) == 1 + HASH and sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == key_id
    if not right or raw[0] not in (ED25519, COSIGNATURE):
        raise Unreadable(f"公钥“{line[:60]}”的写法不对，应为“名称+8 位十六进制+Base64”")
    return Key(name, bytes.fromhex(key_id), raw[0], raw[1:])


def parse_checkpoint(note: str) -> Checkpoint:
    """A signed note whose text is a checkpoint (C2SP signed-note, tlog-checkpoint)."""
    body, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise Unreadable("不是检查点：缺少空行或签名行")
    text = body + "\n"
    said = body.split("\n")
    if len(said) < 3 or "" in said:
        raise Unreadable("不是检查点：应有来源、条数、根哈希三行")
    signatures = []
    for line in lines[:-1].split("\n"):
        dash, name, data = [*line.split(" "), "", ""][:3]
        raw = decode(data)
        if dash != "—" or not name or len(raw) <= 4 or line != f"— {name} {data}":
            raise Unreadable(f"签名行“{line[:40]}”的写法不对")
        signatures.append((name, raw))
    root = decode(said[2])
    if len(root) != HASH:
        raise Unreadable("根哈希不是 32 字节")
    return Checkpoint(said[0], decimal(said[1]), root, text, signatures)


def signed_by(checkpoint: Checkpoint, key: Key) -> bool | None:
    """Whether the key has signed; None where it has no line, False where any of its lines is wrong."""
    found = None
    for name, raw in checkpoint.signatures:
        if name != key.name or raw[:4] != key.key_id:
            continue
        message, value = checkpoint.text.encode(), raw[4:]
        if key.kind == COSIGNATURE:
            seconds = int.from_bytes(value[:8], "big")
            message, value = f"cosignature/v1\ntime {seconds}\n".encode() + message, value[8:]
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
        except (InvalidSignature, ValueError):
            return False
        found = True
    return found


def accept(checkpoint: Checkpoint, keys: list[Key], title: str, findings: Findings) -> bool:
    """Whether the checkpoint proves anything: signed by a given key of its origin, and no given key's signature wrong."""
    answers = [(key, signed_by(checkpoint, key)) for key in keys]
    if any(answer is False for _, answer in answers):
        findings.add(TAMPERED, f"{title}的签名与内容不符；它被改动过。")
        return False
    if any(answer and key.kind == ED25519 and key.name == checkpoint.origin for key, answer in answers):
        return True
    names = "、".join(sorted({key.name for key in keys if key.kind == ED25519}))
    if checkpoint.origin not in {key.name for key in keys}:
        findings.add(
            NOT_PROVABLE,
            f"{title}属于日志“{checkpoint.origin}”，给出的公钥属于“{names}”；不是同一份日志，或拿错了公钥。",
        )
    else:
        findings.add(
            NOT_PROVABLE, f"{title}不是由给出的公钥（{names}）签名；请核对公钥，密钥更换过的要给出当时的公钥。"
        )
    return False


def read(path: Path, most: int) -> bytes:
    """The bytes of a file that has at most so many."""
    try:
        if not path.is_file():
            raise Unreadable(f"缺少文件 {path}")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(f"读不出 {path}（{error.strerror}）") from error
    if len(data) > most:
        raise Unreadable(f"文件 {path} 超过 {most} 字节")
    return data


def read_text(path: Path) -> str:
    """A small file of text."""
    try:
        return read(path, LARGEST_NOTE * 2).decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"文件 {path} 不是文字文件") from error


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint in a file."""
    try:
        return parse_checkpoint(read_text(path))
    except Unreadable as error:
        raise Unreadable(f"{path}：{error}") from error


def number_path(number: int) -> str:
    """A tile's number as C2SP tlog-tiles writes it: ``x001/x234/067``."""
    text = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        text = f"x{number % 1000:03d}/{text}"
    return text


class Tiles:
    """The files of a folder, as they stand; a partial one may be missing where the full one is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _find(self, kind: str, number: int, width: int) -> tuple[Path, int]:
        full = self.folder / "tile" / kind / number_path(number)
        if width == WIDTH or full.is_file():
            return full, WIDTH
        return full.with_name(f"{full.name}.p") / str(width), width

    def hashes(self, level: int, number: int, width: int) -> list[bytes]:
        """The first ``width`` hashes of a tile."""
        path, stored = self._find(str(level), number, width)
        data = read(path, WIDTH * HASH)
        if len(data) != stored * HASH:
            raise Unreadable(f"瓦片 {path} 残缺：应有 {stored * HASH} 字节，实有 {len(data)} 字节")
        return [data[place : place + HASH] for place in range(0, width * HASH, HASH)]

    def entries(self, number: int, width: int) -> list[bytes]:
        """The first ``width`` entries of a bundle."""
        path, stored = self._find("entries", number, width)
        data = read(path, WIDTH * (2 + LARGEST_ENTRY))
        out: list[bytes] = []
        place = 0
        while place + 2 <= len(data) and len(out) < stored:
            end = place + 2 + int.from_bytes(data[place : place + 2], "big")
            out.append(data[place + 2 : end])
            place = end
        if place != len(data) or len(out) != stored:
            raise Unreadable(f"条目包 {path} 残缺：应正好有 {stored} 条")
        return out[:width]


@dataclass
class Claim:
    """A root that a signature claims for a size."""

    size: int
    root: bytes
    title: str


@dataclass
class Receipt:
    """A C2SP tlog-proof with the event that it is said to prove."""

    index: int
    proof: list[bytes]
    checkpoint: Checkpoint
    event: bytes
    title: str


class Recomputation:
    """The tree computed from the entries alone, compared with the tiles and with every claim on the way."""

    def __init__(
        self, tiles: Tiles, size: int, claims: list[Claim], receipts: list[Receipt], findings: Findings
    ) -> None:
        self._tiles = tiles
        self._size = size
        self._claims = sorted(claims, key=lambda claim: claim.size)
        self._receipts = receipts
        self._findings = findings
        # The unfinished tile of each level, from the leaves up.
        self._rows: list[list[bytes]] = [[]]
        self._counts: list[int] = [0]
        self._matched = 0
        self._broken = False
        self._differences = 0

    def run(self) -> bytes:
        """Reads everything; the root over all entries."""
        self._check_claims(0, [])
        for number in range((self._size + WIDTH - 1) // WIDTH):
            start = number * WIDTH
            width = min(WIDTH, self._size - start)
            entries = self._tiles.entries(number, width)
            leaves = [leaf_hash(entry) for entry in entries]
            self._compare(0, number, leaves)
            for receipt in self._receipts:
                if start <= receipt.index < start + width and entries[receipt.index - start] != receipt.event:
                    self._findings.add(TAMPERED, f"{receipt.title}的事件与文件夹里的第 {receipt.index} 条不同。")
            self._check_claims(start, leaves)
            self._carry(leaves)
            progress(start + width, self._size)
        for level in range(1, len(self._rows)):
            if self._rows[level]:
                self._compare(level, self._counts[level], self._rows[level])
        if self._differences and not self._broken:
            say("注意：条目与签名的检查点相符，被改动的是瓦片。")
        return self._root(self._rows[0])

    def _carry(self, leaves: list[bytes]) -> None:
        self._rows[0] = leaves
        level = 0
        while len(self._rows[level]) == WIDTH:
            if level + 1 == len(self._rows):
                self._rows.append([])
                self._counts.append(0)
            # Level 0 has been compared already, with the entries at hand.
            if level:
                self._compare(level, self._counts[level], self._rows[level])
            self._rows[level + 1].append(fold(self._rows[level]))
            self._rows[level] = []
            self._counts[level] += 1
            level += 1

    def _root(self, leaves: list[bytes]) -> bytes:
        roots = []
        for row in reversed(self._rows[1:]):
            roots += subtrees(row)
        return join(roots + subtrees(leaves))

    def _check_claims(self, start: int, leaves: list[bytes]) -> None:
        while self._claims and self._claims[0].size <= start + len(leaves):
            claim = self._claims.pop(0)
            if self._root(leaves[: claim.size - start]) == claim.root:
                self._matched = claim.size
            elif not self._broken:
                # Every later claim is wrong, too, once the history is; the first one tells where.
                self._broken = True
                self._findings.add(
                    TAMPERED,
                    f"{claim.title}（{claim.size} 条）的根与重算的不同：第 {self._matched} 至 {claim.size - 1} 条之间"
                    "有条目被改动、增删或换了顺序。",
                )

    def _compare(self, level: int, number: int, computed: list[bytes]) -> None:
        stored = self._tiles.hashes(level, number, len(computed))
        for place in range(len(computed)):
            if stored[place] != computed[place]:
                self._differences += 1
                index = number * WIDTH + place
                what = (
                    f"第 {index} 条的内容与瓦片中它的哈希"
                    if level == 0
                    else f"第 {level} 层瓦片的第 {index} 个哈希与重算的"
                )
                self._findings.add(TAMPERED, f"{what}不符。")


def progress(done: int, total: int) -> None:
    """A line that rewrites itself, while a terminal looks on."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r已核对 {done:,} / {total:,} 条" + ("\n" if done == total else ""))
        sys.stderr.flush()


def parse_receipt(path: Path, event: Path) -> Receipt:
    """``c2sp.org/tlog-proof@v1``; the extra line is signed by nobody and not looked at."""
    head, separator, note = read_text(path).partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Unreadable(f"{path} 不是完整的收据")
    if lines and lines[0].startswith("extra "):
        lines.pop(0)
    if not lines or not lines[0].startswith("index ") or len(lines) > 65:
        raise Unreadable(f"{path} 不是完整的收据")
    try:
        index = decimal(lines.pop(0).removeprefix("index "))
        proof = [decode(line) for line in lines]
        checkpoint = parse_checkpoint(note)
    except Unreadable as error:
        raise Unreadable(f"收据 {path} 残缺：{error}") from error
    if any(len(step) != HASH for step in proof):
        raise Unreadable(f"收据 {path} 残缺：证明行应为 32 字节")
    return Receipt(index, proof, checkpoint, read(event, LARGEST_ENTRY), f"收据 {path.name}")


def check_receipt(receipt: Receipt, keys: list[Key], findings: Findings) -> bool:
    """Whether a receipt proves its event under one of the keys (C2SP tlog-proof)."""
    if not accept(receipt.checkpoint, keys, f"{receipt.title}里的检查点", findings):
        return False
    root = root_from_proof(receipt.index, receipt.checkpoint.size, leaf_hash(receipt.event), receipt.proof)
    if root != receipt.checkpoint.root:
        findings.add(
            TAMPERED,
            f"{receipt.title}证明的不是给出的事件，或事件、收据被改动过；请用原样的文件，编辑器多加一个换行也算改动。",
        )
        return False
    say(f"{receipt.title}有效：事件是日志“{receipt.checkpoint.origin}”的第 {receipt.index} 条。")
    return True


def check_folder(
    folder: Path, keys: list[Key], olds: list[Checkpoint], receipts: list[Receipt], findings: Findings
) -> None:
    """Computes the tree of a folder anew and compares it with its tiles, its checkpoint and everything kept elsewhere."""
    checkpoint = read_checkpoint(folder / "checkpoint")
    if not accept(checkpoint, keys, "文件夹的检查点", findings):
        return
    for key in keys:
        if key.kind == COSIGNATURE:
            say(f"见证“{key.name}”{'已签名。' if signed_by(checkpoint, key) else '没有签名；它证明不了这个检查点。'}")
    claims = [Claim(checkpoint.size, checkpoint.root, "文件夹的检查点")]
    outside = [(old, "留存的检查点") for old in olds] + [(item.checkpoint, item.title) for item in receipts]
    for old, title in outside:
        if old.origin != checkpoint.origin:
            findings.add(
                NOT_PROVABLE, f"{title}属于日志“{old.origin}”，文件夹属于“{checkpoint.origin}”；不是同一份日志。"
            )
        elif old.size > checkpoint.size:
            findings.add(
                NOT_PROVABLE,
                f"{title}证明日志曾有 {old.size} 条，文件夹只到 {checkpoint.size} 条；请索取最新的文件夹。"
                "如果对方说这就是最新的，日志的末尾就是被截断了。",
            )
        else:
            claims.append(Claim(old.size, old.root, title))
    say(f"日志“{checkpoint.origin}”，{checkpoint.size:,} 条，连同它自己共核对 {len(claims)} 个检查点。")
    root = Recomputation(Tiles(folder), checkpoint.size, claims, receipts, findings).run()
    say(f"根哈希 {root.hex()}")


def say(message: str) -> None:
    """A line of the answer."""
    sys.stdout.write(message + "\n")


def load_keys(paths: list[Path]) -> list[Key]:
    """The keys in the files; raises Unreadable where none of them is a log's."""
    keys = [parse_key(line.strip()) for path in paths for line in read_text(path).splitlines() if line.strip()]
    if not any(key.kind == ED25519 for key in keys):
        raise Unreadable("公钥文件里没有日志的公钥")
    return keys


def load_checkpoints(paths: list[Path], keys: list[Key], findings: Findings) -> list[Checkpoint]:
    """Old checkpoints that a key has signed; what can't be used becomes a problem."""
    out = []
    for path in paths:
        try:
            old = read_checkpoint(path)
        except Unreadable as error:
            findings.add(CANNOT_READ, f"{error}。")
            continue
        if accept(old, keys, f"留存的检查点 {path.name}", findings):
            out.append(old)
    return out


def load_receipts(pairs: list[tuple[Path, Path]], keys: list[Key], findings: Findings) -> list[Receipt]:
    """Receipts that prove their events; what can't be used becomes a problem."""
    out = []
    for path, event in pairs:
        try:
            receipt = parse_receipt(path, event)
        except Unreadable as error:
            findings.add(CANNOT_READ, f"{error}。")
            continue
        if check_receipt(receipt, keys, findings):
            out.append(receipt)
    return out


def main(argv: list[str] | None = None) -> int:
    """Runs the checks that the arguments ask for; the exit code is the verdict."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="核对审计日志的瓦片文件夹、检查点和收据。退出码：0 完整，7 已被改动，8 无法证明，9 无法读取，2 用法。",
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="瓦片文件夹；只核对收据时可以不写。")
    parser.add_argument(
        "--vkey",
        action="append",
        required=True,
        type=Path,
        metavar="FILE",
        help="从外部取得的公钥文件，一行一个，见证的公钥也可以；可写多次。",
    )
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, metavar="OLD", help="自己以前留存的检查点；可写多次。"
    )
    parser.add_argument(
        "--receipt", action="append", default=[], type=Path, metavar="R", help="收据，与 --event 成对。"
    )
    parser.add_argument(
        "--event", action="append", default=[], type=Path, metavar="E", help="收据的事件（原样的文件）。"
    )
    arguments = parser.parse_args(argv)
    if len(arguments.receipt) != len(arguments.event):
        parser.error("--receipt 和 --event 要成对给出。")
    if arguments.folder is None and not arguments.receipt:
        parser.error("请给出瓦片文件夹，或 --receipt 和 --event。")
    if arguments.folder is None and arguments.checkpoint:
        parser.error("--checkpoint 要和瓦片文件夹一起用。")
    try:
        keys = load_keys(arguments.vkey)
    except Unreadable as error:
        parser.error(f"{error}。")
    findings = Findings()
    olds = load_checkpoints(arguments.checkpoint, keys, findings)
    receipts = load_receipts(list(zip(arguments.receipt, arguments.event, strict=True)), keys, findings)
    if arguments.folder is not None:
        try:
            check_folder(arguments.folder, keys, olds, receipts, findings)
        except Unreadable as error:
            findings.add(CANNOT_READ, f"{error}。")
    say(TITLES[findings.verdict])
    for _, message in findings.problems:
        say(f"- {message}")
    more = sum(findings.counts.values()) - len(findings.problems)
    if more:
        say(f"- 另有 {more} 个问题没有逐一列出。")
    return findings.verdict


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A Windows console may have a code page without Chinese; what is written to a file should be UTF-8, too.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("已取消；没有结论。")
