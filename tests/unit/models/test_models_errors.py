from __future__ import annotations

import pytest

from models import errors
from models.errors import EXIT_CODES, GuardFailed, JixiaoError, exit_code

# Architecture, section 5: 0 done, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 conflict, 6 check or guard failed,
# 7 integrity check failed.
WANTED = {
    "JixiaoError": 1,
    "DeliveryError": 1,
    "DatabaseUnavailable": 1,
    "InvalidInput": 2,
    "NotFound": 3,
    "NotAllowed": 4,
    "Conflict": 5,
    "InvalidTransition": 6,
    "GuardFailed": 6,
    "LogCorrupt": 7,
}
CLASSES = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, JixiaoError)]


def made(cls: type[JixiaoError]) -> JixiaoError:
    return (
        GuardFailed("一句话。", ["一", "二"], action="submit")
        if cls is GuardFailed
        else cls("一句话。", action="submit")
    )


def test_every_class_has_its_exit_code() -> None:
    assert {cls.__name__: EXIT_CODES[cls] for cls in CLASSES} == WANTED
    assert {cls.__name__: exit_code(made(cls)) for cls in CLASSES} == WANTED


def test_codes_are_stable_and_told_apart() -> None:
    assert sorted(cls.code for cls in CLASSES) == sorted(
        [
            "error",
            "not_found",
            "not_allowed",
            "invalid_transition",
            "guard_failed",
            "conflict",
            "invalid_input",
            "delivery_error",
            "log_corrupt",
            "database_unavailable",
        ]
    )


@pytest.mark.parametrize("cls", CLASSES)
def test_error_keeps_its_message_and_facts(cls: type[JixiaoError]) -> None:
    error = made(cls)
    assert str(error) == error.message == "一句话。"
    assert error.facts["action"] == "submit"


def test_refusal_lists_its_reasons() -> None:
    error = made(GuardFailed)
    assert isinstance(error, GuardFailed)
    assert error.reasons == error.facts["reasons"] == ["一", "二"]


def test_new_class_takes_the_code_of_its_base() -> None:
    class Stale(errors.Conflict):
        pass

    assert exit_code(Stale("旧。")) == 5
