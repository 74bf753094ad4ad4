"""`SweepSettings`: a sweep file."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from distxml.config.base import Settings
from distxml.config.locations import is_uri
from distxml.config.sweep.objective import ObjectiveSettings
from distxml.config.sweep.parameter import RANGES, Parameter

Parameters = dict[str, Parameter]


class SearchSettings(Settings):
    """How the next trial's values are chosen."""

    kind: Literal["grid", "random", "tpe"] = "tpe"
    """`grid`: every combination. `random`: seeded draws. `tpe`: Optuna's tree-structured Parzen estimator, also for
    several objectives and with limits."""
    seed: int = Field(default=0, ge=0)
    """Of the draws. What TPE proposes also depends on the order in which trials end."""
    startup: int = Field(default=8, ge=1)
    """Trials that TPE draws at random before it learns from them."""


class SchedulerSettings(Settings):
    """Which trials are stopped before their end."""

    kind: Literal["none", "asha", "pbt"] = "none"
    """`asha`: asynchronous successive halving, which counts epochs of the joint phase and never stops a trial before
    it. `pbt` is refused: it changes a trial's settings in the middle of the joint phase, so that no recipe leads to its
    weights."""
    grace: int = Field(default=3, ge=1)
    """Epochs of the joint phase that every trial may make."""
    factor: float = Field(default=3, gt=1)
    """After `grace`, `grace·factor`, `grace·factor²`, ... epochs only the best 1/`factor` of the trials continue."""

    @field_validator("kind")
    @classmethod
    def _no_pbt(cls, kind: str) -> str:
        if kind == "pbt":
            raise ValueError(
                "population-based training would change a trial's settings in the middle of the joint phase, and no "
                "recipe would lead to the weights that it ends with; use asha or none"
            )
        return kind


class BudgetSettings(Settings):
    """When the sweep ends."""

    trials: int | None = Field(default=None, ge=1)
    """Most trials (of each step). Unset: a grid's combinations."""
    minutes: float | None = Field(default=None, gt=0)
    """Then trials that still run are stopped. Time before an interruption counts."""


class StepSettings(Settings):
    """One of several searches after each other; each starts from the best trial of those before it."""

    parameters: Parameters = Field(min_length=1)
    """See the sweep's `parameters`."""


class SweepSettings(Settings):
    """A search over the settings of a recipe."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]*$")
    """Folder of the sweep."""
    folder: Path = Path("runs")
    """Parent of the sweep's folder. On a cluster: a path that every node shares."""
    recipe: str = Field(min_length=1)
    """Base recipe of all trials: a packaged one's name, or a YAML file (also the `best.yaml` of another sweep)."""
    settings: dict[str, Any] = Field(default={})
    """Settings of the recipe that all trials share, by their dotted names; `scaling.workers`, `scaling.cpus_per_worker`
    and `scaling.gpus_per_worker` say what a trial takes."""
    parameters: Parameters = Field(default={})
    """What is searched: dotted settings of the recipe, such as `loss.beta: {uniform: [0.5, 1]}`."""
    steps: tuple[StepSettings, ...] = ()
    """Instead of `parameters`: searches after each other, as the paper's α₃ (`phases.joint.alpha`), then β, then γ."""
    search: SearchSettings = SearchSettings()
    """How values are chosen."""
    scheduler: SchedulerSettings = SchedulerSettings()
    """Which trials are stopped early."""
    objective: ObjectiveSettings
    """What the best trial is best at."""
    budget: BudgetSettings = BudgetSettings()
    """When the sweep ends."""
    concurrency: int | None = Field(default=None, ge=1)
    """Most trials at once. Unset: as many as fit on the cluster, and some more that wait, prepared, for workers."""
    store: Path | None = None
    """Folder of phases that trials share, of this sweep and others. Unset: `phases` beside the sweep's folder."""

    @field_validator("folder", "store", mode="before")
    @classmethod
    def _on_a_disk(cls, folder: object) -> object:
        if is_uri(str(folder)):
            raise ValueError("a sweep lies on a disk that every node shares, not in object storage; name a path")
        return folder

    share_phases: bool = True
    """Whether a phase that two trials have in common is trained once."""
    retries: int = Field(default=2, ge=0)
    """How often a trial whose process or node was lost is started again; it resumes from its newest checkpoint."""

    @property
    def path(self) -> Path:
        """The sweep's folder."""
        return self.folder / self.name

    @property
    def all_steps(self) -> tuple[Parameters, ...]:
        """The parameters of each step; of the only one where there are no `steps`."""
        return tuple(step.parameters for step in self.steps) or (self.parameters,)

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if bool(self.steps) == bool(self.parameters):
            raise ValueError("give either parameters or steps")
        if self.steps and self.objective.is_multiple:
            raise ValueError("steps start from the best trial, and several objectives have none: use combine: sum")
        return self

    @model_validator(mode="after")
    def _conditions_come_after(self) -> Self:
        for parameters in self.all_steps:
            names = list(parameters)
            for index, (name, parameter) in enumerate(parameters.items()):
                late = [other for other in parameter.when if other in names[index:]]
                if late:
                    raise ValueError(f"parameters: {name} depends on {late[0]}, which must stand before it")
        return self

    @model_validator(mode="after")
    def _search_suits_parameters(self) -> Self:
        is_grid = self.search.kind == "grid"
        for parameters in self.all_steps:
            for name, parameter in parameters.items():
                if is_grid and parameter.kind in RANGES:
                    raise ValueError(f"parameters: {name} is a range, of which a grid search has no list; use grid")
                if not is_grid and parameter.kind == "grid":
                    raise ValueError(f"parameters: {name} is a grid, for search.kind grid; use choice")
        if not is_grid and self.budget.trials is None:
            raise ValueError("budget.trials is missing: nothing else is sure to end a search that is no grid")
        return self

    @model_validator(mode="after")
    def _asha_needs_one_number(self) -> Self:
        if self.scheduler.kind == "asha" and self.objective.is_multiple:
            raise ValueError("scheduler asha compares trials by one number: use objective.combine sum, or no scheduler")
        return self
