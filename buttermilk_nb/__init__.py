"""Judge and code texts with language models in Jupyter: cached, traced, compared with human coders.

Start with `init`, `load`, `Criteria`, `Judge` and `Flow`; `notebooks/01_start_here.ipynb` shows how.
The public names are listed in `__init__.pyi` and load on first use, so importing the package costs next to nothing.
"""

import lazy_loader

from ._internal.hooks import register_hook

__version__ = "0.2.0"

_load_name, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = sorted([*__all__, "__version__"])
_METHODS_OF_A_RUN = ("scores", "judgements", "traces", "calls", "explore", "quotes", "votes", "models")


def __getattr__(name: str) -> object:
    try:
        return _load_name(name)
    except AttributeError:
        if name.startswith("_"):
            raise
        from difflib import get_close_matches

        if name in _METHODS_OF_A_RUN:
            hint = f"a run has it: run.{name}(), where run = flow.run(...)"
        else:
            hint = ", ".join(f"bm.{match}" for match in get_close_matches(name, __all__)) or "dir(bm) lists its names"
            hint = f"did you mean {hint}?" if hint.startswith("bm.") else hint
        raise AttributeError(f"buttermilk_nb has no `{name}`; {hint}", name=name) from None


def __dir__() -> list[str]:
    return __all__


def _run_agent(*arguments: object, **options: object) -> object:
    from .flows.run_agent import run_agent

    return run_agent(*arguments, **options)  # type: ignore[arg-type]  # which it checks


def _find_run(run_id: str) -> object:
    from .flows.stored_runs import run

    return run(run_id)


register_hook("run_agent", _run_agent)
register_hook("find_run", _find_run)


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext buttermilk_nb`: the magics, the progress bar, the explorer and the card."""
    from .notebook import load

    load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    """`%unload_ext buttermilk_nb`."""
    from .notebook import unload

    unload(ipython)
