"""A short run of the fuzz target: whatever a reader meets, it reads or refuses. The long run is ``make fuzz``."""

from __future__ import annotations

import pytest
from damaged_files import KINDS, damaged, read_or_refused, source_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.reading.sources.kinds import SourceKind

_EXAMPLES = {SourceKind.PDF: 15}


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_fuzz_starts_from_is_read(kind: SourceKind) -> None:
    assert read_or_refused(source_of(kind), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(kind: SourceKind) -> None:
    @settings(
        deadline=None, max_examples=_EXAMPLES.get(kind, 40), suppress_health_check=list(HealthCheck), database=None
    )
    @given(damaged(kind))
    def run(data: bytes) -> None:
        read_or_refused(data, kind)

    run()


@pytest.mark.parametrize("kind", [*KINDS, SourceKind.XLS])
@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=600))
def test_random_bytes_are_read_or_refused(kind: SourceKind, data: bytes) -> None:
    read_or_refused(data, kind)
