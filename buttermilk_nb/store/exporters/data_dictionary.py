"""The data dictionary that goes with every export: each column, what kind it is, what it means.

A column's meaning stands with its row model where the model says it (the text under the field); what
is the same in many tables is said here, once.
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
    "answer": "the answer, by its number among those that were read",
    "answered_at": "when the model answered; of an answer from the cache, when it was first given",
    "asked_at": "when the question was put",
    "attempt": "which attempt at the same request this is",
    "attempts": "calls that were made, cached answers not counted",
    "beyond_the_expert": "reasons of the answer that are none of the expert's",
    "blind": "whether the coder saw nobody else's answers; empty where that is not known",
    "body": "the text itself",
    "cache_key": "the hash of everything that can change the answer",
    "cached": "whether the answer came from the cache",
    "costs.cached": "calls that the cache answered",
    "calls": "how many calls",
    "call_ids": "the requests of the trace",
    "call_id": "this request",
    "category": "the answer in words; of several labels, a JSON list",
    "cluster": "what a record shares with others, so that they are not independent",
    "coded_at": "when it was coded",
    "coder": "who coded: a person, or one judge at one wording",
    "conclusion": "the judge's conclusion, in its words",
    "content": "the text of the record",
    "corpus_hash": "the hash of all records of the run, in order, with what was known of them",
    "correlation_id": "the trace that it belongs to",
    "cost_usd": "what the call cost this run; 0 where the answer was at hand, empty where the price is unknown",
    "criteria_hash": "which wording of the criteria",
    "criteria_set": "the name of the criteria",
    "criterion": "the question",
    "design_id": "what the cell is: its wording, model, parameters and record; never when or where it ran",
    "details_hash": "which version of what is known of the record",
    "drawn_at": "when the sample was drawn or the work was shared",
    "duration_s": "seconds",
    "end_offset": "where a segment ends in its parent, in characters",
    "error_message": "what went wrong",
    "error_type": "the kind of error",
    "event_id": "this event",
    "expert_reasons": "the expert's reasons, per criterion",
    "failed": "calls without an answer",
    "feedback": "what the scorer said of it",
    "fingerprint": "the provider's own mark of the exact model",
    "finish_reason": "why the answer ended, in the provider's word",
    "finished_at": "when it ended",
    "first_seen_at": "when the record was first stored in this version",
    "coders.first_seen_at": "when this was first said of the coder",
    "flagged": "whether the answer is the declared finding; empty where none is declared or nothing was answered",
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
    "labels": "codes of persons that came with the data: coder, criterion, answer",
    "latency_s": "seconds from question to answer",
    "local_only": "whether the record must not leave this machine",
    "manifest": "how the run came about: versions, definition, corpus, options",
    "median_s": "seconds from question to answer, half of the calls below it",
    "most_attempts": "the most attempts that one request needed",
    "n": "how many",
    "n_assessed": "how many of the expert's reasons the scorer could decide on",
    "n_given": "how many reasons the answer gives",
    "n_matched": "how many of the expert's reasons the answer gives too",
    "n_reasons": "how many reasons the expert gives",
    "n_rows": "how many rows",
    "p95_s": "seconds from question to answer, 19 of 20 calls below it",
    "repeated": "calls that were sent again",
    "spent_usd": "what the calls cost",
    "without_price": "answered calls whose price is unknown",
    "matched": "whether the answer gives the expert's reason",
    "metadata": "what else is known of the record",
    "method": "how it was drawn: random, stratified, boosted, disagreement, or assigned",
    "mime": "the kind of content",
    "model": "the model, as the researcher named it",
    "model_requested": "the model that was asked for",
    "model_served": "the model that answered, in the provider's word",
    "name": "its name",
    "notes": "what the coder noted",
    "output": "what the agent put out",
    "params": "parameters of the model",
    "params_dropped": "parameters that this model does not take",
    "params_sent": "parameters that were sent",
    "parent_id": "the record that a segment was cut from",
    "payload": "what it says",
    "position": "its place among what was read",
    "divergences.position": "what these answers hold on the topic",
    "position_index": "which of the positions on the topic, from 1",
    "samples.position": "its place in the sample, or in what the coder was given, from 1",
    "prompt_hash": "which wording of the prompt",
    "quotes": "places in the text that the coder marked",
    "reader": "the model that compared the answers",
    "reader_replicate": "which of the repeated comparisons, from 0",
    "reason": "the reason",
    "reason_index": "which of the expert's reasons",
    "reasons": "the reasons given, in order",
    "recall": "the share of the expert's reasons that the answer gives too; empty where one is undecided",
    "record_hash": "which version of the record's text",
    "record_id": "the record",
    "removed_at": "when it was removed",
    "replicate": "which of the repeated askings, from 0",
    "request": "the request as sent",
    "request_hash": "the text of the request, in `texts`",
    "request_id": "the provider's own id of the request",
    "response": "the answer as received",
    "response_hash": "the text of the answer, in `texts`",
    "role": "what the agent is for: judge, agent, embedding",
    "round": "which round of coding",
    "run_id": "the run",
    "sample_id": "the sample that the record was drawn for",
    "saved_usd": "what the answer would have cost, had it not been at hand",
    "saw_trace_ids": "the answers that the coder saw",
    "scorer": "the step that held the reasons against each other",
    "scoring_model": "the model that held the reasons against each other",
    "scoring_replicate": "which of the repeated scorings, from 0",
    "seconds": "seconds that the coding took",
    "seed": "the number that chance began with",
    "source": "who says so",
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
    "topic": "what the answers differ on",
    "topic_index": "which of the topics, from 1",
    "tokens_in": "tokens read",
    "tokens_out": "tokens written",
    "trace_id": "one cell, executed in one run",
    "transaction_id": "the run, or one record in it (run/record)",
    "type": "the kind of event",
    "uncertainty": "how uncertain the judge said it was",
    "uri": "where the text came from",
    "value": "the answer as a number, where the scale has numbers",
    "version": "its version, as the document says",
    "violating": "whether the answer is the finding, as `flagged`",
    "what": "a hash of what was removed, or the run that it changed",
}


class DictionaryEntry(NamedTuple):
    """One line of the dictionary."""

    table: str
    column: str
    type: str
    meaning: str


def entries(tables: Sequence[ExportTable]) -> list[DictionaryEntry]:
    """The dictionary of these tables."""
    return [
        DictionaryEntry(table.name, column.name, kind_of(column), describe_column(table.name, column.name))
        for table in tables
        for column in table.columns
    ]


def kind_of(column: Column) -> str:
    """What kind of values a column holds, in words."""
    return "JSON" if column.name in JSON else _KINDS.get(column.kind, column.kind.lower())


def describe_column(table: str, column: str) -> str:
    """What a column means; empty where nobody has said.

    Examples
    --------
    >>> describe_column("scores", "criterion")
    'the question'
    >>> describe_column("calls", "redaction")
    'The policy by which the request was redacted before it was sent.'
    """
    said = _said()
    return (
        _MEANINGS.get(f"{table}.{column}") or said.get((table, column)) or _MEANINGS.get(column) or _any(said, column)
    )


def _any(said: dict[tuple[str, str], str], column: str) -> str:
    return next((text for (_, name), text in said.items() if name == column), "")


@cache
def _said() -> dict[tuple[str, str], str]:
    """What the row models say under their fields."""
    tables = {model.__name__: model.table for model in schema.ROWS}
    found = {}
    for node in ast.parse(inspect.getsource(schema)).body:
        if isinstance(node, ast.ClassDef) and node.name in tables:
            for field, below in zip(node.body, node.body[1:], strict=False):
                text = below.value if isinstance(below, ast.Expr) else None
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Constant):
                    column = ast.unparse(field.target)
                    found[tables[node.name], column] = " ".join(str(text.value).split())
    return found
