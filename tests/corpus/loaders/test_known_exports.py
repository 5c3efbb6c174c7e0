"""Exports of social media: recognised, said, and overridden."""

import json

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.known_exports import KNOWN_EXPORTS

ROWS = {
    "reddit_comments": [
        {"id": "a", "body": "One.", "subreddit": "s", "link_id": "t3_x"},
        {"id": "b", "body": "[deleted]", "subreddit": "s", "link_id": "t3_x"},
        {"id": "c", "body": "", "subreddit": "s", "link_id": "t3_x"},
    ],
    "reddit_posts": [
        {"id": "a", "title": "Title", "selftext": "One.", "subreddit": "s", "author": "x"},
        {"id": "b", "title": "Title", "selftext": "[removed]", "subreddit": "s", "author": "x"},
    ],
    "x_archive": [{"tweet": {"id_str": "a", "full_text": "One."}}],
    "x_v1": [{"id_str": "a", "full_text": "One.", "user": {"id_str": "u"}}],
    "x": [{"id": "a", "text": "One.", "author_id": "u", "created_at": "2026"}],
    "bluesky": [{"uri": "a", "cid": "c", "record": {"text": "One."}}],
    "mastodon": [{"id": "a", "uri": "u", "visibility": "public", "content": "<p>One.</p>", "account": {"acct": "x"}}],
    "telegram": [
        {
            "id": "a",
            "type": "message",
            "date": "2026",
            "date_unixtime": "1",
            "text": ["On", {"type": "bold", "text": "e."}],
        },
        {"id": "b", "type": "service", "date": "2026", "date_unixtime": "1", "text": ""},
    ],
    "4cat": [{"id": "a", "thread_id": "t", "timestamp": "2026", "body": "One."}],
    "zotero": [{"id": "a", "type": "article", "title": "T", "issued": {}, "abstract": "One."}],
}


def write(tmp_path, kind):
    path = tmp_path / "posts.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS[kind])))
    return path


def test_every_export_has_a_case():
    assert set(ROWS) == set(KNOWN_EXPORTS)


@pytest.mark.parametrize("kind", KNOWN_EXPORTS)
def test_an_export_is_recognised_and_said(tmp_path, kind):
    corpus = bm.load(write(tmp_path, kind))
    text = "Title\n\nOne." if kind == "reddit_posts" else "One."
    assert [(record.record_id, record.content) for record in corpus] == [("a", text)]
    assert f"`posts.jsonl` seems to be {KNOWN_EXPORTS[kind].title}" in corpus.remarks[0]
    assert 'as_="table"' in corpus.remarks[0]
    assert corpus.provenance["read_as"] == KNOWN_EXPORTS[kind].title
    assert len(corpus) + len(corpus.rejected) == len(ROWS[kind])
    assert "One." not in str(corpus[0].metadata), "the text is in one place"


def test_deleted_and_empty_posts_are_rejected_with_the_reason(tmp_path):
    assert bm.load(write(tmp_path, "reddit_comments")).rejected.reason.tolist() == [
        "the post was deleted or removed", "the post has no text",
    ]  # fmt: skip
    assert bm.load(write(tmp_path, "reddit_posts")).rejected.reason.tolist() == ["the post was deleted or removed"]


def test_a_kind_can_be_named_or_denied(tmp_path):
    path = write(tmp_path, "4cat")
    corpus = bm.load(path, as_="4cat")
    assert (corpus[0].content, corpus.remarks) == ("One.", ())
    with pytest.raises(bm.SetupError, match="say which column contains the text"):
        bm.load(path, as_="table")
    assert bm.load(path, content="thread_id")[0].content == "t"
    with pytest.raises(bm.SetupError, match="is not posts on Bluesky: it has no column `cid`"):
        bm.load(path, as_="bluesky")
    with pytest.raises(bm.SetupError, match="as_='4kat'.*did you mean `4cat`"):
        bm.load(path, as_="4kat")
