"""Numbers that rules compare with, each with the default that most counties keep."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Thresholds(BaseModel):
    """The thresholds of the rules; a settings file gives only those that differ.

    ``year_factor``: how many times last year's value is far from it (F004). ``copy_similarity``: percent of equal
    characters from which words count as a copy, and ``copy_length``: characters below which words are too common to be one
    (R003, F005). ``same_basis``: indicators of a project from which one basis for all is suspicious (C006).
    ``boilerplate_share``: percent of stock phrases from which safeguards say nothing of their own (F005).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    year_factor: Annotated[float, Field(gt=1, le=1000, allow_inf_nan=False)] = 2.0
    copy_similarity: Annotated[float, Field(ge=80, le=100, allow_inf_nan=False)] = 95.0
    copy_length: Annotated[int, Field(ge=4, le=1000)] = 12
    same_basis: Annotated[int, Field(ge=2, le=1000)] = 3
    boilerplate_share: Annotated[float, Field(ge=50, le=100, allow_inf_nan=False)] = 75.0

    def overridden(self, by: Thresholds) -> Thresholds:
        """These thresholds with the ones that ``by`` was given explicitly."""
        return self.model_copy(update={name: getattr(by, name) for name in by.model_fields_set})
