"""Small documents, made with the formats' own tools where there are some."""

from __future__ import annotations

import io
import zipfile


def make_docx(build):
    """The bytes of a document of Word that `build(document)` has filled."""
    import docx

    document = docx.Document()
    build(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def make_odt(build):
    """The bytes of an OpenDocument text that `build(body, odfdo)` has filled."""
    import odfdo

    document = odfdo.Document("text")
    document.body.clear()
    build(document.body, odfdo)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def make_pdf(pages, title="", password=False):
    """The bytes of a PDF with one line of text per page, or an empty page for an empty text."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for n, text in enumerate(pages):
        lines = "".join(f"({line}) Tj T* " for line in text.split("\n")) if text else ""
        content = f"BT /F1 12 Tf 14 TL 72 720 Td {lines}ET".encode()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    objects.append(f"<< /Title ({title}) >>".encode())
    if password:
        objects.append(b"<< /Filter /Standard /V 1 /R 2 /O (%s) /U (%s) /P -4 >>" % (b"x" * 32, b"y" * 32))
    return _assemble(objects, len(objects) - password, len(objects) if password else 0)


def _assemble(objects, info, encryption):
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    extra = b"/Encrypt %d 0 R /ID [(a) (a)]" % encryption if encryption else b""
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R %s >>\nstartxref\n%d\n%%%%EOF\n"
    return data + trailer % (len(objects) + 1, info, extra, start)


def make_epub(chapters, title="The harbour", encrypted=False, folder="text"):
    """The bytes of a book with these chapters (HTML)."""
    buffer = io.BytesIO()
    items = "".join(
        f'<item id="c{n}" href="{folder}/c%20{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(chapters))
    )
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", container)
        if encrypted:
            archive.writestr("META-INF/encryption.xml", "<encryption/>")
            archive.writestr("META-INF/rights.xml", "<rights/>")
        dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
        facts = f"<metadata {dc}><dc:title>{title}</dc:title><dc:creator>A. Roth</dc:creator></metadata>"
        archive.writestr(
            "OEBPS/book.opf", f"<package>{facts}<manifest>{items}</manifest><spine>{order}</spine></package>"
        )
        for n, chapter in enumerate(chapters):
            archive.writestr(
                f"OEBPS/text/c {n}.xhtml", f"<html><head><title>x</title></head><body>{chapter}</body></html>"
            )
    return buffer.getvalue()


def zip_bomb(part, size=600_000_000):
    """A zip whose part unpacks to `size` zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(part, "w") as member:
        for _ in range(size // 1_000_000):
            member.write(bytes(1_000_000))
    return buffer.getvalue()
