"""The public names of the package, and where each is defined; `__init__.py` loads them on first use."""

from . import errors as errors
from .agents.classifier import Classifier as Classifier
from .agents.extraction.extractor import Extractor as Extractor
from .agents.extraction.ready_made import (
    frames as frames,
)
from .agents.extraction.ready_made import (
    hidden_meanings as hidden_meanings,
)
from .agents.extraction.ready_made import (
    rule_findings as rule_findings,
)
from .agents.function_agent import agent as agent
from .agents.judge.judge import Judge as Judge
from .agents.llm_agent import Agent as Agent
from .agents.meta import (
    Differences as Differences,
)
from .agents.meta import (
    Escalation as Escalation,
)
from .agents.meta import (
    Panel as Panel,
)
from .agents.meta import (
    Scorer as Scorer,
)
from .agents.meta import (
    Synthesiser as Synthesiser,
)
from .agents.pairwise.pairs import (
    pair as pair,
)
from .agents.pairwise.pairs import (
    pairs as pairs,
)
from .agents.pairwise.pairwise import Pairwise as Pairwise
from .agents.prompt import Prompt as Prompt
from .analysis.agreement.agreement import agreement as agreement
from .analysis.agreement.span_agreement import span_agreement as span_agreement
from .analysis.alt_test import (
    alt_test as alt_test,
)
from .analysis.alt_test import (
    alt_test_coders as alt_test_coders,
)
from .analysis.bias_correction import (
    corrected_estimate as corrected_estimate,
)
from .analysis.bias_correction import (
    sample_size as sample_size,
)
from .analysis.comparison import (
    compare as compare,
)
from .analysis.comparison import (
    flips as flips,
)
from .analysis.metrics import (
    confusion as confusion,
)
from .analysis.metrics import (
    metrics as metrics,
)
from .analysis.metrics import (
    non_answers as non_answers,
)
from .analysis.multiverse import (
    multiverse as multiverse,
)
from .analysis.multiverse import (
    multiverse_summary as multiverse_summary,
)
from .analysis.perspectives import (
    perspectives as perspectives,
)
from .analysis.perspectives import (
    soft_labels as soft_labels,
)
from .analysis.plots import (
    plot_agreement as plot_agreement,
)
from .analysis.plots import (
    plot_confusion as plot_confusion,
)
from .analysis.plots import (
    plot_flips as plot_flips,
)
from .analysis.plots import (
    plot_multiverse as plot_multiverse,
)
from .analysis.plots import (
    plot_pairs as plot_pairs,
)
from .analysis.plots import (
    plot_perspectives as plot_perspectives,
)
from .analysis.shared.order_effects import (
    order_bias as order_bias,
)
from .analysis.shared.order_effects import (
    order_flips as order_flips,
)
from .analysis.stability import (
    stability as stability,
)
from .analysis.stability import (
    verdicts as verdicts,
)
from .codebook.criteria import Criteria as Criteria
from .codebook.criterion import Criterion as Criterion
from .codebook.scales import (
    Categories as Categories,
)
from .codebook.scales import (
    Continuous as Continuous,
)
from .codebook.scales import (
    Likert as Likert,
)
from .codebook.scales import (
    MultiLabel as MultiLabel,
)
from .codebook.scales import (
    Scale as Scale,
)
from .codebook.scales import (
    YesNo as YesNo,
)
from .config.api_keys import key as key
from .corpus.corpus import Corpus as Corpus
from .corpus.image import Image as Image
from .corpus.load import load as load
from .corpus.record import Record as Record
from .errors import (
    ButtermilkError as ButtermilkError,
)
from .errors import (
    CacheMiss as CacheMiss,
)
from .errors import (
    ConsentError as ConsentError,
)
from .errors import (
    Interrupted as Interrupted,
)
from .errors import (
    RunError as RunError,
)
from .errors import (
    SetupError as SetupError,
)
from .flows.data_statement.data_statement import data_statement as data_statement
from .flows.flow import Flow as Flow
from .flows.run import (
    Run as Run,
)
from .flows.run import (
    last_run as last_run,
)
from .flows.run import (
    ratings as ratings,
)
from .flows.step import Step as Step
from .human_coding.adjudication import adjudicate as adjudicate
from .human_coding.assignments import assign as assign
from .human_coding.coders import (
    coder as coder,
)
from .human_coding.coders import (
    coders as coders,
)
from .human_coding.disagreements import contested as contested
from .human_coding.highlights import marks as marks
from .human_coding.label_import.import_labels import import_labels as import_labels
from .human_coding.labels import labels as labels
from .human_coding.open_form import code as code
from .human_coding.samples import (
    sample as sample,
)
from .human_coding.samples import (
    samples as samples,
)
from .human_coding.scorer_validation import (
    matching_ratings as matching_ratings,
)
from .human_coding.scorer_validation import (
    matchings as matchings,
)
from .human_coding.spreadsheets.coding_sheet import coding_sheet as coding_sheet
from .llm.calls.redaction import Redaction as Redaction
from .project.project import Project as Project
from .project.session import (
    allow as allow,
)
from .project.session import (
    init as init,
)
from .project.session import (
    models as models,
)
from .project.session import (
    sql as sql,
)

__version__: str
__all__: list[str]
