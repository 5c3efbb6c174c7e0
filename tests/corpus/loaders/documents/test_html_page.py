"""Saved web pages and the text of HTML."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.documents.html_page import read
from buttermilk_nb.corpus.loaders.documents.html_text import html_text

SENTENCES = " ".join(f"The guard of the harbour wrote sentence {n} about the boats and the tide." for n in range(12))
PAGE = (
    "<html><head><title>The harbour</title><script>document.write('no')</script></head><body>"
    "<nav><a href='/'>Home</a> <a href='/news'>News</a></nav>"
    f"<article><h1>The harbour</h1><p>{SENTENCES}</p></article>"
    "<footer>All rights reserved <img src='http://127.0.0.1:9/x.png'></footer></body></html>"
)


def test_the_main_text_is_read_without_menus(tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    corpus = bm.load(tmp_path / "page.html")
    (record,) = corpus
    assert SENTENCES in record.content
    assert "Home" not in record.content
    assert record.metadata["title"] == "The harbour"
    assert corpus.provenance["parser"].startswith("trafilatura ")


def test_the_whole_text_is_read_if_it_is_asked_for(tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    (record,) = bm.load(tmp_path / "page.html", main_text=False)
    assert record.content.startswith("# The harbour")
    assert "All rights reserved" in record.content
    assert "document.write" not in record.content


def test_a_page_without_a_main_text_is_read_whole_and_said():
    document = read(b"<p>Short.</p>", "page.html")
    assert document.text == "Short."
    assert document.remarks == ("`page.html`: no main text could be told from the rest, so all of the page was read.",)


def test_a_page_without_a_text_is_a_sentence():
    with pytest.raises(bm.SetupError, match="`page.html` has no text; it may be written by the browser"):
        read(b"<html><body><script>x</script></body></html>", "page.html")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>One\n two.<br>Three.</p>four", "One two.\nThree.\n\nfour"),
        ("<ul><li>One</li><li><p>Two</p></li></ul>", "- One\n- Two"),
        ("<table><tr><th>Who<td>When<tr><td>Ana<td>Mon</table>", "| Who | When |\n| Ana | Mon |"),
        ("<div>One<div>Two</div>Three</div>", "One\n\nTwo\n\nThree"),
        ("<p>a <b>bold</b> <i>word</i> &amp; more", "a bold word & more"),
        ("<style>p{}</style><svg><text>x</text></svg>One", "One"),
        ("", ""),
    ],
)
def test_blocks_are_paragraphs(source, text):
    assert html_text(source, "x.html") == text


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("", "utf-8"),
        ("<meta charset='iso-8859-1'>", "iso-8859-1"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', "utf-8"),
        ('<?xml version="1.0" encoding="utf-8"?>', "utf-8"),
        ("", "utf-16"),
    ],
    ids=["none", "declared", "declared wrongly", "xml", "byte-order mark"],
)
@pytest.mark.parametrize("main_text", [True, False])
def test_letters_are_read_in_the_declared_encoding_or_the_one_that_fits(head, encoding, main_text):
    page = f"{head}<html><body><p>Der Hafen war geschlossen, der Größe wegen. Überall Käse und Äpfel.</p></body></html>"
    text = read(page.encode(encoding), "page.html", main_text=main_text).text
    assert text == "Der Hafen war geschlossen, der Größe wegen. Überall Käse und Äpfel."


def test_a_page_that_is_nested_too_deep_is_a_sentence():
    with pytest.raises(bm.SetupError, match="`page.html` is nested too deep"):
        read(b"<p>One.</p>" + b"<div>" * 5_000 + b"x", "page.html", main_text=False)
