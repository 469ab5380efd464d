"""A way to look into a reading, and where the sample texts are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from documents.reading import Reading
from models.content import to_json
from models.findings import ReadingFinding
from models.places import get

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLES = REPOSITORY / "examples"
EXPECTED = REPOSITORY / "tests" / "data" / "expected"


class Look:
    """A reading with its content as JSON and its findings by place."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.json: dict[str, Any] = to_json(reading.content)

    def __getitem__(self, place: str) -> Any:
        return get(self.json, place)

    def findings(self, code: str, place: str | None = None) -> list[ReadingFinding]:
        return [item for item in self.reading.findings if item.code == code and (place is None or item.place == place)]

    def one(self, code: str, place: str | None = None) -> ReadingFinding:
        found = self.findings(code, place)
        assert len(found) == 1, [item.to_json() for item in self.reading.findings]
        return found[0]

    @property
    def codes(self) -> set[str]:
        return {item.code for item in self.reading.findings}
