"""How much of each layout and kind of file is read right: fields right, wrong, missed and invented, with the list of them.

What is expected stands in tests/data/expected (labels read by eye) and in the made forms of the tests; a long text is kept
as the first 16 digits of its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from documents.reading import Limits, Reading, ReadResult, read_file, read_text
from models.content import to_json
from models.errors import InvalidInput

ROOT = Path(__file__).parents[1]
EXPECTED = ROOT / "tests" / "data" / "expected"
SAMPLES = Path(os.environ.get("JIXIAO_SAMPLES", ROOT.parent / "shared" / "samples"))
SEED = Path(os.environ.get("JIXIAO_SEED", ROOT.parent / "shared" / "seed-2021-kexie.txt"))
# The files and the made forms are those of the tests.
sys.path.append(str(ROOT / "tests" / "unit" / "reading"))
LIMITS = Limits(seconds=120)
# What is kept without a label of its own is reported by findings, and is no field.
_LOOSE = "表中文字"


@dataclass(frozen=True)
class Fidelity:
    """Places of a reading: how many are right, and which are wrong (place, expected, read), missed, invented."""

    right: int
    wrong: tuple[tuple[str, Any, Any], ...]
    missed: tuple[str, ...]
    invented: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of right fields among all that are expected or read."""
        return self.right / max(1, self.right + len(self.wrong) + len(self.missed) + len(self.invented))


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The members of a content that hold something, without ids and extra members."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            if key not in ("id", "schema", "extra"):
                yield from leaves(member, f"{place}/{key}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for at, member in enumerate(value):
            yield from leaves(member, f"{place}/{at}")
    else:
        yield place, value


def extras(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The extra members with labels, as place of their owner and label, and their value."""
    owners: list[tuple[str, Mapping[str, Any]]] = [("", content)]
    owners += [(f"/projects/{at}", project) for at, project in enumerate(content.get("projects", []))]
    for place, owner in owners:
        for item in owner.get("extra", []):
            if item.get("label") not in (_LOOSE, "封面"):
                yield f"{place}/extra[{item.get('label')}]", item.get("value", "")


def judged(content: Mapping[str, Any], expected: Mapping[str, Any]) -> Fidelity:
    """A content in JSON beside the ``fields`` and ``extra`` of an expected file."""
    read = dict(leaves(content))
    wanted = dict(expected["fields"])
    kept = list(extras(content))
    for place, label, value in expected.get("extra", ()):
        key = f"{place}/extra[{label}]"
        fitting = next((pair for pair in kept if pair[0] == key and _same(pair[1], value)), None)
        wanted[key] = value
        if fitting is not None:
            read[key] = fitting[1]
    right, wrong, missed = 0, [], []
    for place, value in wanted.items():
        if place not in read:
            missed.append(place)
        elif _same(read[place], value):
            right += 1
        else:
            wrong.append((place, value, read[place]))
    return Fidelity(right, tuple(wrong), tuple(missed), tuple(place for place in read if place not in wanted))


def _same(read: Any, wanted: Any) -> bool:
    """Whether a value is the one wanted: any of several where a careful reader can't tell, or that of a hash."""
    if isinstance(wanted, list):
        return any(_same(read, one) for one in wanted)
    if isinstance(wanted, str) and wanted.startswith("sha256:"):
        return hashlib.sha256(str(read).encode()).hexdigest().startswith(wanted.removeprefix("sha256:"))
    return bool(read == wanted)


def expected_of(name: str) -> dict[str, Any]:
    """The expected file of a layout."""
    value: dict[str, Any] = json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))
    return value


def sample_names() -> list[str]:
    """Names of the sample layouts that are at hand and labelled."""
    return sorted(path.stem for path in SAMPLES.glob("layout-*.txt") if (EXPECTED / f"{path.stem}.json").is_file())


def sample_reading(name: str) -> Reading:
    """A sample layout as it is read."""
    return read_text((SAMPLES / f"{name}.txt").read_bytes())


def rows() -> Iterator[tuple[str, str, Fidelity | str]]:
    """Kind of file, layout, and how it was read (a sentence where it was refused)."""
    import form_texts
    import made_files

    for name in sample_names():
        yield "text", name, judged(to_json(sample_reading(name).content), expected_of(name))
    texts = {"budget text": (ROOT / "examples" / "library-2021.txt").read_text(encoding="utf-8")}
    if SEED.is_file():
        texts["seed"] = SEED.read_text(encoding="utf-8")
    for name, text in texts.items():
        # The text form has a test of its own against labels; the other kinds must give the same.
        wanted = {"fields": dict(leaves(to_json(read_text(text.encode()).content)))}
        for kind, make in made_files.MAKERS.items():
            yield kind, name, _read(make(made_files.blocks_of(text)), wanted)
    for name, form in form_texts.FORMS.items():
        for kind, data in form_texts.files_of(form):
            yield kind, name, _read(data, form.expected)


def _read(data: bytes, expected: Mapping[str, Any]) -> Fidelity | str:
    try:
        result: ReadResult = read_file(data, limits=LIMITS)
    except InvalidInput as error:
        return str(error)
    return judged(to_json(result.content), expected)


def main() -> None:
    """Prints the table, and under it each field that is not right."""
    problems: list[str] = []
    print(f"{'kind':8} {'layout':16} {'right':>6} {'wrong':>6} {'missed':>6} {'new':>6} {'share':>8}")
    for kind, layout, fidelity in rows():
        if isinstance(fidelity, str):
            print(f"{kind:8} {layout:16} refused")
            problems.append(f"{kind} {layout}: {fidelity}")
            continue
        wrong, missed, new = len(fidelity.wrong), len(fidelity.missed), len(fidelity.invented)
        print(f"{kind:8} {layout:16} {fidelity.right:6} {wrong:6} {missed:6} {new:6} {fidelity.share:8.2%}")
        problems += [f"{kind} {layout}: {place} is {read!r}, not {value!r}" for place, value, read in fidelity.wrong]
        problems += [f"{kind} {layout}: {place} is missed" for place in fidelity.missed]
        problems += [f"{kind} {layout}: {place} is invented" for place in fidelity.invented]
    print("\n".join(problems) or "all fields are right")
