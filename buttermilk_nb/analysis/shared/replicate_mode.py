"""How statistics treat the replicates of an instrument."""

from __future__ import annotations

from typing import Literal, get_args

from ...errors import SetupError

ReplicateMode = Literal["each", "modal"]
"""`each`: compute within each replicate and average. `modal`: take the most frequent answer of each record first."""
REPLICATE_MODES: tuple[str, ...] = get_args(ReplicateMode)


def check_replicate_mode(replicate_mode: str) -> None:
    """Check that it is one of `REPLICATE_MODES`.

    Raises
    ------
    SetupError
        It is not.
    """
    if replicate_mode not in REPLICATE_MODES:
        raise SetupError(f'replicate_mode: write "each" or "modal", and not "{replicate_mode}".')
