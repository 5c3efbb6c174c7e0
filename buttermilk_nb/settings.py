"""The settings of a project, from `buttermilk.yaml`. A project without the file has the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from . import _yaml
from ._declared import declared_wrongly
from .errors import SetupError

FILE = "buttermilk.yaml"
CacheMode = Literal["use", "refresh", "only", "off"]
CACHE_MODES: tuple[CacheMode, ...] = ("use", "refresh", "only", "off")


class Settings(BaseModel):
    """What a project may set.

    Parameters
    ----------
    name
        The project's name.
    sets
        Named sets of models. `judges` is used wherever a judge names none.
    concurrency
        How many calls may be in flight at once.
    timeout_s
        Seconds that one call may take.
    grace_s
        Seconds that calls in flight get to finish after the first Ctrl-C.
    lock_wait_s
        Seconds to wait for another process that is writing to the DuckDB file.

    Examples
    --------
    >>> Settings(name="study").sets["judges"]
    ['offline/strict', 'offline/lenient']
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sets: dict[str, list[str]] = Field(default_factory=lambda: {"judges": ["offline/strict", "offline/lenient"]})
    concurrency: int = Field(default=32, ge=1, le=4096)
    timeout_s: float = Field(default=120.0, gt=0)
    grace_s: float = Field(default=20.0, ge=0)
    lock_wait_s: float = Field(default=30.0, ge=0)

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip() or value in (".", "..") or any(c in value for c in '/\\:*?"<>|\0'):
            raise ValueError(f"`{value}` cannot be a project's name; it becomes a folder")
        return value

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Read a settings file.

        Raises
        ------
        SetupError
            The file is not valid YAML, or sets something that there is not.
        """
        data = _yaml.load(path)
        if not isinstance(data, dict):
            raise SetupError(f"`{path.name}` is not a list of `setting: value` lines.")
        return cls.checked(data, path.name)

    @classmethod
    def checked(cls, data: dict[str, Any], where: str) -> Settings:
        """Settings from plain data; one sentence for each mistake."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise declared_wrongly(f"`{where}`", error, cls.model_fields) from None

    def write(self, path: Path) -> None:
        """Write the file whole: beside its place first, so that a crash leaves the old one."""
        fresh = path.with_name(f".{path.name}.new")
        kept = self.model_dump(exclude_defaults=True) | {"name": self.name, "sets": self.sets}
        fresh.write_text(_yaml.dumps(kept), encoding="utf-8")
        fresh.replace(path)


def find_upwards(start: Path) -> list[Path]:
    """Every folder from `start` upwards that holds a settings file, the nearest first."""
    return [folder for folder in (start, *start.parents) if (folder / FILE).is_file()]
