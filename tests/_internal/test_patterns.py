"""Patterns and addresses that somebody wrote: a sentence, never a full memory or a raw error."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal.addresses import host_and_port, is_this_machine
from buttermilk_nb._internal.patterns import compile_pattern

PATTERNS = ["a{99999999}", "a{2,99999999}", "a{,99999}", "(?R)", "(a(?1))", "(?P>x)", "(", "*", "[a"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_is_none_or_fills_the_memory_is_a_sentence(pattern):
    with pytest.raises(bm.SetupError, match="by: "):
        compile_pattern(pattern, "by")
    with pytest.raises(bm.SetupError, match="redact: `x`"):
        bm.Redaction({"x": pattern})
    with pytest.raises(bm.SetupError):
        bm.Corpus([bm.Record(record_id="a", content="aaa bbb")]).segment(by=pattern)


@pytest.mark.parametrize(
    "address", ["http://localhost:99999", "http://[::1", "http://localhost:abc", "http://a\uff0fb:1"]
)
def test_what_is_no_address_is_a_sentence(address):
    with pytest.raises(bm.SetupError, match="is not an address such as"):
        host_and_port(address)
    with pytest.raises(bm.SetupError):
        is_this_machine(address)


@pytest.mark.parametrize("pattern", [r"\(?0\d+", r"a\\\(?1", "[(]?0"])
def test_an_optional_bracket_before_a_digit_is_no_recursion(pattern):
    assert compile_pattern(pattern, "redact")


@pytest.mark.parametrize("pattern", [r"(a(?1)?b)", r"\\(?R)?", r"(?R)"])
def test_recursion_is_seen_behind_a_backslash_that_is_escaped(pattern):
    with pytest.raises(bm.SetupError, match="calls itself"):
        compile_pattern(pattern, "redact")
