"""The data dictionary of an export: each column with its type and meaning.

The meaning of a column is the text under its field in the row model, if there is one. Meanings that are the same in
many tables are written here, once.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from ... import schema
from .selection import JSON, Column, ExportTable

_KINDS = {
    "VARCHAR": "text", "DOUBLE": "number", "BIGINT": "whole number", "INTEGER": "whole number",
    "BOOLEAN": "true or false", "TIMESTAMP": "time, in UTC", "VARCHAR[]": "list of texts",
}  # fmt: skip

_MEANINGS = {
    "agent": "the kind of agent: judge, agent, function",
    "answer": "the number of the answer among the answers that were read",
    "answer_note": "how the answer was read, where another reading is conceivable",
    "answered_at": "when the model answered; for a cached answer, when it was first given",
    "asked_at": "when the request was sent",
    "assessment_correct": "for each reason of the expert, whether the answer gives it too",
    "assessment_feedback": "for each reason of the expert, what the scorer says of the answer",
    "assessment_reasons": "the expert's reasons that the answer was compared with",
    "attempt": "the number of this attempt at the same request",
    "attempts": "the number of calls, without cached answers",
    "beyond_the_expert": "reasons of the answer that the expert does not give",
    "blind": "whether the coder saw no other answers; empty if that is not known",
    "body": "the text itself",
    "cache_key": "the hash of everything that can change the answer",
    "cached": "whether the answer came from the cache",
    "costs.cached": "calls that the cache answered",
    "calls": "the number of calls",
    "call_ids": "the requests of the trace",
    "call_id": "this request",
    "category": "the answer in words; a JSON list if there are several labels",
    "cluster": "a group of records that are not independent of each other",
    "coded_at": "when it was coded",
    "coder": "the coder: a person, or one judge with one wording",
    "conclusion": "the judge's conclusion, in its words",
    "content": "the text of the record",
    "corpus_hash": "the hash of all records of the run, in order, with their annotations",
    "correlation_id": "the trace that it belongs to",
    "correctness": "the share of the expert's reasons that the answer gives; empty if one could not be compared",
    "cost_usd": "the cost of the call in this run; 0 for a cached answer, empty if the price is unknown",
    "criteria_hash": "which wording of the criteria",
    "criteria_set": "the name of the criteria",
    "criterion": "the question",
    "design_id": "the hash of the planned answer: its wording, model, parameters and record, not when or where it ran",
    "details_hash": "which version of the record's annotations",
    "drawn_at": "when the sample was drawn or the work was shared",
    "duration_s": "seconds",
    "end_offset": "where a segment ends in its parent, in characters",
    "error_message": "what went wrong",
    "error_type": "the kind of error",
    "event_id": "this event",
    "expert_reasons": "the expert's reasons, per criterion",
    "failed": "calls without an answer",
    "feedback": "the scorer's comment on it",
    "fingerprint": "the provider's identifier of the exact model",
    "finish_reason": "why the answer ended, in the provider's word",
    "finished_at": "when it ended",
    "first_seen_at": "when the record was first stored in this version",
    "coders.first_seen_at": "when this was first stated about the coder",
    "flagged": "whether the answer is the declared finding; empty if none is declared or there is no answer",
    "flow": "the name of the flow",
    "flow_hash": "the hash of the flow's definition",
    "ground_truth": "the expert's answer, per criterion",
    "groups": "groups that the coder belongs to",
    "happened_at": "when it happened",
    "inclusion_p": "the probability with which the record was drawn",
    "input_trace_id": "the trace that was read",
    "judge": "the step that judged",
    "judge_criteria": "the name of the criteria, as `criteria_set`",
    "judge_model": "the model, as `model`",
    "judge_role": "the role of the agent, as `role`",
    "judge_template": "which wording of the prompt, as `prompt_hash`",
    "kind": "what kind it is",
    "label": "the answer in words, as `category`",
    "label_id": "this label",
    "labels": "codes by persons that were loaded with the data: coder, criterion, answer",
    "latency_s": "seconds from request to response",
    "local_only": "whether the record must not leave this machine",
    "manifest": "how the run came about: versions, definition, corpus, options",
    "median_s": "median of the seconds from request to response",
    "most_attempts": "the most attempts that one request needed",
    "n": "the number of calls",
    "n_assessed": "the number of the expert's reasons that the scorer could decide on",
    "n_given": "the number of reasons that the answer gives",
    "n_matched": "the number of the expert's reasons that the answer gives too",
    "n_reasons": "the number of reasons that the expert gives",
    "n_rows": "the number of rows",
    "p95_s": "95th percentile of the seconds from request to response",
    "repeated": "calls that were sent again",
    "spent_usd": "the cost of the calls",
    "without_price": "answered calls whose price is unknown",
    "matched": "whether the answer gives the expert's reason",
    "metadata": "further facts about the record",
    "method": "how it was drawn: random, stratified, boosted, disagreement, or assigned",
    "mime": "the kind of content",
    "model": "the model, as the researcher named it",
    "model_requested": "the model that was requested",
    "model_served": "the model that answered, in the provider's word",
    "name": "its name",
    "notes": "the coder's notes",
    "output": "the output of the agent",
    "params": "parameters of the model",
    "params_dropped": "parameters that this model does not accept",
    "params_sent": "parameters that were sent",
    "parent_id": "the record that a segment was cut from",
    "payload": "the content of the event, as JSON",
    "position": "its position among the inputs",
    "divergences.position": "the position of these answers on the topic",
    "position_index": "the number of the position on the topic, from 1",
    "samples.position": "its position in the sample, or among the records assigned to the coder, from 1",
    "prompt_hash": "which wording of the prompt",
    "quotes": "places in the text that the coder marked",
    "reader": "the model that compared the answers",
    "reader_replicate": "the number of the repeated comparison, from 0",
    "reason": "the reason",
    "reason_index": "the number of the expert's reason",
    "reasons": "the reasons, in order",
    "recall": "the share of the expert's reasons that the answer gives too; empty if one is undecided",
    "record_hash": "which version of the record's text",
    "record_id": "the record",
    "removed_at": "when it was removed",
    "replicate": "the number of the repetition, from 0",
    "request": "the request as sent",
    "request_hash": "the text of the request, in `texts`",
    "request_id": "the provider's own id of the request",
    "response": "the answer as received",
    "response_hash": "the text of the answer, in `texts`",
    "role": "the role of the agent: judge, agent, embedding",
    "round": "which round of coding",
    "run_id": "the run",
    "sample_id": "the sample that the record was drawn for",
    "saved_usd": "what the answer would have cost if it had not been cached",
    "saw_trace_ids": "the answers that the coder saw",
    "scorer_call_id": "the last request of the comparison",
    "scorer": "the step that compared the reasons",
    "scoring_model": "the model that compared the reasons",
    "scoring_template": "the hash of the prompt of the comparison",
    "scoring_replicate": "the number of the repeated scoring, from 0",
    "seconds": "the seconds that the coding took",
    "seed": "the seed of the random numbers",
    "source": "where the information comes from",
    "start_offset": "where a segment begins in its parent, in characters",
    "started_at": "when it began",
    "status": "pending, ok, invalid, refused, filtered, error, timeout, skipped, cancelled or undone",
    "runs.status": "running, finished, interrupted, failed or imported",
    "labels.status": "coded, not_applicable, cannot_tell, skipped or withdrawn",
    "latest_labels.status": "coded, not_applicable, cannot_tell, skipped or withdrawn",
    "labels.source": "where it was coded: form, import or adjudication",
    "latest_labels.source": "where it was coded: form, import or adjudication",
    "stratum": "the part of the corpus that it was drawn from",
    "step": "the step of the flow",
    "text_hash": "the hash of the text",
    "timestamp": "when it began, as `started_at`",
    "topic": "the topic on which the answers differ",
    "topic_index": "the number of the topic, from 1",
    "tokens_in": "tokens read",
    "tokens_out": "tokens written",
    "trace_id": "one planned answer, executed in one run",
    "transaction_id": "the run, or one record in it (run/record)",
    "type": "the kind of event",
    "uncertainty": "how uncertain the judge is, in its own words",
    "uri": "where the text came from",
    "value": "the answer as a number, if the scale has numbers",
    "version": "its version, according to the document",
    "violating": "whether the answer is the finding, as `flagged`",
    "what": "a hash of what was removed, or the run that it changed",
}


class DictionaryEntry(NamedTuple):
    """One row of the dictionary."""

    table: str
    column: str
    type: str
    meaning: str


def dictionary_entries(tables: Sequence[ExportTable]) -> list[DictionaryEntry]:
    """The dictionary of these tables."""
    return [
        DictionaryEntry(table.name, column.name, column_kind(column), describe_column(table.name, column.name))
        for table in tables
        for column in table.columns
    ]


def column_kind(column: Column) -> str:
    """The type of a column's values, in words."""
    return "JSON" if column.name in JSON else _KINDS.get(column.kind, column.kind.lower())


def describe_column(table: str, column: str) -> str:
    """The meaning of a column; empty if there is no description.

    Examples
    --------
    >>> describe_column("scores", "criterion")
    'the question'
    >>> describe_column("calls", "redaction")
    'The policy by which the request was redacted before it was sent.'
    """
    field_texts = _field_texts()
    return (
        _MEANINGS.get(f"{table}.{column}")
        or field_texts.get((table, column))
        or _MEANINGS.get(column)
        or _text_of_any_table(field_texts, column)
    )


def _text_of_any_table(field_texts: dict[tuple[str, str], str], column: str) -> str:
    return next((text for (_, name), text in field_texts.items() if name == column), "")


@cache
def _field_texts() -> dict[tuple[str, str], str]:
    """The texts under the fields of the row models."""
    tables = {model.__name__: model.table for model in schema.ROWS}
    texts = {}
    for node in ast.parse(inspect.getsource(schema)).body:
        if isinstance(node, ast.ClassDef) and node.name in tables:
            for field, next_node in zip(node.body, node.body[1:], strict=False):
                text = next_node.value if isinstance(next_node, ast.Expr) else None
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Constant):
                    column = ast.unparse(field.target)
                    texts[tables[node.name], column] = " ".join(str(text.value).split())
    return texts
