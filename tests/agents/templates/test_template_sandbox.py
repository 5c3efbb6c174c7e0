"""Templates of other people: they read plain data, call nothing, and end."""

from __future__ import annotations

import io
import types
from functools import partial

import pytest
from jinja2 import Undefined
from jinja2.runtime import LoopContext
from jinja2.utils import Cycler, Joiner, Namespace
from PIL import Image as Picture

from buttermilk_nb.agents.prompt import Prompt
from buttermilk_nb.agents.templates import template_limits
from buttermilk_nb.agents.templates.template_limits import MAX_ITEMS
from buttermilk_nb.agents.templates.template_sandbox import ENVIRONMENT
from buttermilk_nb.agents.templates.template_values import TemplateView, plain_values
from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.corpus.image import Image
from buttermilk_nb.corpus.record import Record, RecordView
from buttermilk_nb.errors import SetupError


def picture():
    file = io.BytesIO()
    Picture.new("RGB", (4, 3), "teal").save(file, "PNG")
    return Image.from_bytes(file.getvalue(), "one.png")


RECORD = Record(
    record_id="r1",
    content="A quiet day.",
    metadata={"title": "Day", "parts": [{"n": 1, "of": ["a", "b"]}], "share": 0.5, "none": None},
    ground_truth={"*": "yes"},
    images=[picture()],
)
CRITERIA = Criteria(
    "tone",
    "How does it sound?",
    criteria={
        "calm": {"question": "Is it calm?", "flag": "no", "include": ["whispers"], "cues": {"yes": ["secret-cue"]}},
        "heat": {"question": "How heated?", "scale": "1-5", "examples": {"1": ["cold"]}},
        "kind": {"question": "Which?", "scale": "a | b", "non_answers": ["cannot tell"]},
        "share": {"question": "How much?", "scale": "0..1"},
        "all": {"question": "Which of them?", "scale": "labels: a | b | c"},
    },
)
ANSWER = {"calm": {"answer": "yes", "conclusion": "Calm.", "reasons": ["It is."], "uncertainty": "low", "model": "m"}}
VALUES = {
    "record": RECORD.view(),
    "criteria": CRITERIA,
    "answer_format": "Answer in JSON.",
    "instruction": "List them.",
    "about": "",
    "text_a": "one",
    "text_b": "two",
    "inputs": {"judge": [ANSWER], "gist": "Short.", "length": 4},
    "answers": [{"id": "A1", "criteria": ANSWER}],
    "expert_reasons": [{"id": "E1", "criterion": "calm", "text": "It is."}],
}
"""Every variable that some kind of agent gives to a template."""
PICKLE = {
    "parse_raw",
    "parse_file",
    "model_validate_json",
    "model_construct",
    "copy",
    "construct",
    "model_copy",
    "json",
}
PLAIN = str | int | float | types.NoneType | list | tuple | dict | RecordView | TemplateView | Image


def reachable():
    """Every object that a template reaches from its variables, with the path to it."""
    rest = [(name, value) for name, value in plain_values(VALUES).items()]
    loop = LoopContext([1, 2], Undefined)
    next(loop)
    rest += [("loop", loop), ("cycler", Cycler(1)), ("joiner", Joiner())]
    rest += [("namespace", Namespace(a=1)), ("range", range(3)), ("number", 7), ("truth", True), ("text", "x")]
    while rest:
        path, value = rest.pop()
        yield path, value
        if isinstance(value, dict):
            rest += [(f"{path}.{key}", part) for key, part in value.items()]
        elif isinstance(value, list | tuple):
            rest += [(f"{path}[{position}]", part) for position, part in enumerate(value)]
        elif isinstance(value, TemplateView):
            rest += [(f"{path}.{key}", part) for key, part in value.fields.items()]
        elif isinstance(value, RecordView):
            rest += [(f"{path}.{key}", getattr(value, key)) for key in RecordView.__slots__]


def test_no_attribute_of_anything_that_a_template_reaches_is_an_object_of_the_package():
    tried = 0
    for path, value in reachable():
        for name in {*dir(value), *PICKLE, "__class__", "__globals__", "_fields", "__wrapped__", "func_globals"}:
            for got in (ENVIRONMENT.getattr(value, name), ENVIRONMENT.getitem(value, name)):
                tried += 1
                if isinstance(got, Undefined | PLAIN):
                    continue
                assert ENVIRONMENT.is_safe_callable(got), f"{path}.{name}"
                owner = got.args[0] if isinstance(got, partial) else got.__self__
                assert isinstance(owner, str | dict | LoopContext | Cycler), f"{path}.{name}"
    assert tried > 5_000


