"""`ConfirmedSettings`: the settings of a folder that the user of this computer has confirmed.

A project's folder may come from somebody else. Its `buttermilk.yaml` must not decide for this user who gets texts, at
which address a model is asked, and which key is sent there. Such settings count once the user has made them with
`bm.allow` or `bm.init`, or has confirmed them with `bm.trust`. What was confirmed is kept beside the user's own
settings, for each folder and each value: a value that changes afterwards must be confirmed again.

Limits on spending, prices and the place of the data are confirmed once for a folder, whatever their values: a user
who has made the folder here changes them in `buttermilk.yaml` without a question.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .._internal.addresses import is_this_machine
from .._internal.ids import canonical
from ..errors import SetupError
from .api_keys import key_variables
from .data_folder import IN_PROJECT
from .model_settings import LOCAL_FAMILIES, SELF_HOSTED_FAMILIES, ModelSettings
from .settings import FILE, Settings

_FILE = "confirmed_settings.json"
_OWN_SETTINGS = ("budget_usd", "confirm_above", "concurrency", "prices", "data_folder")
_VARIABLE_SOURCES = ("env", "dotenv", "keyring", "colab")


class SensitiveSetting(NamedTuple):
    """A setting that decides who gets texts or a key."""

    identity: str
    """The setting with its value, as it is kept."""
    sentence: str
    """What it does, in words."""
    recipient: str | None = None
    """The provider or host that it allows."""
    model: str | None = None
    """The model that it is about; None for all."""
    is_data_folder: bool = False
    """Whether it decides where cache and traces are kept, so that the project is not opened before."""


def sensitive_settings(settings: Settings) -> list[SensitiveSetting]:
    """The settings that the user must have made or confirmed.

    Examples
    --------
    >>> settings = Settings.from_dict({"name": "study", "allow": ["openai"]}, "an example")
    >>> [setting.sentence for setting in sensitive_settings(settings)]
    ['texts may be sent to `openai`']
    """
    return [*_allowed(settings), *_dotenv(settings), *_models(settings), *_limits(settings), *_data_folder(settings)]


def _allowed(settings: Settings) -> Iterator[SensitiveSetting]:
    for recipient in settings.allow:
        yield SensitiveSetting(
            canonical({"allow": recipient}), f"texts may be sent to `{recipient}`", recipient=recipient
        )


def _dotenv(settings: Settings) -> Iterator[SensitiveSetting]:
    if settings.dotenv:
        yield SensitiveSetting(
            canonical({"dotenv": settings.dotenv}), f"keys are read from the file `{settings.dotenv}`"
        )


def _models(settings: Settings) -> Iterator[SensitiveSetting]:
    for name, entry in settings.models.items():
        if sentence := _model_sentence(name, entry):
            values: dict[str, Any] = {
                "model": entry.model or name,
                **entry.model_dump(include={"api_base", "key", "local"}),
            }
            yield SensitiveSetting(canonical({"models": {name: values}}), sentence, model=name)


def _limits(settings: Settings) -> Iterator[SensitiveSetting]:
    """Settings by which more may be spent than by default, or without a question."""
    names = ("budget_usd", "confirm_above", "concurrency")
    budget, most_calls, most_at_once = (Settings.model_fields[name].default for name in names)
    if settings.budget_usd is None:
        yield SensitiveSetting(_own("budget_usd"), "the project may spend without a limit")
    elif settings.budget_usd > budget:
        yield SensitiveSetting(_own("budget_usd"), f"the project may spend up to ${settings.budget_usd:,.2f}")
    if settings.confirm_above > most_calls:
        yield SensitiveSetting(
            _own("confirm_above"), f"runs of up to {settings.confirm_above:,} new calls start without a question"
        )
    if settings.concurrency > most_at_once:
        yield SensitiveSetting(
            _own("concurrency"), f"up to {settings.concurrency:,} calls are in flight when a budget is reached"
        )
    for name, entry in settings.models.items():
        if entry.prices:
            yield SensitiveSetting(
                _own("prices"),
                f"`{name}` costs ${entry.prices.input:,g} per million tokens that it reads, and "
                f"${entry.prices.output:,g} per million that it writes",
            )


def _data_folder(settings: Settings) -> Iterator[SensitiveSetting]:
    if settings.data_folder not in (None, IN_PROJECT):
        yield SensitiveSetting(
            _own("data_folder"), f"cache and traces are kept in `{settings.data_folder}`", is_data_folder=True
        )


def _own(setting: str) -> str:
    return canonical({"own": setting})


def _model_sentence(name: str, entry: ModelSettings) -> str | None:
    """What the settings of a model decide about texts and keys; None if nothing needs to be confirmed."""
    full_name = entry.model or name
    family = full_name.partition("/")[0]
    at_home = entry.api_base is not None and is_this_machine(entry.api_base)
    uses_own_key = _is_own_key(entry.key, family)
    if entry.api_base is None and uses_own_key and not entry.local:
        return None
    if at_home and entry.key is None and family in SELF_HOSTED_FAMILIES & LOCAL_FAMILIES:
        return None
    place = f"`{entry.api_base}`" if entry.api_base else f"the provider `{family}`"
    label = f"`{name}`" if full_name == name else f"`{name}` ({full_name})"
    key = f"with the key from `{entry.key}`" if entry.key else f"with your key for `{family}`, if there is one"
    local = ", and counts as local, so that texts go there without `bm.allow`" if entry.local and not at_home else ""
    return f"{label} is asked at {place} {key}{local}"


def _is_own_key(source: str | None, family: str) -> bool:
    """Whether a source names a variable of the model's own provider, which would be searched anyway."""
    if source is None:
        return True
    kind, _, name = source.partition(":")
    return kind in _VARIABLE_SOURCES and name in {family, *key_variables(family)}


