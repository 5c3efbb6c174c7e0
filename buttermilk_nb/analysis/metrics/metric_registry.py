"""Which metrics fit a criterion, and a check of metrics requested by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...errors import SetupError, nearest
from .answer_metrics import BIAS, EXACT_MATCH, MAE, RMSE
from .base import Metric
from .flag_metrics import FLAG_METRICS
from .pearson import PEARSON
from .question import CriterionAnswers
from .set_metrics import JACCARD, label_metrics
from .spearman import SPEARMAN
from .weighted_kappa import KAPPA

_FLAG_METRIC_NAMES = {metric.name for metric in FLAG_METRICS}


def metrics_for(question: CriterionAnswers) -> list[Metric]:
    """The metrics of a criterion, by its level and whether it declares a flag.

    Examples
    --------
    >>> [metric.name for metric in metrics_for(CriterionAnswers("tone", "nominal", ("calm", "angry")))]
    ['accuracy']
    """
    metrics: list[Metric] = list(FLAG_METRICS) if question.flags is not None else []
    if question.level == "nominal":
        if question.flags is None:
            metrics.append(EXACT_MATCH["accuracy"])
        elif len(question.categories) > 2:
            metrics.append(EXACT_MATCH["exact_agreement"])
    elif question.level == "ordinal":
        metrics += [KAPPA, EXACT_MATCH["exact_agreement"], MAE, SPEARMAN]
    elif question.level == "set":
        metrics += [EXACT_MATCH["exact_match"], JACCARD, *label_metrics(question.labels)]
    else:
        metrics += [MAE, RMSE, BIAS, PEARSON, SPEARMAN]
    return metrics


def check_metric_names(questions: Iterable[CriterionAnswers], only: Sequence[str] | None) -> None:
    """Check that every metric requested by name fits every criterion.

    Raises
    ------
    SetupError
        A metric needs a flag that is not declared, does not fit the level, or does not exist.
    """
    if only is None:
        return
    if isinstance(only, str):
        raise SetupError(f'`only` takes several names: write `only=["{only}"]`.')
    for question in questions:
        names = [metric.name for metric in metrics_for(question)]
        for name in only:
            if name in names:
                continue
            if name in _FLAG_METRIC_NAMES and question.flags is None:
                raise SetupError(
                    f"`{name}` needs to know which answer is the finding, and criterion `{question.name}` declares no "
                    "flag: give it one (`--flag`, or the column `flagged`), or leave it out of the ratings."
                )
            raise SetupError(
                f"there is no metric `{name}` for criterion `{question.name}`, whose answers are {question.level}; "
                f"{nearest(name, names)}"
            )
