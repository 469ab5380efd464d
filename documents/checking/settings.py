"""What the checker takes from configuration: schemes by year, required fields, severities, thresholds, rules switched off."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from documents.checking.fields import REQUIRED_FIELDS, RequiredField
from documents.checking.schemes import FIRST_YEAR, LAST_YEAR, SCHEME_A, SCHEME_B, Scheme
from documents.checking.thresholds import Thresholds
from models.content import Department
from models.findings import Severity

# Approval binds to values that a person has confirmed; no county can do without that.
NEVER_OFF: Final = frozenset({"C007"})
RuleCode = Annotated[str, Field(pattern=r"^[ACFRT][0-9]{3}$")]


class RuleSetting(BaseModel):
    """How one rule is applied: another severity, or ``disabled`` with the reason why it is not applied at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity | None = None
    disabled: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.disabled is not None and not any(character.isalnum() for character in self.disabled):
            raise ValueError('停用规则要写明理由，例如 disabled = "本县项目没有这一类指标"')
        if self.disabled is not None and self.severity is not None:
            raise ValueError("停用的规则不必再定级别，severity 和 disabled 请只写一项")
        return self


class OrganizationSetting(BaseModel):
    """What differs for one department, named by its name or by the first digits of its unit code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: dict[RuleCode, RuleSetting] = {}
    thresholds: Thresholds = Thresholds()
    required_checkpoints: tuple[str, ...] | None = None


class BudgetList(BaseModel):
    """The projects of a department's approved budget in one year, by name or by code (check C003)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    year: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    department: Annotated[str, Field(min_length=1)]
    projects: tuple[str, ...]


class CheckSettings(BaseModel):
    """Settings of one county; ``CheckSettings.model_validate`` takes them as decoded YAML or JSON.

    ``rules`` changes severities and switches rules off, ``organizations`` does so for one department.
    ``division`` is the six-digit code that project codes must begin with; without it the codes of one text only have to
    agree with one another. ``required_checkpoints`` are names such as 3月底 that each spending plan must contain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schemes: tuple[Scheme, ...] = (SCHEME_A, SCHEME_B)
    required_fields: tuple[RequiredField, ...] = REQUIRED_FIELDS
    required_checkpoints: tuple[str, ...] = ()
    division: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None
    rules: dict[RuleCode, RuleSetting] = {}
    thresholds: Thresholds = Thresholds()
    organizations: dict[str, OrganizationSetting] = {}
    budget_lists: tuple[BudgetList, ...] = ()
    # Names of neighbouring areas, which nobody writes of but in a text taken from there (R004).
    other_areas: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _confirmation_stays(self) -> Self:
        for rules in (self.rules, *(item.rules for item in self.organizations.values())):
            for code in NEVER_OFF & rules.keys():
                if rules[code].disabled is not None or rules[code].severity not in (None, Severity.ERROR):
                    raise ValueError(f"规则 {code} 不能停用，也不能降级：修正的值必须由人确认后才能报送")
        return self

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

    def for_department(self, department: Department) -> CheckSettings:
        """The settings with what the file says for one department; the longest fitting code wins over a shorter one."""
        fitting = [name for name in self.organizations if is_named(department, name)]
        if not fitting:
            return self
        own = self.organizations[max(fitting, key=lambda name: (name.isdigit(), len(name)))]
        return self.model_copy(
            update={
                "rules": {**self.rules, **own.rules},
                "thresholds": self.thresholds.overridden(own.thresholds),
                "required_checkpoints": (
                    self.required_checkpoints if own.required_checkpoints is None else own.required_checkpoints
                ),
            }
        )


def is_named(department: Department, name: str) -> bool:
    """Whether a department is meant by a name, or by the first digits of its unit code."""
    wanted = "".join(name.split())
    if wanted.isascii() and wanted.isdigit():
        return any((code or "").startswith(wanted) for code in (department.unit_code, department.code))
    return wanted in ("".join(department.name.split()), "".join((department.unit_name or "").split()))


DEFAULT: Final = CheckSettings()