class ConfirmedSettings:
    """The confirmed settings of one folder.

    Parameters
    ----------
    folder
        The project's folder.
    file
        The file in which confirmations are kept; by default one in the user's own settings folder.

    Examples
    --------
    >>> import tempfile
    >>> confirmed = ConfirmedSettings(Path("study"), Path(tempfile.mkdtemp()) / "confirmed.json")
    >>> lines = sensitive_settings(Settings.from_dict({"name": "study", "allow": ["openai"]}, "an example"))
    >>> confirmed.confirm(lines)
    >>> confirmed.select_unconfirmed(lines)
    []
    """

    def __init__(self, folder: Path, file: Path | None = None) -> None:
        self._folder = str(folder.resolve())
        self._file = file or confirmations_file()

    def select_unconfirmed(self, settings: Iterable[SensitiveSetting]) -> list[SensitiveSetting]:
        """The settings that are not confirmed."""
        settings = list(settings)
        confirmed = set(self._read().get(self._folder, ())) if settings else set()
        return [setting for setting in settings if setting.identity not in confirmed]

    def confirm(self, settings: Iterable[SensitiveSetting]) -> None:
        """Keep these settings as confirmed.

        Raises
        ------
        SetupError
            The file cannot be written.
        """
        identities = [setting.identity for setting in settings]
        everything = self._read() if identities else {}
        known = everything.get(self._folder, [])
        if set(identities) <= set(known):
            return
        everything = {folder: kept for folder, kept in everything.items() if Path(folder).is_dir()}
        everything[self._folder] = list(dict.fromkeys([*known, *identities]))
        try:
            self._write(everything)
        except OSError as error:
            raise SetupError(
                f"the confirmation cannot be kept in {self._file}: {error.strerror}. Make that folder writable."
            ) from error

    def confirm_own_folder(self) -> None:
        """Keep that the user has made this folder here, so that its limits and places are the user's own.

        Where nothing can be kept, the user is asked about them later.
        """
        with contextlib.suppress(SetupError):  # a home folder that is read-only must not keep anybody from working
            self.confirm(SensitiveSetting(_own(name), "") for name in _OWN_SETTINGS)

    def _read(self) -> dict[str, list[str]]:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}  # without a readable file nothing is confirmed
        if not isinstance(content, dict):
            return {}
        return {
            folder: [text for text in texts if isinstance(text, str)]
            for folder, texts in content.items()
            if isinstance(texts, list)
        }

    def _write(self, content: dict[str, list[str]]) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, new = tempfile.mkstemp(dir=self._file.parent)  # only its owner can read it
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
        Path(new).replace(self._file)


def confirmations_file() -> Path:
    """The file of the confirmations, in the user's own settings folder."""
    import platformdirs

    return Path(platformdirs.user_config_dir("buttermilk_nb", appauthor=False)) / _FILE


def describe_settings(folder: Path, settings: Iterable[SensitiveSetting]) -> str:
    """What settings of a folder do, in one sentence."""
    sentences = "; ".join(dict.fromkeys(setting.sentence for setting in settings))
    return f"{FILE} in {folder} says: {sentences}."


def unconfirmed_message(folder: Path, settings: Iterable[SensitiveSetting]) -> str:
    """What unconfirmed settings would do, and how to confirm them."""
    return (
        f"{describe_settings(folder, settings)} Nobody has confirmed that on this computer, so nothing was sent. If "
        f"you want it, write bm.trust() once; if not, correct {FILE}."
    )


def check_data_folder(folder: Path, settings: Settings, unconfirmed: Iterable[SensitiveSetting]) -> None:
    """Check that the user wants the data of a folder to be where its settings say, before anything is made there.

    Raises
    ------
    SetupError
        The user has not confirmed it.
    """
    if moving := [setting for setting in unconfirmed if setting.is_data_folder]:
        raise SetupError(
            f"{describe_settings(folder, moving)} Nobody has confirmed that on this computer, so the project was not "
            f"opened. If you want it, write bm.init({settings.name!r}, path={str(folder)!r}, "
            f"data_folder={settings.data_folder!r}) once; if not, correct {FILE}."
        )
