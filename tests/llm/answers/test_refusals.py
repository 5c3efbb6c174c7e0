"""Who declines, and who only cannot find something."""

import datetime as dt
import re

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers import refusals
from buttermilk_nb.llm.answers.parse_json import is_refusal, parse_json
from buttermilk_nb.llm.completion import Completion


def completion(text, **fields):
    return Completion(text=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), raw=text, **fields)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't.",
        "I’m unable to judge this.",
        "As an AI, I cannot rate people.",
        "I must decline.",
        "I can't assist with that request.",
        "I'm sorry, but I can't help with judging this text.",
        "Sorry, I cannot do that.",
        "I will not evaluate the worth of a person.",
        "I respectfully decline to score this.",
        "I apologize, but I am not able to provide a rating for this text.",
        "As a large language model, I cannot offer an opinion on this.",
        "I won't answer that.",
        "Unfortunately, I cannot comply with this request.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Je ne peux malheureusement pas évaluer ce texte.",
        "Je ne suis pas en mesure de répondre à cette demande.",
        "Il m'est impossible de juger ce passage.",
        "Je dois refuser.",
        "Es tut mir leid, aber ich kann dabei nicht helfen.",
        "Leider kann ich diese Anfrage nicht beantworten.",
        "Ich kann diesen Text nicht bewerten.",
        "Ich bin nicht in der Lage, das zu beurteilen.",
        "Ich muss diese Anfrage ablehnen.",
        "Lo siento, pero no puedo ayudar con eso.",
        "No puedo evaluar este texto.",
        "Debo declinar.",
        "Sinto muito, mas não posso ajudar com isso.",
        "Não consigo avaliar este texto.",
        "Devo recusar.",
        "Извините, но я не могу помочь с этим.",
        "Я не могу оценить этот текст.",
        "К сожалению, я не могу этого сделать.",
        "Я вынуждена отказаться от оценки.",
        "很抱歉，我无法提供评价。",
        "对不起，我不能回答这个问题。",
        "抱歉，我無法協助。",
        "我必须拒绝这个请求。",
    ],
)
def test_declining_in_words_is_a_refusal(text):
    assert is_refusal(completion(text))
    assert is_refusal(completion(f"<think>The user wants a verdict.</think>\n{text}"))


@pytest.mark.parametrize(
    "text",
    [
        "I cannot find any evidence of contempt in this text.",
        "I can't see anything disrespectful here.",
        "I can't help but notice the respectful tone.",
        "I can't help thinking that it is mocking.",
        "I cannot rate this as hateful.",
        "I cannot classify the text as disrespectful, since it names nobody.",
        "I am unable to identify any slur.",
        "The article is respectful.",
        "He apologises to the victims; he cannot help them.",
        "Je ne peux pas trouver d'insulte dans ce texte.",
        "Je ne suis pas en mesure de trouver une insulte.",
        "Ich kann keine Beleidigung finden.",
        "Ich kann nicht erkennen, dass jemand beleidigt wird.",
        "No puedo encontrar ningún insulto.",
        "Não consigo identificar nenhum insulto.",
        "Я не могу найти оскорблений.",
        "我无法找到任何侮辱。",
        "我无法判断。",
        "I am sorry for the people in this text; it is disrespectful.",
        "I'm sorry to say that this is disrespectful.",
        "yes",
        "Answer: no",
    ],
)
def test_a_judgement_in_words_is_no_refusal(text):
    assert not is_refusal(completion(text))


@pytest.mark.parametrize(
    "text",
    [
        "The bot says \"I'm sorry, but I can't help with that\", which is polite.",
        "The author writes: “As an AI, I cannot assist with that.”",
        "Der Text lautet: „Ich kann diese Anfrage nicht beantworten.“",
        "> I can't help with that request.\nThis is polite.",
        '{"reasons": ["It says: I\'m sorry, but I can\'t help."], "answer": "yes"}',
    ],
)
def test_quoting_a_refusal_is_none(text):
    assert not is_refusal(completion(text))


def test_what_the_provider_calls_a_refusal_is_one():
    assert is_refusal(completion("", refusal="no"))
    assert is_refusal(completion("The text", finish_reason="refusal"))
    assert not is_refusal(completion("", finish_reason="stop"))


@pytest.mark.parametrize(
    "text",
    ['{"error": "I cannot assist with that request."}', '```json\n{"refusal": "I\'m sorry, but I can\'t."}\n```'],
)
def test_a_refusal_in_json_is_no_answer_but_a_refusal(text):
    with pytest.raises(InvalidAnswer, match="declined"):
        parse_json(completion(text))
    assert is_refusal(completion(text))


@pytest.mark.parametrize("part", ["cannot", "declines"])
@pytest.mark.parametrize("language", sorted(refusals._LANGUAGES))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_refusal_is_without_a_sign(language, part, data):
    """The signs spare most texts the slow patterns, so every text that a pattern can match must have one."""
    pattern = getattr(refusals._LANGUAGES[language], part)
    text = data.draw(st.from_regex(re.compile(pattern, re.IGNORECASE)))
    assert refusals._may_decline(text)


def test_most_texts_are_spared_the_patterns():
    assert not refusals._may_decline("The cue `dregs` speaks for yes: “guests of the harbour”.")
    assert not refusals._may_decline("It mocks a group for its faith.")
