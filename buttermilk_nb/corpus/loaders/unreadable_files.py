"""Files that no reader takes, by the endings of their names, and what to do with them."""

from __future__ import annotations

_TRANSCRIPT = "make a transcript (.vtt, .srt or .txt), and load that"
_FOLDER = "put images into a folder, and load the folder"

ADVICE = {
    ".doc": "save it as .docx", ".docm": "save it as .docx", ".pages": "export it as .docx", ".xls": "save it as .xlsx",
    ".ann": "load the .txt beside it, and read the codes with bm.import_labels",
    ".qdc": "it has codes and no texts: read it with bm.Criteria.from_file",
    ".ods": "save it as .xlsx or .csv", ".pptx": "export it as .pdf", ".gz": "unpack it", ".mp3": _TRANSCRIPT,
    ".mp4": _TRANSCRIPT, ".wav": _TRANSCRIPT, ".m4a": _TRANSCRIPT, ".mov": _TRANSCRIPT, ".png": _FOLDER,
    ".jpg": _FOLDER, ".jpeg": _FOLDER,
}  # fmt: skip
"""What to do with a file that has such an ending."""
