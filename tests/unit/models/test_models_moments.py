"""Times as text, ids by time, and canonical bytes: the small spellings that everything else is built from."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base import UtcTime, parse_timestamp, timestamp
from models.canonical import canonical_bytes, digest, without_empty
from models.errors import InvalidInput
from models.ids import new_id

NOW = datetime(2026, 2, 14, 15, 30, 0, 1, tzinfo=UTC)
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)  # noqa: DTZ001 -- hypothesis asks so


class Nowhere(tzinfo):
    def utcoffset(self, moment: datetime | None) -> None:
        return None


@given(moments)
def test_time_survives_its_spelling(moment: datetime) -> None:
    text = timestamp(moment)
    assert len(text) == 27
    assert parse_timestamp(text) == moment
    assert parse_timestamp(text).utcoffset() == timedelta(0)
    assert timestamp(parse_timestamp(text)) == text


@given(moments, moments)
def test_times_sort_as_text(one: datetime, other: datetime) -> None:
    assert (timestamp(one) < timestamp(other)) == (one < other)


def test_time_is_written_in_utc() -> None:
    assert timestamp(NOW) == "2026-02-14T15:30:00.000001Z"
    assert timestamp(NOW.astimezone(timezone(timedelta(hours=8)))) == "2026-02-14T15:30:00.000001Z"


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=Nowhere())])  # noqa: DTZ001
def test_naive_time_is_refused(moment: datetime) -> None:
    with pytest.raises(ValueError, match="naive"):
        timestamp(moment)
    with pytest.raises(TypeError):
        new_id(moment)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-14T15:30:00Z",
        "2026-02-14T15:30:00.1Z",
        "2026-02-14 15:30:00.000001Z",
        "2026-02-14T15:30:00.000001",
        "2026-02-14T15:30:00.000001+00:00",
        "2026-02-14T23:30:00.000001+08:00",
        "2026-2-14T15:30:00.000001Z",
        "２０２６-02-14T15:30:00.000001Z",
        "2026-02-30T15:30:00.000001Z",
        "2026-02-14T15:30:00.000001Z\n",
        "",
    ],
)
def test_other_spellings_of_a_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_timestamp(text)


def test_absent_time_stays_absent() -> None:
    column: Any = UtcTime()
    assert column.process_bind_param(None, None) is None
    assert column.process_result_value(None, None) is None


# Ids


def test_id_is_a_version_7_uuid() -> None:
    made = uuid.UUID(new_id(NOW))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert str(made) == new_id(NOW)[:14] + str(made)[14:]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_id_holds_its_millisecond_exactly(moment: datetime) -> None:
    milliseconds = uuid.UUID(new_id(moment)).int >> 80
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert milliseconds == exact


def test_ids_sort_by_time_as_text() -> None:
    made = [new_id(NOW + timedelta(milliseconds=step)) for step in range(200)]
    assert made == sorted(made)


def test_ids_of_one_moment_are_unique_and_keep_their_order() -> None:
    made = [new_id(NOW) for _ in range(5000)]
    assert made == sorted(set(made))


def test_ids_of_many_threads_are_unique() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(new_id(NOW) for _ in range(500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(made) == 4000


# Canonical bytes

values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('abcé中\t"\\/', max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_canonical_bytes_are_those_of_the_standard_library(value: Any) -> None:
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_bytes(value) == plain.encode()


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, {1: 1}, 2**64, object(), b"x"], ids=range(6))
def test_what_json_cannot_hold_is_invalid_input(value: Any) -> None:
    with pytest.raises(InvalidInput):
        canonical_bytes(value)


def test_digest_is_sha256_in_lower_case() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_without_empty_keeps_zero_false_and_positions() -> None:
    value = {
        "a": None,
        "b": "",
        "c": [],
        "d": {},
        "e": 0,
        "f": False,
        "g": [None, "", {"x": None}],
        "h": {"y": {"z": ""}},
    }
    assert without_empty(value) == {"e": 0, "f": False, "g": [None, "", {}]}
