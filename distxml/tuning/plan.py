"""The plan of a sweep: which trial comes next, in which step, and when there are no more."""

from dataclasses import dataclass
from enum import Enum

from distxml.config import Recipe
from distxml.config.sweep import SweepSettings
from distxml.tuning.objective import Objective
from distxml.tuning.records import TrialRecord
from distxml.tuning.searches import Assignment, GridSearch, RandomSearch, Search, Space, TpeSearch


class NoTrial(Enum):
    """Why there is no next trial now."""

    WAIT = "the step before has to end first"
    OVER = "there are no more"


@dataclass(frozen=True)
class Proposal:
    """A trial to make: the step it belongs to, and all that the search has chosen, in earlier steps too."""

    step: int
    settings: Assignment


class SweepPlan:
    """Steps after each other; a sweep without steps has one."""

    def __init__(self, sweep: SweepSettings, base: Recipe, known: list[TrialRecord]) -> None:
        """`known`: trials from before an interruption, by number."""
        self.objective = Objective(sweep.objective)
        self.sweep = sweep
        self.records: list[TrialRecord] = []
        self._searches = [self._search(Space(parameters, base), len(known)) for parameters in sweep.all_steps]
        for record in known:
            place = self._place_of_next(record.step)
            self.records.append(record)
            self._searches[record.step].replay(place, record.settings)
            if record.is_over:
                self._tell(record)

    def next(self) -> Proposal | NoTrial:
        """What to try next."""
        for step, search in enumerate(self._searches):
            place = self._place_of_next(step)
            if self._is_used_up(place):
                continue
            if any(not record.is_over for record in self.records if record.step < step):
                return NoTrial.WAIT
            best = self._best_before(step)
            if best is None:
                return NoTrial.OVER
            chosen = search.propose(place, best)
            if chosen is not None:
                return Proposal(step, best | chosen)
        return NoTrial.OVER

    def add(self, record: TrialRecord) -> None:
        """The trial that was proposed last."""
        self.records.append(record)

    def over(self, record: TrialRecord) -> None:
        """One of the trials is over."""
        self._tell(record)

    def max_trials(self) -> int | None:
        """How many there may be; None where only the budget of time says."""
        counts = [self._max_of(step, search) for step, search in enumerate(self._searches)]
        return sum(count or 0 for count in counts) or None

    def _max_of(self, step: int, search: Search) -> int | None:
        """What later steps may try depends on what the earlier ones choose: then the most that it can be."""
        if not isinstance(search, GridSearch):
            return self.sweep.budget.trials
        combinations = search.space.max_combinations() if step else len(search.space.grid({}))
        return min(filter(None, (self.sweep.budget.trials, combinations)))

    def _is_used_up(self, place: int) -> bool:
        return self.sweep.budget.trials is not None and place >= self.sweep.budget.trials

    def _best_before(self, step: int) -> Assignment | None:
        """The values of the best trial of earlier steps; None where none of the step before has finished."""
        if step == 0:
            return {}
        known = [(record.score, -record.number, record) for record in self.records if record.step < step]
        scored = [one for one in known if one[0] is not None and one[2].status == "finished"]
        return dict(max(scored, key=lambda one: one[:2])[2].settings) if scored else None

    def _tell(self, record: TrialRecord) -> None:
        places = [other.number for other in self.records if other.step == record.step]
        self._searches[record.step].tell(places.index(record.number), record, self.objective.score(record.metrics))

    def _place_of_next(self, step: int) -> int:
        return sum(record.step == step for record in self.records)

    def _search(self, space: Space, known: int) -> Search:
        settings = self.sweep.search
        if settings.kind == "grid":
            return GridSearch(space)
        if settings.kind == "random":
            return RandomSearch(space, settings.seed)
        objective = self.sweep.objective
        objectives = len(objective.metrics) if objective.is_multiple else 1
        limited = bool(objective.limits)
        return TpeSearch(space, settings, objectives, limited and objective.is_multiple, known)
