"""The settings of a project, from `buttermilk.yaml`.

A project without the file has the defaults. The code that calls models has no fixed time limit, number of retries or
spending limit: each is a setting here, with its default in one place, and can be changed for one model (`models:`), one
step or one run.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .._internal import yaml
from .._internal.validation_errors import validation_error
from ..errors import SetupError
from .model_settings import LOCAL_FAMILIES, Limits, ModelSettings, Number, Prices, WholeNumber

FILE = "buttermilk.yaml"
CacheMode = Literal["use", "refresh", "only", "off"]
CACHE_MODES: tuple[CacheMode, ...] = ("use", "refresh", "only", "off")

_LONGEST_NAME = 100
_NOT_IN_NAMES = '/\\:*?"<>|\0'


class Settings(BaseModel):
    """The settings of a project.

    Parameters
    ----------
    name
        The project's name.
    sets
        Named sets of models. `judges` is used if a judge names no models; you can choose other names: `synths`,
        `scorers`, `cheap`.
    models
        Settings of single models, by their full name or by a short name of your own; see `ModelSettings`.
    dotenv
        A file of `NAME=value` lines with keys, relative to the project's folder.
    concurrency
        The number of calls that may be in flight at once.
    timeout_s
        Seconds that one call may take.
    retries
        How often a call is sent again after a temporary failure.
    backoff_s, backoff_max_s
        Seconds before the first retry, doubled each time (with jitter), and the longest wait. If a provider asks for a
        longer wait, the call is not sent again.
    give_up_after
        After so many answers in a row that failed in spite of retries, a run stops calling that model. Calls that are
        already in flight still end.
    probe_s
        Seconds that a local model's server may take to name its models, before a run.
    share_limits
        Whether notebooks in other processes count towards the rate limits of this project too.
    budget_usd
        The most that the project may spend on calls, in US dollars; None for no limit.
    confirm_above
        A run that would send more new calls than this to remote models asks for confirmation (or needs `yes=True`).
    allow
        The providers that texts may be sent to; `bm.allow("...")` adds one.
    local_only
        Texts of this project are never sent to a remote provider.
    redact
        Regular expressions by name; `email: ready-made` is one of this package. Matches are redacted from texts before
        they are sent to a remote provider.
    grace_s
        Seconds that calls in flight may take to finish after the first Ctrl-C.
    lock_wait_s
        Seconds to wait for another process that is writing to the DuckDB file.
    keep_days
        The number of days that `project.evidence.purge()` keeps runs by default; None if it has no default.
    data_folder
        The folder of cache and traces, if it is not the project's folder: an absolute path, or `here` to keep them in
        the project's folder although it is on a sync or network drive.
    scripted
        The folder with the answers of `scripted/...` models, which were written for teaching, relative to the
        project's folder.

    Examples
    --------
    >>> Settings(name="study").sets["judges"]
    ['offline/strict', 'offline/lenient']
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sets: dict[str, list[str]] = Field(default_factory=lambda: {"judges": ["offline/strict", "offline/lenient"]})
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    dotenv: str | None = None
    concurrency: WholeNumber = Field(default=32, ge=1, le=4096)
    timeout_s: Number = Field(default=120.0, gt=0)
    retries: WholeNumber = Field(default=5, ge=0, le=100)
    backoff_s: Number = Field(default=1.0, gt=0)
    backoff_max_s: Number = Field(default=120.0, gt=0)
    give_up_after: WholeNumber = Field(default=20, ge=1)
    probe_s: Number = Field(default=5.0, gt=0)
    share_limits: bool = False
    budget_usd: Number | None = Field(default=5.0, ge=0)
    confirm_above: WholeNumber = Field(default=200, ge=0)
    allow: list[str] = Field(default_factory=list)
    local_only: bool = False
    redact: dict[str, str] = Field(default_factory=dict)
    grace_s: Number = Field(default=20.0, ge=0)
    lock_wait_s: Number = Field(default=30.0, ge=0)
    keep_days: WholeNumber | None = Field(default=None, ge=1)
    data_folder: str | None = None
    scripted: str | None = None

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if len(value) > _LONGEST_NAME:
            raise ValueError(
                f"`{value[:20]}…` cannot be a project's name, because it is also the name of a folder; choose one of "
                f"at most {_LONGEST_NAME} letters"
            )
        forbidden = "".join(dict.fromkeys(sign for sign in value if sign in _NOT_IN_NAMES))
        if not value.strip() or value in (".", "..") or forbidden:
            signs = f" without {' '.join(repr(sign)[1:-1] for sign in forbidden)}" if forbidden else ""
            raise ValueError(
                f"`{value}` cannot be a project's name, because it is also the name of a folder; choose one{signs}"
            )
        return value

    @model_validator(mode="after")
    def _check_models(self) -> Self:
        for name, entry in self.models.items():
            if name in self.sets:
                raise ValueError(f"`{name}` is both a set and a model; rename one of them")
            if entry.model is None and "/" not in name:
                raise ValueError(f"models: `{name}` does not name its model; add `model: family/model`")
            family = (entry.model or name).partition("/")[0]
            if entry.local and family not in LOCAL_FAMILIES:
                raise ValueError(
                    f"models: `{name}` is `local: true`, but calls of the family `{family}` cannot be kept on one "
                    "server; remove that line, or use a server with OpenAI's API as `hosted_vllm/...`"
                )
        return self

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Read a settings file.

        Raises
        ------
        SetupError
            The file is not valid YAML, or contains an unknown or invalid setting.
        """
        data = yaml.load(path)
        if not isinstance(data, dict):
            raise SetupError(f"`{path.name}` is not a list of `setting: value` lines.")
        return cls.from_dict(data, path.name)

    @classmethod
    def from_dict(cls, data: dict[str, Any], source: str) -> Settings:
        """Settings from plain data.

        Parameters
        ----------
        data
            The settings by name.
        source
            The name of their source, for messages.

        Raises
        ------
        SetupError
            A setting is unknown or invalid; one sentence for each mistake.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            names = [name for part in (cls, ModelSettings, Limits, Prices) for name in part.model_fields]
            raise validation_error(f"`{source}`", error, names) from None

    def scripted_folder(self, folder: Path) -> Path | None:
        """The folder of the answers of `scripted/...` models in the project's `folder`; it may not exist."""
        return Path(os.path.normpath(folder / self.scripted)) if self.scripted else None

    def write(self, path: Path) -> None:
        """Write the settings file; comments in it stay, and a crash leaves the old file."""
        values = self.model_dump(exclude_defaults=True) | {"name": self.name, "sets": self.sets}
        text = yaml.update(path.read_text(encoding="utf-8"), values) if path.is_file() else yaml.dumps(values)
        new_path = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with new_path.open("x", encoding="utf-8") as file:  # a new file, never a link that was there before
                file.write(text)
            new_path.replace(path)
        finally:
            new_path.unlink(missing_ok=True)


def find_upwards(start: Path) -> list[Path]:
    """Every folder from `start` upwards that contains a settings file, the nearest first."""
    return [folder for folder in (start, *start.parents) if (folder / FILE).is_file()]
