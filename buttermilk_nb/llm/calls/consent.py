"""`Consent`: decide whether a text may leave this machine.

Nothing else decides it. A request leaves only as a `ClearedRequest`, which `Consent.clear` alone makes, so that each
call is checked exactly once. Four things count: whether the project stays local, whether the record does, whether the
user has allowed the recipient, and whether the user has confirmed the address and the key that the folder's settings
name for the model. Cached answers need no consent, but a `local_only` record never gets one that a remote model gave
about a twin of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ...config.confirmed_settings import SensitiveSetting, unconfirmed_message
from ...errors import ConsentError, SkippedCell
from ..model import Model, Request


class ClearedRequest(NamedTuple):
    """A request that may be sent. Only `Consent.clear` makes one."""

    request: Request


class Consent:
    """What the user of a project allows to leave.

    Parameters
    ----------
    recipients
        The providers or hosts that may get texts.
    local_only
        Whether the project sends nothing to any remote model.
    unconfirmed
        The settings of the folder that the user has not confirmed. A recipient among them is not allowed.
    folder
        The project's folder, for messages.
    """

    def __init__(
        self,
        recipients: Iterable[str] = (),
        *,
        local_only: bool = False,
        unconfirmed: Sequence[SensitiveSetting] = (),
        folder: Path | None = None,
    ) -> None:
        self.unconfirmed = tuple(unconfirmed)
        self.recipients = set(recipients) - {setting.recipient for setting in unconfirmed}
        self.local_only = local_only
        self._folder = folder or Path()

    def allow(self, recipient: str) -> None:
        """Let texts go to a recipient from now on."""
        self.recipients.add(recipient)
        self.unconfirmed = tuple(setting for setting in self.unconfirmed if setting.recipient != recipient)

    def is_allowed(self, model: Model) -> bool:
        """Whether texts may go to a model, as far as the project decides it."""
        if self.unconfirmed_for([model]):
            return False
        return not model.remote or (not self.local_only and model.recipient in self.recipients)

    def is_unconfirmed(self, model: Model) -> bool:
        """Whether the settings name an address or a key for the model that the user has not confirmed."""
        return any(setting.model == model.name for setting in self.unconfirmed)

    def unconfirmed_for(self, models: Iterable[Model]) -> list[SensitiveSetting]:
        """The settings that the user would have to confirm before these models may be called."""
        if not self.unconfirmed:
            return []
        models = list(models)
        names, recipients = {model.name for model in models}, {model.recipient for model in models if model.remote}
        return [
            setting
            for setting in self.unconfirmed
            if setting.model in names
            or setting.recipient in recipients
            or (recipients and setting.model is None and setting.recipient is None)
        ]

    def clear(self, request: Request) -> ClearedRequest:
        """Check that a request may be sent.

        Raises
        ------
        ConsentError
            The project stays local, or the user has not allowed this recipient.
        SkippedCell
            The record stays local.
        """
        if request.remote:
            if self.local_only:
                raise ConsentError(_stays_local(request.model))
            if reason := self.local_only_reason(request):
                raise reason
        self.check_models([request.model])
        return ClearedRequest(request)

    def local_only_reason(self, request: Request) -> SkippedCell | None:
        """Why a record is not shown to this model, whatever is allowed or cached; None if it may be."""
        if not request.remote or request.offline_input is None or not request.offline_input.record.local_only:
            return None
        record_id = request.offline_input.record.record_id
        return SkippedCell(f"record `{record_id}` is local_only, so it is not sent to `{request.model.name}`.")

    def check_models(self, models: Iterable[Model]) -> None:
        """Check that texts may go to these models, before any request is made.

        Raises
        ------
        ConsentError
            The project stays local, or the user has not allowed a recipient: one sentence for each. Or the settings
            of the folder name an address, a key or a recipient that the user has not confirmed.
        """
        unapproved = [model for model in models if not self.is_allowed(model)]
        if unconfirmed := self.unconfirmed_for(unapproved):
            raise ConsentError(unconfirmed_message(self._folder, unconfirmed))
        if unapproved and self.local_only:
            raise ConsentError(_stays_local(unapproved[0]))
        if unapproved:
            raise ConsentError(*_not_allowed(unapproved))


def check_server_location(model: Model, remote_host: str | None) -> None:
    """Check a local server that turned out to pass texts on to another host.

    Raises
    ------
    ConsentError
        The model was taken for local, and the user has not said `local: true` of it.
    """
    if remote_host and model.settings.local is None:
        raise ConsentError(
            f"`{model.name}` is asked at {model.settings.api_base or 'a server on this machine'}, but runs at "
            f"{remote_host}, so texts would leave this machine: write `local: false` for it under `models:` in "
            "buttermilk.yaml, and allow its provider."
        )


def _not_allowed(models: Iterable[Model]) -> list[str]:
    """One sentence for each recipient: what would leave, and the line to write."""
    by_recipient: dict[str, list[str]] = {}
    for model in models:
        address = f" at {model.settings.api_base}" if model.settings.api_base else ""
        by_recipient.setdefault(model.recipient, []).append(f"`{model.name}`{address}")
    return [
        f"texts would go to `{recipient}` (for {', '.join(names)}), which is not allowed in this project yet. Write "
        f'bm.allow("{recipient}") once; bm.data_statement(flow, corpus) says what would leave.'
        for recipient, names in by_recipient.items()
    ]


def _stays_local(model: Model) -> str:
    return (
        f"this project is `local_only`, and `{model.name}` is remote. Use a model on this machine (`ollama_chat/...`, "
        "`offline/...`), write `local: true` for it under `models:` in buttermilk.yaml if its server is your own, "
        "or remove `local_only`."
    )
