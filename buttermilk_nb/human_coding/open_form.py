"""Where a person begins to code: checks what was asked for, and opens the form where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from .._internal import notebook_hooks
from ..codebook.criteria import Criteria
from ..corpus.corpus import Corpus, require_corpus
from ..errors import SetupError
from ..project.project import Project
from ..project.session import current
from .scorer_validation import RunWithAssessments, scorer_validation_corpus, scorer_validation_criteria
from .session.coding_session import CodingSession
from .worklist import Order


def coding_form(
    corpus: Corpus | RunWithAssessments,
    *,
    criteria: Criteria | str | Path | None = None,
    coder: str,
    over: Literal["assessments"] | None = None,
    blind: bool = True,
    order: Order = "shuffled",
    seed: int | None = None,
    sample: Any = None,
    sensitive: bool | str = False,
    round: str = "1",  # noqa: A002  # the column's name
    project: Project | None = None,
) -> Any:
    """Code texts in the notebook, by keys or clicks; each answer is on disk at once.

    Calling it again goes on at the first text that is not coded. `labels()` gives the codes as a dataframe, and
    `ratings()` has them beside those of the judges.

    Parameters
    ----------
    corpus
        The texts; with `over="assessments"` the run whose scorer is checked.
    criteria
        The criteria, or the file that they are in.
    coder
        Who codes: a short name, always the same for the same person.
    over
        `assessments`: whether the scorer of a run has matched reasons well. The texts are those of `matchings`, the
        question is theirs too, and `matching_ratings` puts scorer and people beside each other.
    blind
        Whether models' answers stay hidden throughout. With `blind=False`, those on a text are shown when all of
        its criteria are answered; a code that is changed after that is kept as not blind, with what was seen.
    order
        `shuffled`: each coder has an order of their own, and the same each time. `corpus`: as the corpus has it.
    seed
        Gives coders with the same seed the same order.
    sample
        What part is coded: a list of record ids; a number, for the first so many of the order; or a frame with
        `record_id` and, where there are, `coder`, `sample_id` and `inclusion_p`, as drawing a sample gives it.
    sensitive
        True hides each text until it is asked for, and suggests a break after every 20 texts. A text is shown in
        place of the usual content note.
    round
        Which round of coding; in another round nothing is coded yet.
    project
        Where the codes are kept; by default the open project.

    Returns
    -------
    CodingForm
        The form, a widget.

    Raises
    ------
    SetupError
        The extension is not loaded, the coder has no name, a record of the sample is not in the corpus.

    Examples
    --------
    >>> from buttermilk_nb import Criteria, load
    >>> texts = load([{"text": "A calm day."}], content="text")
    >>> try:
    ...     coding_form(texts, criteria=Criteria("respect", "Is it respectful?"), coder="kf")
    ... except SetupError as error:
    ...     print(str(error)[:69])
    the coding form needs a notebook: run `%load_ext buttermilk_nb` there
    """
    view = notebook_hooks.get_hook("coding")
    if view is None:
        raise SetupError(
            "the coding form needs a notebook: run `%load_ext buttermilk_nb` there first. Without one, "
            f'bm.coding_sheet(corpus, criteria, coder="{coder}") writes a spreadsheet to code in.'
        )
    if over == "assessments":
        if isinstance(corpus, Corpus):
            raise SetupError(
                'over="assessments" checks the scorer of a run: write bm.coding_form(run, over="assessments", ...).'
            )
        corpus, criteria = scorer_validation_corpus(corpus), scorer_validation_criteria()
    if criteria is None:
        raise SetupError("criteria: say by which criteria the texts are coded.")
    session = CodingSession(
        project or current(),
        require_corpus(corpus, "a coding form"),
        criteria if isinstance(criteria, Criteria) else Criteria.from_file(criteria),
        coder,
        blind=blind,
        order=order,
        seed=seed,
        sample=sample,
        sensitive=bool(sensitive),
        round=round,
    )
    return view(session, sensitive if isinstance(sensitive, str) else None)
