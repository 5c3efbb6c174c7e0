"""`coding_form`: checks its arguments, and opens the coding form in a notebook."""

from __future__ import annotations

from typing import Any, Literal

from .._internal import hooks
from .._internal.arguments import check_arguments
from ..corpus.corpus import Corpus, require_corpus
from ..errors import SetupError
from ..project.project import Project
from ..project.session import require_project
from .questionnaire import CriteriaChoice, require_questionnaire
from .scorer_validation import RunWithAssessments, scorer_validation_corpus, scorer_validation_criteria
from .session.coding_session import CodingSession
from .worklist import Order


@check_arguments
def coding_form(
    corpus: Corpus | RunWithAssessments,
    *,
    criteria: CriteriaChoice | None = None,
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
    """Code texts in the notebook by keys or clicks. Each answer is on disk at once.

    Call it again to continue at the first text that is not coded. `bm.labels()` returns the codes as a dataframe, and
    `ratings()` combines them with the judges' answers.

    Parameters
    ----------
    corpus
        The texts. With `over="assessments"`, the run with the scorer to check.
    criteria
        Criteria, or the path of their file, or a list of these. A file is read again. With a list, the coder answers
        the questions of every document on a text.
    coder
        The coder's name: a short name, always the same for the same person.
    over
        With `assessments`, people check whether the scorer of a run has matched reasons well. The texts are those of
        `bm.scorer_validation_corpus`, with its question, and `bm.scorer_validation_ratings` returns the answers of
        scorer and people in one frame.
    blind
        Whether models' answers stay hidden throughout. With `blind=False`, those on a text are shown once all of its
        criteria are answered. A code that is changed after that is stored as not blind, with the answers that the
        coder has seen.
    order
        `shuffled`: each coder has an order of their own, the same each time. `corpus`: the order of the corpus.
    seed
        Coders with the same seed get the same order. By default, each gets their own.
    sample
        The part to code: a list of record ids; or a number n, for the first n records in the coder's order; or a frame
        with `record_id` and optionally `coder`, `sample_id` and `inclusion_p`, as `bm.draw_sample` and
        `bm.assign_coders` return it. By default, all records.
    sensitive
        True hides each text until the coder asks for it, and suggests a break after every 20 texts. A string does the
        same, and is shown instead of the usual content note.
    round
        The round of coding. A new round starts with nothing coded.
    project
        The project that stores the codes; by default the open one.

    Returns
    -------
    CodingForm
        The form, a widget.

    Raises
    ------
    SetupError
        The extension is not loaded, the coder has no name, or a record of the sample is not in the corpus.

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
    make_form = hooks.get_hook("coding")
    if make_form is None:
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
        raise SetupError("criteria is missing: give the criteria by which the texts are coded, criteria=...")
    session = CodingSession(
        require_project(project),
        require_corpus(corpus, "a coding form"),
        require_questionnaire(criteria, "a coding form", reload=True),
        coder,
        blind=blind,
        order=order,
        seed=seed,
        sample=sample,
        sensitive=bool(sensitive),
        round=round,
    )
    return make_form(session, sensitive if isinstance(sensitive, str) else None)
