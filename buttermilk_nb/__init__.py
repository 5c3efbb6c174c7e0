"""Judge and code texts with language models in Jupyter: cached, traced, compared with human coders.

Start with `init`, `load`, `Criteria`, `Judge` and `Flow`; `notebooks/01_start_here.ipynb` shows how.
Names are loaded on first use, so importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

_HOMES = {
    "agents.classifier": ("Classifier",),
    "agents.extractor": ("Extractor",),
    "agents.extractors": ("frames", "hidden_meanings", "rule_findings"),
    "agents.function": ("agent",),
    "analysis.agreement": ("agreement",),
    "analysis.alt_test": ("alt_test", "alt_test_coders"),
    "analysis.compare": ("compare", "flips"),
    "analysis.corrected": ("corrected_estimate", "sample_size"),
    "analysis.metrics": ("confusion", "metrics", "non_answers"),
    "analysis.orders": ("order_bias", "order_flips"),
    "analysis.perspectives": ("perspectives", "soft_labels"),
    "analysis.multiverse": ("multiverse", "multiverse_summary"),
    "analysis.plots": (
        "plot_agreement", "plot_confusion", "plot_flips", "plot_multiverse", "plot_pairs", "plot_perspectives",
    ),
    "analysis.span_agreement": ("span_agreement",),
    "analysis.stability": ("stability", "verdicts"),
    "agents.judge": ("Judge",),
    "agents.llm_agent": ("Agent",),
    "agents.pairs": ("pair", "pairs"),
    "agents.pairwise": ("Pairwise",),
    "agents.over": ("Differences", "Escalation", "Panel", "Scorer", "Synthesiser"),
    "coding.adjudication": ("adjudicate",),
    "coding.assigning": ("assign",),
    "coding.coders": ("coder", "coders"),
    "coding.contested": ("contested",),
    "coding.form": ("code",),
    "coding.importing": ("import_labels",),
    "coding.labels": ("labels",),
    "coding.marks": ("marks",),
    "coding.matching": ("matching_ratings", "matchings"),
    "coding.sheets": ("coding_sheet",),
    "coding.sampling": ("sample", "samples"),
    "corpus": ("Corpus",),
    "criteria": ("Criteria",),
    "criterion": ("Criterion",),
    "errors": (
        "AuthenticationError", "BadRequestError", "BadResponseError", "BudgetReached", "ButtermilkError",
        "CacheMiss", "CallTimeout", "ConsentError", "ContentFilterError", "ContextTooLongError", "Interrupted",
        "InvalidAnswer", "ModelError", "OverloadedError", "QuotaError", "RateLimitError", "RunError", "RunStopped",
        "SetupError", "SkippedCell", "StoreError", "UnavailableError", "UnconfirmedError",
    ),
    "flows.flow": ("Flow",),
    "flows.run": ("Run", "last_run", "ratings"),
    "flows.statement": ("data_statement",),
    "flows.steps": ("Step",),
    "images": ("Image",),
    "keys": ("key",),
    "loading": ("load",),
    "project": ("Project", "allow", "init", "models", "sql"),
    "prompts": ("Prompt",),
    "records": ("Record",),
    "redaction": ("Redaction",),
    "scales": ("Categories", "Continuous", "Likert", "MultiLabel", "Scale", "YesNo"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Agent",
    "AuthenticationError",
    "BadRequestError",
    "BadResponseError",
    "BudgetReached",
    "ButtermilkError",
    "CacheMiss",
    "CallTimeout",
    "Categories",
    "Classifier",
    "ConsentError",
    "ContentFilterError",
    "ContextTooLongError",
    "Continuous",
    "Corpus",
    "Criteria",
    "Criterion",
    "Differences",
    "Escalation",
    "Extractor",
    "Flow",
    "Image",
    "Interrupted",
    "InvalidAnswer",
    "Judge",
    "Likert",
    "ModelError",
    "MultiLabel",
    "OverloadedError",
    "Pairwise",
    "Panel",
    "Project",
    "Prompt",
    "QuotaError",
    "RateLimitError",
    "Record",
    "Redaction",
    "Run",
    "RunError",
    "RunStopped",
    "Scale",
    "Scorer",
    "SetupError",
    "SkippedCell",
    "Step",
    "StoreError",
    "Synthesiser",
    "UnavailableError",
    "UnconfirmedError",
    "YesNo",
    "__version__",
    "adjudicate",
    "agent",
    "agreement",
    "allow",
    "alt_test",
    "alt_test_coders",
    "assign",
    "code",
    "coder",
    "coders",
    "coding_sheet",
    "compare",
    "confusion",
    "contested",
    "corrected_estimate",
    "data_statement",
    "flips",
    "frames",
    "hidden_meanings",
    "import_labels",
    "init",
    "key",
    "labels",
    "last_run",
    "load",
    "marks",
    "matching_ratings",
    "matchings",
    "metrics",
    "models",
    "multiverse",
    "multiverse_summary",
    "non_answers",
    "order_bias",
    "order_flips",
    "pair",
    "pairs",
    "perspectives",
    "plot_agreement",
    "plot_confusion",
    "plot_flips",
    "plot_multiverse",
    "plot_pairs",
    "plot_perspectives",
    "ratings",
    "rule_findings",
    "sample",
    "sample_size",
    "samples",
    "soft_labels",
    "span_agreement",
    "sql",
    "stability",
    "verdicts",
]

if TYPE_CHECKING:
    from .agents.classifier import Classifier
    from .agents.extractor import Extractor
    from .agents.extractors import frames, hidden_meanings, rule_findings
    from .agents.function import agent
    from .agents.judge import Judge
    from .agents.llm_agent import Agent
    from .agents.over import Differences, Escalation, Panel, Scorer, Synthesiser
    from .agents.pairs import pair, pairs
    from .agents.pairwise import Pairwise
    from .analysis.agreement import agreement
    from .analysis.alt_test import alt_test, alt_test_coders
    from .analysis.compare import compare, flips
    from .analysis.corrected import corrected_estimate, sample_size
    from .analysis.metrics import confusion, metrics, non_answers
    from .analysis.multiverse import multiverse, multiverse_summary
    from .analysis.orders import order_bias, order_flips
    from .analysis.perspectives import perspectives, soft_labels
    from .analysis.plots import (
        plot_agreement,
        plot_confusion,
        plot_flips,
        plot_multiverse,
        plot_pairs,
        plot_perspectives,
    )
    from .analysis.span_agreement import span_agreement
    from .analysis.stability import stability, verdicts
    from .coding.adjudication import adjudicate
    from .coding.assigning import assign
    from .coding.coders import coder, coders
    from .coding.contested import contested
    from .coding.form import code
    from .coding.importing.importing import import_labels
    from .coding.labels import labels
    from .coding.marks import marks
    from .coding.matching import matching_ratings, matchings
    from .coding.sampling import sample, samples
    from .coding.sheets.writing import coding_sheet
    from .corpus import Corpus
    from .criteria import Criteria
    from .criterion import Criterion
    from .errors import (
        AuthenticationError,
        BadRequestError,
        BadResponseError,
        BudgetReached,
        ButtermilkError,
        CacheMiss,
        CallTimeout,
        ConsentError,
        ContentFilterError,
        ContextTooLongError,
        Interrupted,
        InvalidAnswer,
        ModelError,
        OverloadedError,
        QuotaError,
        RateLimitError,
        RunError,
        RunStopped,
        SetupError,
        SkippedCell,
        StoreError,
        UnavailableError,
        UnconfirmedError,
    )
    from .flows.flow import Flow
    from .flows.run import Run, last_run, ratings
    from .flows.statement import data_statement
    from .flows.steps import Step
    from .images import Image
    from .keys import key
    from .loading import load
    from .project import Project, allow, init, models, sql
    from .prompts import Prompt
    from .records import Record
    from .redaction import Redaction
    from .scales import Categories, Continuous, Likert, MultiLabel, Scale, YesNo


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module `buttermilk_nb` has no attribute `{name}`")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext buttermilk_nb`: the magics, the progress bar, the explorer and the card."""
    from .notebook import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """`%unload_ext buttermilk_nb`."""
    from .notebook import unload

    unload(ipython)
