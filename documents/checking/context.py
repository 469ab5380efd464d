"""What a rule sees: the content, what waits for confirmation, the settings, and the projects and indicators located."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from documents.checking.corpus import Neighbours
from documents.checking.schemes import Pair, Scheme
from documents.checking.settings import CheckSettings
from documents.checking.wording import owner
from models.content import BudgetText, Indicator, Project
from models.findings import ReadingFinding


@dataclass(frozen=True)
class Unconfirmed:
    """A value that a reader repaired and nobody has confirmed: where (pointer or anchor), as read, as repaired."""

    place: str
    raw: str
    repaired: str


@dataclass(frozen=True)
class Surroundings:
    """What stands around a content: a rule that needs a part that is not there objects to nothing.

    ``read`` is what the reader reported of the file, as long as the content is still the one that was read;
    ``last_year`` the department's text of the year before; ``neighbours`` the other departments' texts of the year.
    """

    read: tuple[ReadingFinding, ...] = ()
    last_year: BudgetText | None = None
    neighbours: Neighbours | None = None


@dataclass(frozen=True, slots=True)
class LocatedProject:
    """A project and the pointer to it."""

    content: BudgetText
    place: str
    project: Project

    @property
    def name(self) -> str:
        """How messages call the project."""
        return owner(self.content, self.place[1:].split("/"))


@dataclass(frozen=True, slots=True)
class LocatedIndicator:
    """An indicator, the pointer to it, its pair in the scheme of the year (None: not legal), and its project.

    ``located`` is None for an indicator of the whole department.
    """

    content: BudgetText
    place: str
    indicator: Indicator
    pair: Pair | None
    located: LocatedProject | None

    @property
    def name(self) -> str:
        """How messages call the indicator."""
        return owner(self.content, self.place[1:].split("/"))


@dataclass(frozen=True)
class Context:
    """Everything that a rule may look at; rules are pure functions of it."""

    content: BudgetText
    settings: CheckSettings
    unconfirmed: tuple[Unconfirmed, ...] = ()
    surroundings: Surroundings = Surroundings()

    @cached_property
    def scheme(self) -> Scheme:
        """The indicator scheme of the text's year."""
        return self.settings.scheme(self.content.fiscal_year)

    @cached_property
    def projects(self) -> tuple[LocatedProject, ...]:
        """The projects in their order."""
        return tuple(
            LocatedProject(self.content, f"/projects/{number}", project)
            for number, project in enumerate(self.content.projects)
        )

    @cached_property
    def indicators(self) -> tuple[LocatedIndicator, ...]:
        """The indicators of the department, then those of each project, in their order."""
        return tuple(self._located())

    def of_project(self, located: LocatedProject) -> tuple[LocatedIndicator, ...]:
        """The indicators of one project."""
        return self._by_place.get(located.place, ())

    @cached_property
    def _by_place(self) -> dict[str, tuple[LocatedIndicator, ...]]:
        groups: dict[str, list[LocatedIndicator]] = {}
        for item in self.indicators:
            if item.located is not None:
                groups.setdefault(item.located.place, []).append(item)
        return {place: tuple(items) for place, items in groups.items()}

    def _located(self) -> Iterator[LocatedIndicator]:
        for number, indicator in enumerate(self.content.overall.indicators):
            yield self._locate(f"/overall/indicators/{number}", indicator, None)
        for located in self.projects:
            for number, indicator in enumerate(located.project.indicators):
                yield self._locate(f"{located.place}/indicators/{number}", indicator, located)

    def _locate(self, place: str, indicator: Indicator, located: LocatedProject | None) -> LocatedIndicator:
        pair = self.scheme.pair(indicator.level1, indicator.level2)
        return LocatedIndicator(self.content, place, indicator, pair, located)
