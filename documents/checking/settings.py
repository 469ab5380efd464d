"""What the checker takes from configuration: schemes by year, required fields and checkpoints, the division code."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from documents.checking.fields import REQUIRED_FIELDS, RequiredField
from documents.checking.schemes import FIRST_YEAR, LAST_YEAR, SCHEME_A, SCHEME_B, Scheme


class CheckSettings(BaseModel):
    """Settings of one county; ``CheckSettings.model_validate`` takes them as decoded YAML or JSON.

    ``division`` is the six-digit code that project codes must begin with; without it the codes of one text only have to
    agree with one another. ``required_checkpoints`` are names such as 3月底 that each spending plan must contain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schemes: tuple[Scheme, ...] = (SCHEME_A, SCHEME_B)
    required_fields: tuple[RequiredField, ...] = REQUIRED_FIELDS
    required_checkpoints: tuple[str, ...] = ()
    division: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None

    @model_validator(mode="after")
    def _every_year_has_one_scheme(self) -> Self:
        # A year without a scheme could not be judged, and a year with two would be judged by the order of the list.
        expected = FIRST_YEAR
        for scheme in sorted(self.schemes, key=lambda item: item.since):
            if scheme.since != expected or scheme.until < scheme.since:
                raise ValueError(f"指标体系应从 {FIRST_YEAR} 年到 {LAST_YEAR} 年首尾相接，在 {expected} 年处不相接")
            expected = scheme.until + 1
        if expected != LAST_YEAR + 1:
            raise ValueError(f"指标体系应从 {FIRST_YEAR} 年到 {LAST_YEAR} 年首尾相接，{expected} 年起没有指标体系")
        return self

    def scheme(self, year: int) -> Scheme:
        """The indicator scheme of a fiscal year, 2000 to 2099."""
        return next(item for item in self.schemes if item.since <= year <= item.until)


DEFAULT: Final = CheckSettings()
