"""E-mails and mailboxes."""

import mailbox
from email.message import EmailMessage

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.documents.email_message import read


def message(text="It was closed.\n", html=None, attachment=None, **headers):
    made = EmailMessage()
    for name, value in {"From": "Ana Roth <ana@example.org>", "Subject": "Größe", **headers}.items():
        made[name] = value
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    if attachment:
        made.add_attachment(b"x", maintype="application", subtype="pdf", filename=attachment)
    return made


def test_headers_are_metadata_and_attachments_are_named(tmp_path):
    made = message(attachment="minutes.pdf", Date="Mon, 02 Nov 2026 10:00:00 +0100", To="b@example.org")
    (tmp_path / "a.eml").write_bytes(made.as_bytes())
    corpus = bm.load(tmp_path / "a.eml")
    (record,) = corpus
    assert record.content == "It was closed."
    assert record.metadata["subject"] == "Größe"
    assert record.metadata["sent_at"] == "2026-11-02T10:00:00+01:00"
    assert record.metadata["sender"] == "Ana Roth <ana@example.org>"
    assert corpus.remarks == ("`a.eml`: the attachments `minutes.pdf` were left out.",)


def test_a_message_in_html_alone_is_read_as_text():
    made = EmailMessage()
    made["Subject"] = "x"
    made.set_content("<p>One.</p><script>no()</script><p>Two.</p>", subtype="html")
    assert read(made.as_bytes(), "a.eml").text == "One.\n\nTwo."


@pytest.mark.parametrize("data", [b"", b"no headers at all", b"\x00\xff\xfe"])
def test_what_is_no_message_is_a_sentence(data):
    with pytest.raises(bm.SetupError, match="cannot be read as an e-mail"):
        read(data, "a.eml")


def test_a_mailbox_has_a_record_for_each_message_and_rejects_those_without_a_text(tmp_path):
    box = mailbox.mbox(tmp_path / "list.mbox")
    for text in ("First.", " ", "Third."):
        box.add(message(text))
    box.close()
    corpus = bm.load(tmp_path / "list.mbox")
    assert [(record.record_id, record.content) for record in corpus] == [("list-1", "First."), ("list-3", "Third.")]
    assert corpus.rejected[["line", "reason"]].values.tolist() == [[2, "`list-2` has no text"]]


def test_what_is_no_mailbox_is_a_sentence(tmp_path):
    (tmp_path / "list.mbox").write_text("Hello.")
    with pytest.raises(bm.SetupError, match="it does not begin with `From `"):
        bm.load(tmp_path / "list.mbox")