def test_every_attribute_written_in_a_template_is_data_or_a_sentence():
    names = {"__class__", "__init__", "__dict__", "__reduce__", "_record", *PICKLE, *dir(CRITERIA), *dir(RECORD)}
    tried = 0
    for path in ("record", "criteria", "criteria.criteria[0]", "criteria.criteria[0].scale", "record.images[0]"):
        known = {"name", "text", "content", "question", "mime", "record_id", "overall", "version", "flag", "uri"}
        for name in sorted(names - known - {"metadata", "images", "criteria"}):
            for lookup in (f".{name}", f"['{name}']", f"|attr('{name}')"):
                tried += 1
                try:
                    filled(f"{{{{ {path}{lookup} }}}}")
                except SetupError:
                    continue
                assert name in {*TEMPLATE_FIELDS}, f"{path}{lookup}"
    assert tried > 2_000


TEMPLATE_FIELDS = {"source", "author", "retrieved"}


def filled(template):
    return Prompt(user=template).render(VALUES)[0].content


def test_a_pickle_in_a_prompt_file_is_not_opened(tmp_path):
    marker = tmp_path / "opened"
    payload = f"cposix\nsystem\n(S'touch {marker}'\ntR."
    template = "{{ criteria.parse_raw(" + repr(payload) + ", proto='pickle', allow_pickle=True) }}"
    for target in ("criteria", "criteria.criteria[0]", "criteria.criteria[0].scale", "record", "record.images[0]"):
        with pytest.raises(SetupError, match="prompt `prompt`"):
            filled(template.replace("criteria.parse_raw", f"{target}.parse_raw"))
    assert not marker.exists()


def test_no_variable_of_a_template_has_the_cues_or_the_truth():
    everything = (
        "{{ record.metadata }} {% for c in criteria %}{{ c.question }}{{ c.examples }}{{ c.scale.answers }}{% endfor %}"
    )
    assert "secret-cue" not in filled(everything)
    with pytest.raises(SetupError, match="`criterion` has no field `cues`"):
        filled("{{ criteria.criteria[0].cues }}")


