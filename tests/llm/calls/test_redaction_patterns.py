"""The ready-made patterns: what has the usual form in several countries, and what must stay."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm
from buttermilk_nb.llm.calls.redaction_patterns import READY_MADE_PATTERNS

FOUND = {
    "email": ["ana@example.org", "a.b+news@mail.example.co.uk", "o'neil@example.ie", "jörg@beispiel.de"],
    "web": ["https://example.org/a?b=c#d", "www.example.org", "http://example.org:8080/x"],
    "handle": ["@ana_b", "@ben", "@cy@social.example", "@dot.name"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR1420041010050500013M02606", "NO9386011117947"],
    "card": ["4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005", "5555555555554444"],
    "national_id": [
        "12345678Z", "X1234567L", "2 55 08 14 168 025 38", "255081416802538", "529.982.247-25", "52998224725",
        "86095742719", "86 095 742 719", "943 476 5919", "9434765919", "44051401359", "811218-9876", "19811218-9876",
        "111222333", "046 454 286", "RSSMRA85T10A562S",
    ],
    "phone": [
        "+49 30 901820", "+44 20 7946 0958", "0044 20 7946 0958", "(02) 9374 4000", "0400 123 456", "030/901820",
        "+33 1 42 68 53 00", "01 42 68 53 00", "(555) 010-9999", "555-010-9999", "+1 555 010 9999", "+55 11 91234-5678",
    ],
}  # fmt: skip
NOT_FOUND = {
    "email": ["a@b", "at example.org", "@ana"],
    "web": ["example", "the www is old"],
    "handle": ["ana@example.org", "a @ b", "5@2", "https://example.org/@ana"],
    "iban": ["DE89 3704 0044 0532 0130 01", "AB12", "GB82WEST12345698765431"],
    "card": ["4111 1111 1111 1112", "1234 5678 9012 3456", "0000000000000000"],
    "national_id": ["12345678A", "529.982.247-26", "86095742710", "943 476 5918", "44051401358", "RSSMRA85T10A562T"],
    "phone": ["2024", "1984-2024", "12.50", "1,000,000", "3.14159", "page 112", "2026-11-30", "14:30"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FOUND.items() for text in texts])
def test_what_has_the_usual_form_is_redacted_whole(name, text):
    (redacted,), placeholders = bm.Redaction([name]).apply([f"Look: {text}, and then ({text})."])
    assert redacted == f"Look: [{name} 1], and then ([{name} 1])."
    assert placeholders == {f"[{name} 1]": text}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in NOT_FOUND.items() for text in texts])
def test_what_has_not_stays(name, text):
    assert bm.Redaction([name]).apply([f"Look: {text}, and."])[0] == [f"Look: {text}, and."]


def test_all_patterns_together_leave_plain_prose_as_it_is():
    prose = "On 30 November 2026, at 14:30, 1,204 people (12.5 %) met in room 112; see pp. 45-67 and Act 1984/17."
    assert bm.Redaction(list(READY_MADE_PATTERNS)).apply([prose]) == ([prose], {})


def test_each_pattern_is_tested():
    assert set(FOUND) == set(NOT_FOUND) == set(READY_MADE_PATTERNS)


def test_they_stand_beside_patterns_of_ones_own_and_are_part_of_the_policys_name():
    policy = bm.Redaction({"email": "ready-made", "place": "Lowtown"})
    assert policy.apply(["ana@example.org of Lowtown"])[0] == ["[email 1] of [place 1]"]
    assert policy.policy_hash.startswith("email, place (")
    assert policy.policy_hash != bm.Redaction({"email": "x", "place": "Lowtown"}).policy_hash


def test_a_name_that_is_none_of_them_is_one_sentence():
    with pytest.raises(bm.SetupError, match="no ready-made pattern `emial`; did you mean `email`"):
        bm.Redaction(["emial"])


def test_the_settings_can_name_them(make_study, server):
    make_study(toy={"local": False, "prices": {"input": 1, "output": 1}}, redact={"email": "ready-made"})
    bm.allow("hosted_vllm")
    calm = bm.Criteria("calm", "Is it calm?", flag="no")
    bm.Judge("judge", criteria=calm)("Write to ana@example.org, calmly.")
    (body,) = server.received
    assert "ana@example.org" not in str(body)
    assert "Write to [email 1], calmly." in str(body)


@pytest.mark.parametrize("name", READY_MADE_PATTERNS)
def test_a_hostile_text_does_not_hang_them(name):
    for piece in ("1", "a.", "0 ", "@a", "A1", "1-", "a@a.", "(0"):
        bm.Redaction([name]).apply([piece * 20_000])


@pytest.mark.parametrize(
    "number",
    ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000",
     "DE89-3704-0044-0532-0130-00", "de89 3704 0044 0532 0130 00", "NO93 8601 1117 947", "GB82 WEST 1234 5698 7654 32"],
)  # fmt: skip
@pytest.mark.parametrize("rest", ["", " today", " was paid.", " in May", " or", ".", ",", " 12 Euro", "\nDE"])
def test_an_account_is_found_whatever_word_follows(number, rest):
    (text,), _ = bm.Redaction(["email", "phone", "iban"]).apply([f"Pay to {number}{rest}"])
    assert text == f"Pay to [iban 1]{rest}"
