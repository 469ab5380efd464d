"""A short run of the fuzz target: whatever a reader meets, it reads or refuses. The long run is ``tests/fuzz``."""

from __future__ import annotations

import pytest
from damaged_files import SOURCES, damaged, read_or_refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.reading.sources.kinds import SourceKind

_EXAMPLES = {SourceKind.PDF: 20}


@pytest.mark.parametrize("kind", SOURCES)
def test_what_the_fuzz_starts_from_is_read(kind: SourceKind) -> None:
    assert read_or_refused(SOURCES[kind], kind)


@pytest.mark.parametrize("kind", SOURCES)
def test_damaged_files_are_read_or_refused(kind: SourceKind) -> None:
    @settings(
        deadline=None, max_examples=_EXAMPLES.get(kind, 60), suppress_health_check=list(HealthCheck), database=None
    )
    @given(damaged(kind))
    def run(data: bytes) -> None:
        read_or_refused(data, kind)

    run()


@pytest.mark.parametrize("kind", [*SOURCES, SourceKind.XLS])
@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=600))
def test_random_bytes_are_read_or_refused(kind: SourceKind, data: bytes) -> None:
    read_or_refused(data, kind)