HOSTILE = {
    "a text times a number": "{{ 'x' * 10**9 }}",
    "a number times a text": "{{ 10**9 * 'x' }}",
    "a list times a number": "{{ [1] * 10**9 }}",
    "a power": "{{ 9 ** 99999 }}",
    "squares of squares": "{% set n = namespace(x=10) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "a format": "{{ '%1000000000d' % 1 }}",
    "doubled by plus": "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "doubled by tilde": "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "lists in lists": (
        "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}"
    ),
    "mappings in mappings": (
        "{% set n = namespace(x={'a': 1}) %}{% for i in range(60) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}"
    ),
    "a dict of dicts": (
        "{% set n = namespace(x={'a': 1}) %}{% for i in range(60) %}{% set n.x = dict(a=n.x, b=n.x) %}{% endfor %}"
    ),
    "a list of large lists": "{% set l = range(9999)|list %}{{ (range(9999)|map('d', 1)|map('string'))|list * 99 }}",
    "one large list many times": "{% set l = range(9999)|list %}{{ ([0] * 9999)|map('d', l, true)|list }}",
    "loops in loops": "".join(f"{{% for a{i} in range(99999) %}}" for i in range(9)) + "{% endfor %}" * 9,
    "a macro that calls itself twice": (
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}"
    ),
    "a macro that doubles": (
        "{% macro f(n) %}{% set x %}{% if n %}{{ f(n - 1) }}{% else %}ab{% endif %}{% endset %}{{ x }}{{ x }}"
        "{% endmacro %}{{ f(60) }}"
    ),
    "a macro without an end": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a call without an end": (
        "{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}{% call f() %}{{ f() }}{% endcall %}{% endcall %}"
    ),
    "replace": "{{ ('ab' * 5000)|replace('', 'x' * 100000) }}",
    "replace as a method": "{{ ('ab' * 5000).replace('', 'x' * 100000) }}",
    "join": "{{ range(99999)|join('x' * 100000) }}",
    "join as a method": "{{ ('x' * 100000).join(['a'] * 99999) }}",
    "indent": "{{ ('a\n' * 100000)|indent(10**9) }}",
    "tojson with an indent": "{{ [1, [2]]|tojson(indent=10**9) }}",
    "sum of lists": "{{ [[1] * 9999, [1] * 9999]|sum(start=[]) }}",
    "a long output": "{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
    "a wide text": "{{ 'x'|center(10**9) }}",
    "a batch": "{{ [1]|batch(10**9, 'x')|list }}",
    "a random text": "{{ lipsum(n=1000) }}",
    "a random choice": "{{ [1, 2]|random }}",
    "a long range": "{{ range(10**9)|list }}",
    "a padded text": "{{ 'x'.ljust(10**9) }}",
    "zeros": "{{ 'x'.zfill(10**9) }}",
    "a template's own context": "{{ self._TemplateReference__context }}",
    "a format method": "{{ '{0.__class__}'.format(record) }}",
    "a format by map": "{{ '{r.__class__}'.format_map({'r': record}) }}",
    "a method through a list": "{{ [criteria][0].model_dump() }}",
    "a method through map": "{{ [criteria]|map(attribute='model_dump')|first }}",
    "a method through groupby": "{{ [record]|groupby('__class__') }}",
    "a method through select": "{{ [criteria]|selectattr('__class__')|list }}",
    "a class through a macro": "{% macro f() %}{% endmacro %}{{ f.__class__ }}",
    "a class through a loop": "{% for i in [1] %}{{ loop.__class__ }}{% endfor %}",
    "the globals of a function": "{{ range.__globals__ }}",
    "the record in a list": "{{ [record] }}",
    "a generator": "{{ ['a']|map('upper') }}",
    "a method": "{{ 'a'.upper }}",
    "a namespace": "{{ namespace(a=1) }}",
    "another file": "{% include '/etc/passwd' %}",
    "an import": "{% import 'os' as os %}",
    "a number of a hundred million digits": "{{ 1.5|round(100000000, 'ceil') }}",
    "a number of as many places before": "{{ 1.5|round(-100000000, 'floor') }}",
    "a text coded again and again": "{{ ('\u00e9' * 90000)|urlencode|urlencode|urlencode }}",
    "parentheses": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "lists by the letter": "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "blocks in blocks": "{% if 1 %}" * 2_000 + "{% endif %}" * 2_000,
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_is_one_sentence(template, monkeypatch):
    monkeypatch.setattr(template_limits, "MAX_SECONDS", 0.5)
    monkeypatch.setattr(template_limits, "MAX_CHARACTERS", 1_000_000)
    with pytest.raises(SetupError) as raised:
        filled(template)
    message = str(raised.value)
    assert message.startswith("prompt `prompt`")
    assert len(message) < 400
    assert "0x" not in message


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{% for c in criteria %}{{ loop.index }}.{{ c.name }} {% endfor %}", "1.calm 2.heat 3.kind 4.share 5.all "),
        ("{{ criteria[1].scale.shorthand }} {{ criteria|length }}", "1-5 5"),
        ("{{ criteria.criteria|map(attribute='name')|join(', ') }}", "calm, heat, kind, share, all"),
        ("{{ record.content.upper()[:7] ~ '...' }}", "A QUIET..."),
        ("{{ record.content.replace('quiet', 'loud')|replace('day', 'night') }}", "A loud night."),
        ("{{ ', '.join(record.metadata.parts[0].of) }} {{ record.metadata.parts|tojson }}", None),
        ("{{ record.metadata.share * 2 + 1 }} {{ 2 ** 10 }} {{ 7 % 4 }}", "2.0 1024 3"),
        ("{% set n = namespace(x=0) %}{% for i in range(5) %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}", "10"),
        ("{% macro shout(x) %}{{ x|upper }}!{% endmacro %}{{ shout('hey') }}", "HEY!"),
        ("{% for a in [3, 1, 2]|sort %}{{ a }}{{ loop.cycle('a', 'b') }}{% endfor %}", "1a2b3a"),
        ("{% set comma = joiner(', ') %}{% for a in 'abc' %}{{ comma() }}{{ a }}{% endfor %}", "a, b, c"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %} {{ [1, 2]|sum }}", "a=1 3"),
        ("{{ inputs.judge[0].calm.reasons|join }} {{ answers[0].criteria.calm.answer }}", "It is. yes"),
        ("{{ 'a\nb'|indent(2) }} {{ (1, 2)|last }} {{ none|default('x', true) }}", "a\n  b 2 x"),
        ("{% for n in [[1, [2]], 3] recursive %}{{ loop(n) if n is iterable else n }}{% endfor %}", "123"),
    ],
)  # fmt: skip
def test_what_a_prompt_needs_works(template, text):
    assert filled(template) == (text or 'a, b [{"n": 1, "of": ["a", "b"]}]')


def test_a_list_may_have_as_many_values_as_the_limit_says():
    assert filled(f"{{{{ ([1] * {MAX_ITEMS})|length }}}}") == str(MAX_ITEMS)
    with pytest.raises(SetupError, match="a list of more than 100,000 values"):
        filled(f"{{{{ [1] * {MAX_ITEMS + 1} }}}}")


def test_a_field_that_a_document_does_not_have_names_the_nearest():
    with pytest.raises(SetupError, match="`criterion` has no field `questoin`; did you mean `question`"):
        filled("{{ criteria[0].questoin }}")
    with pytest.raises(SetupError, match="`criterion` itself is not a text; write one of its fields: name, question"):
        filled("{{ criteria[0] }}")
    assert filled("{{ criteria }}") == str(CRITERIA)
