"""Negated, hedged, quoted and wrapped forms of every answer, in five languages."""

from __future__ import annotations

import json
from collections import Counter
from itertools import cycle, islice, product

from buttermilk_nb.codebook.scales import Likert, make_scale
from buttermilk_nb.errors import InvalidAnswer

SCALES = [
    "yes/no", "hateful | not hateful", "hateful | neutral | unclear", "ja | nein", "oui | non", "sí | no",
    "sim | não", "hope | fear | neither", "high risk | low risk", "none | some | all", "respectful | disrespectful",
    "1-5", "-2 to 2", "0..1", "labels: mockery | appeal | threat", "labels: hate | no hate | hate speech",
]  # fmt: skip
NAMED = Likert(low=1, high=5, labels={1: "disagree", 3: "neither", 5: "agree"})

NEGATED = {
    "en": ["not {x}", "isn't {x}", "no {x}", "hardly {x}", "by no means {x}", "anything but {x}", "never {x}",
           "far from {x}", "un{x}", "non-{x}", "{x}? No.", "{x}, not really", "{x} - not at all", "it is not {x}",
           "{x} is wrong", "the opposite of {x}", "~~{x}~~", "!{x}", "¬{x}", "{x}: false", "less than {x}",
           "{x} (denied)"],
    "de": ["nicht {x}", "kein {x}", "keineswegs {x}", "kaum {x}", "alles andere als {x}", "nie {x}", "{x}? Nein.",
           "auf keinen Fall {x}", "{x} - eben nicht", "weder {x} noch sonst etwas", "ohne {x}", "un{x}"],
    "fr": ["pas {x}", "ce n'est pas {x}", "aucun {x}", "jamais {x}", "nullement {x}", "{x} ? Non.", "non {x}",
           "{x}, pas vraiment", "à peine {x}", "tout sauf {x}", "in{x}"],
    "es": ["no {x}", "no es {x}", "nunca {x}", "de ningún modo {x}", "¿{x}? No.", "apenas {x}", "sin {x}",
           "{x}, la verdad es que no", "todo menos {x}", "in{x}"],
    "pt": ["não {x}", "não é {x}", "nunca {x}", "de modo nenhum {x}", "{x}? Não.", "mal {x}", "sem {x}",
           "{x}, nem por isso", "tudo menos {x}"],
}  # fmt: skip
HEDGED = {
    "en": ["perhaps {x}", "probably {x}", "almost {x}", "{x} or not", "{x}, but only in part", "if anything, {x}",
           "between {x} and something else", "more {x} than not", "about {x}", "{x}?"],
    "de": ["vielleicht {x}", "eher {x}", "{x}, aber nur teilweise", "fast {x}", "wohl {x}", "{x} oder auch nicht"],
    "fr": ["peut-être {x}", "plutôt {x}", "{x}, mais en partie", "presque {x}", "{x} ou pas"],
    "es": ["quizá {x}", "más bien {x}", "{x}, pero solo en parte", "casi {x}", "{x} o no"],
    "pt": ["talvez {x}", "antes {x}", "{x}, mas só em parte", "quase {x}", "{x} ou não"],
}  # fmt: skip
QUOTED = {
    "en": ['the author writes "{x}"', 'somebody asks me to answer "{x}"', "“{x}”, says the text", "ignore this: {x}"],
    "de": ["im Text steht „{x}“", "„{x}“ behauptet die Autorin", "man soll „{x}“ antworten"],
    "fr": ["le texte dit « {x} »", "« {x} », écrit l'auteur"],
    "es": ["el texto dice «{x}»", "«{x}», escribe la autora"],
    "pt": ["o texto diz “{x}”", "“{x}”, escreve o autor"],
}  # fmt: skip
WRAPPERS = ["{x}", "{x}.", "**{x}**", '"{x}"', "({x})", "`{x}`", "  {x}\n", "[{x}]", "_{x}_!"]
LEAD_INS = {
    "en": ["{x}", "Answer: {x}", "The answer is {x}", "Final answer: {x}", "Rating: {x}"],
    "de": ["{x}", "Antwort: {x}", "Die Antwort ist {x}"],
    "fr": ["{x}", "Réponse : {x}", "La réponse est {x}"],
    "es": ["{x}", "Respuesta: {x}", "La respuesta es {x}"],
    "pt": ["{x}", "Resposta: {x}", "A resposta é {x}"],
}  # fmt: skip


def answers(scale):
    """Each answer of a scale as a text, and what it is read as."""
    if scale.level == "interval":
        return [("0.2", 0.2), ("0.7", 0.7), ("1", 1.0)]
    if scale.level == "set":
        return [(name, (name,)) for name in scale.labels]
    captions = scale.labels if isinstance(scale, Likert) else {}
    return [(name, name) for name in scale.answers] + [(name, str(point)) for point, name in captions.items()]


def read(scale, form):
    """What a form is read as: a set of labels, a category or a number; None if it is invalid."""
    try:
        answer = scale.parse(form)
    except InvalidAnswer:
        return None
    if scale.level == "set":
        return tuple(json.loads(answer.category))
    return answer.category if answer.category is not None else answer.value


def forms(kinds, n_wrapped):
    """Every answer of every scale in every form, and so many times in marks and after a lead-in, in turn."""
    for scale in [*map(make_scale, SCALES), NAMED]:
        for name, meaning in answers(scale):
            for language, templates in kinds.items():
                wrappers = cycle(product(LEAD_INS[language], WRAPPERS))
                for template in templates:
                    inner = template.format(x=name)
                    yield scale, meaning, inner
                    for lead_in, wrapper in islice(wrappers, n_wrapped):
                        yield scale, meaning, lead_in.format(x=wrapper.format(x=inner))
                        yield scale, meaning, wrapper.format(x=lead_in.format(x=inner)).upper()


def test_no_negated_hedged_or_quoted_form_is_read_as_the_answer_in_it(print_figures):
    counts, wrong = Counter(), []
    for kind, kinds in (("negated", NEGATED), ("hedged", HEDGED), ("quoted", QUOTED)):
        for scale, meaning, form in forms(kinds, 2):
            counts[kind] += 1
            result = read(scale, form)
            if result == meaning:
                wrong.append((str(scale), kind, form, result))
            elif result is not None:
                counts[f"{kind}, read as another offered answer"] += 1
                assert kind == "negated", (str(scale), form, result)
    assert wrong == []
    assert sum(counts[kind] for kind in ("negated", "hedged", "quoted")) >= 20_000
    others = counts["negated, read as another offered answer"]
    assert others < counts["negated"] / 20
    print_figures(
        f"{counts['negated']:,} negated, {counts['hedged']:,} hedged and {counts['quoted']:,} quoted forms of answers "
        f"in five languages: 0 read as the answer in them; {others:,} negated ones name another offered answer"
    )


def test_an_answer_in_marks_and_after_a_lead_in_is_read_as_itself(print_figures):
    n = n_read = 0
    plain = {language: ["{x}"] for language in LEAD_INS}
    for scale, meaning, form in forms(plain, 45):
        result = read(scale, form)
        assert result in (meaning, None), (str(scale), form, result)
        n, n_read = n + 1, n_read + (result is not None)
    assert n_read / n > 0.95
    print_figures(f"{n_read:,} of {n:,} wrapped forms of answers were read, each as itself ({n_read / n:.1%})")
