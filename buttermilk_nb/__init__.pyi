"""The public names of the package, and where each is defined; `__init__.py` loads them on first use."""

from . import errors as errors
from .agents.classifier import Classifier as Classifier
from .agents.extraction.extractor import Extractor as Extractor
from .agents.function_agent import agent as agent
from .agents.judge.judge import Judge as Judge
from .agents.llm_agent import Agent as Agent
from .agents.meta import (
    Differences as Differences,
    Escalation as Escalation,
    Panel as Panel,
    Scorer as Scorer,
    Synthesiser as Synthesiser,
)
from .agents.pairwise.pairwise import Pairwise as Pairwise
from .agents.prompt import Prompt as Prompt
from .analysis.agreement.agreement import agreement as agreement
from .analysis.agreement.span_agreement import span_agreement as span_agreement
from .analysis.alt_test import (
    alt_test as alt_test,
    alt_test_coders as alt_test_coders,
)
from .analysis.bias_correction import (
    corrected_estimate as corrected_estimate,
    sample_size as sample_size,
)
from .analysis.comparison import (
    compare_levels as compare_levels,
    flips as flips,
)
from .analysis.metrics import (
    confusion as confusion,
    metrics as metrics,
    non_answers as non_answers,
)
from .analysis.multiverse import (
    multiverse as multiverse,
    multiverse_summary as multiverse_summary,
)
from .analysis.perspectives import (
    perspectives as perspectives,
    soft_labels as soft_labels,
)
from .analysis.plots import (
    plot_agreement as plot_agreement,
    plot_confusion as plot_confusion,
    plot_flips as plot_flips,
    plot_multiverse as plot_multiverse,
    plot_pairs as plot_pairs,
    plot_perspectives as plot_perspectives,
)
from .analysis.shared.order_effects import (
    order_bias as order_bias,
    order_flips as order_flips,
)
from .analysis.stability import (
    replicate_answers as replicate_answers,
    stability as stability,
)
from .codebook.criteria import Criteria as Criteria
from .codebook.criterion import Criterion as Criterion
from .codebook.scales import (
    Categories as Categories,
    Continuous as Continuous,
    Likert as Likert,
    MultiLabel as MultiLabel,
    Scale as Scale,
    YesNo as YesNo,
)
from .config.api_keys import set_key as set_key
from .corpus.corpus import Corpus as Corpus
from .corpus.corpus_load import start_load as start_load
from .corpus.image import Image as Image
from .corpus.load import load as load
from .corpus.record import Record as Record
from .errors import (
    ButtermilkError as ButtermilkError,
    CacheMiss as CacheMiss,
    ConsentError as ConsentError,
    Interrupted as Interrupted,
    RunError as RunError,
    SetupError as SetupError,
)
from .flows.data_statement.data_statement import data_statement as data_statement
from .flows.flow import Flow as Flow
from .flows.run import (
    Run as Run,
    last_run as last_run,
    ratings as ratings,
)
from .flows.step import Step as Step
from .flows.stored_runs import (
    run as run,
    runs as runs,
)
from .human_coding.adjudication import adjudicate as adjudicate
from .human_coding.assignments import assign_coders as assign_coders
from .human_coding.coders import (
    coders as coders,
    describe_coder as describe_coder,
)
from .human_coding.disagreements import disagreements as disagreements
from .human_coding.highlights import highlights as highlights
from .human_coding.label_export.export_labels import export_labels as export_labels
from .human_coding.label_import.import_labels import import_labels as import_labels
from .human_coding.labels import labels as labels
from .human_coding.open_form import coding_form as coding_form
from .human_coding.samples import (
    draw_sample as draw_sample,
    samples as samples,
)
from .human_coding.scorer_validation import (
    scorer_validation_corpus as scorer_validation_corpus,
    scorer_validation_ratings as scorer_validation_ratings,
)
from .human_coding.spreadsheets.coding_sheet import coding_sheet as coding_sheet
from .llm.calls.redaction import Redaction as Redaction
from .project.connect import connect as connect
from .project.debug import debug as debug
from .project.fetch import fetch as fetch
from .project.project import Project as Project
from .project.session import (
    allow as allow,
    init as init,
    models as models,
    sql as sql,
    trust as trust,
)

__version__: str
__all__: list[str]
