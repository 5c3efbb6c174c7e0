"""References as XML: PubMed and arXiv."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm

PUBMED = """<?xml version="1.0"?><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><Journal>
<JournalIssue><PubDate><Year>2026</Year></PubDate></JournalIssue><Title>Harbours</Title></Journal>
<ArticleTitle>
The <i>tide</i></ArticleTitle><Abstract><AbstractText Label="AIM">We looked.</AbstractText><AbstractText Label="RESULT">
It rose.
</AbstractText></Abstract><AuthorList><Author><LastName>Roth</LastName><ForeName>Ana</ForeName></Author><Author>
<CollectiveName>The Guard</CollectiveName></Author></AuthorList><Language>eng</Language></Article></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="doi">10.1/x</ArticleId></ArticleIdList></PubmedData></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>2</PMID><Article><ArticleTitle>No abstract</ArticleTitle></Article>
</MedlineCitation></PubmedArticle></PubmedArticleSet>"""
ARXIV = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"><entry>
<id>http://arxiv.org/abs/2601.00001v2</id><title>The
 tide</title><summary> We looked.
 It rose. </summary><published>2026-01-02T00:00:00Z</published><author><name>Ana Roth</name></author>
<arxiv:doi>10.1/x</arxiv:doi><category term="cs.CL"/></entry></feed>"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_pubmed_s_abstracts_are_records(tmp_path):
    corpus = bm.load(write(tmp_path / "pubmed.xml", PUBMED))
    record = corpus[0]
    assert (record.record_id, record.content) == ("1", "AIM: We looked.\nRESULT: It rose.")
    assert record.metadata == {"title": "The tide", "authors": ["Ana Roth", "The Guard"], "journal": "Harbours",
                               "year": "2026", "doi": "10.1/x", "language": "eng"}  # fmt: skip
    assert corpus.rejected.reason.tolist() == ["the reference has no abstract"]
    assert corpus.provenance["read_as"] == "PubMed"


def test_arxiv_s_abstracts_are_records(tmp_path):
    (record,) = bm.load(write(tmp_path / "arxiv.xml", ARXIV))
    assert (record.record_id, record.content) == ("2601.00001v2", "We looked. It rose.")
    assert (record.metadata["title"], record.metadata["categories"]) == ("The tide", ["cs.CL"])


def test_damaged_and_hostile_references_are_sentences(tmp_path):
    with pytest.raises(bm.SetupError, match="cannot be read as XML"):
        bm.load(write(tmp_path / "cut.xml", PUBMED[:600]))
    bomb = PUBMED.replace('<?xml version="1.0"?>', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>')
    with pytest.raises(bm.SetupError, match="declares entities of its own"):
        bm.load(write(tmp_path / "bomb.xml", bomb))
