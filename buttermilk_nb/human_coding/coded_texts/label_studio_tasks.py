"""Tasks for Label Studio: the texts, their codes as annotations, a model's answers as predictions, and the form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from ...codebook.scales import NON_ANSWERS
from ..questionnaire import Question, Questionnaire
from .coded_text import NO_LABEL, Code, CodedText, Utf16Offsets
from .label_studio import CODER, NOTE_CONTROL, PASSAGES, TEXT


def write_tasks(
    texts: Mapping[str, str],
    coded: Sequence[CodedText],
    questionnaire: Questionnaire,
    predictions: Mapping[str, Mapping[str, Sequence[Code]]],
) -> str:
    """The tasks as JSON.

    Parameters
    ----------
    texts
        The texts by the id of their record.
    coded
        The codes of people, which become annotations.
    questionnaire
        The questions.
    predictions
        The answers of models, which coders see in the form: by model and record.
    """
    by_record: dict[str, list[CodedText]] = {}
    for item in coded:
        by_record.setdefault(item.names[0], []).append(item)
    tasks = []
    for n, (record_id, text) in enumerate(texts.items(), 1):
        annotations = [
            {CODER: item.coder, "result": _results(item.codes, text, questionnaire)}
            for item in by_record.get(record_id, ())
        ]
        guesses = [
            {"model_version": model, "result": _results(codes[record_id], text, questionnaire)}
            for model, codes in predictions.items()
            if record_id in codes
        ]
        data = {"record_id": record_id, TEXT: text}
        tasks.append({"id": n, "data": data, "annotations": annotations, "predictions": guesses})
    return json.dumps(tasks, ensure_ascii=False, indent=1)


def _results(codes: Sequence[Code], text: str, questionnaire: Questionnaire) -> list[dict[str, Any]]:
    offsets = Utf16Offsets(text)
    results: list[dict[str, Any]] = []
    answers: dict[str, list[Any]] = {}
    notes = [code.notes for code in codes if code.notes]
    for code in codes:
        given = answers.setdefault(code.path[0], [])
        if code.answer not in given:
            given.append(code.answer)
    for key, given in answers.items():
        kind, field, value = _value(questionnaire[key], given)
        results.append({"from_name": key, "to_name": TEXT, "type": kind, "value": {field: value}})
    for code in codes:
        if code.start is None or code.end is None:
            continue
        place = {"start": offsets.from_characters(code.start), "end": offsets.from_characters(code.end)}
        value = {**place, "text": text[code.start : code.end], "labels": [str(code.answer)]}
        results.append({"from_name": code.path[0] + PASSAGES, "to_name": TEXT, "type": "labels", "value": value})
    if notes:
        results.append({"from_name": NOTE_CONTROL, "to_name": TEXT, "type": "textarea", "value": {"text": notes}})
    return [{"id": f"r{n}", **result} for n, result in enumerate(results)]


def _value(question: Question, given: Sequence[Any]) -> tuple[str, str, Any]:
    """The type of a control, the field of its value, and the value."""
    if question.criterion.scale.answers:
        return "choices", "choices", [str(answer) for answer in given]
    return ("number", "number", given[0]) if not isinstance(given[0], str) else ("choices", "choices", list(given))


def write_form(questionnaire: Questionnaire) -> str:
    """The labelling interface: a control for each question, one for its passages, and one for notes."""
    lines = ["<View>", f"  <Text name={quoteattr(TEXT)} value={quoteattr('$' + TEXT)}/>"]
    for question in questionnaire:
        key, criterion = question.key, question.criterion
        lines.append(f"  <Header value={quoteattr(criterion.question)}/>")
        answers = criterion.scale.answers
        if not answers:
            lines.append(f'  <Number name={quoteattr(key)} toName="{TEXT}"/>')
            continue
        choice = "multiple" if criterion.scale.level == "set" else "single"
        lines.append(f'  <Choices name={quoteattr(key)} toName="{TEXT}" choice="{choice}">')
        more = (NO_LABEL, *NON_ANSWERS) if criterion.scale.level == "set" else NON_ANSWERS
        lines += [f"    <Choice value={quoteattr(answer)}/>" for answer in (*answers, *more)]
        lines += ["  </Choices>", f'  <Labels name={quoteattr(key + PASSAGES)} toName="{TEXT}">']
        lines += [f"    <Label value={quoteattr(answer)}/>" for answer in answers]
        lines.append("  </Labels>")
    lines += [f'  <TextArea name="{NOTE_CONTROL}" toName="{TEXT}"/>', "</View>", ""]
    return "\n".join(lines)
