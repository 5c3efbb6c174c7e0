"""Images: the parts of a record that are looked at instead of read.

An Image is its bytes and nothing else: what kind it is stands in its first bytes, whatever a file's
ending says, and its SHA-256 is its identity in hashes and cache keys. It is opened once when it is made, so
that a picture that cannot be shown is found before anything is paid for. It is sent as it is, with
whatever its file knows about camera and place, and no address is ever fetched to get one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

from .._internal.html import fragment
from .._internal.ids import digest
from .._internal.text import replace_surrogates, shorten
from ..errors import SetupError
from ..schema import TextRow

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

Mime = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
"""The endings under which images are looked for. What a file is, its bytes say."""
MOST_BYTES = 20_000_000
"""The largest image that is taken: providers refuse larger ones."""
MOST_PIXELS = 50_000_000
"""The most pixels that are unpacked: a small file may claim to hold more than any memory."""
_THUMBNAIL_PX = 160
_MOST_THUMBNAIL = 5_900  # bytes at that size, less than 8 KB as text, so that saved notebooks stay small


class Image(BaseModel):
    """One image: PNG, JPEG, GIF or WebP. Make one with `from_file` or `from_bytes`.

    Parameters
    ----------
    name
        What to call it in errors and under its thumbnail; not part of what it is.
    data
        The bytes of the file.

    Raises
    ------
    SetupError
        It is none of these kinds, is damaged, or is larger than 20 MB or 50 million pixels.

    Examples
    --------
    >>> dot = Image.from_bytes(bytes.fromhex(
    ...     "47494638396101000100800000000000ffffff2c00000000010001000002024401003b"), name="dot.gif")
    >>> dot, dot.mime, dot.sha256[:8]
    (Image('dot.gif', 1 x 1, 35 bytes), 'image/gif', '6c63cc50')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    data: bytes = Field(repr=False)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """ParsedAnswer an image file."""
        file = Path(path).expanduser()
        try:
            if file.stat().st_size > MOST_BYTES:
                raise SetupError(too_large(file.name))
            data = file.read_bytes()
        except OSError as error:
            raise SetupError(
                f"the image `{path}` cannot be read (looked from {Path.cwd()}): {error.strerror}."
            ) from error
        return cls(data=data, name=file.name)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "") -> Self:
        """Take an image that has been read already."""
        return cls(data=bytes(data), name=name)

    @classmethod
    def from_body(cls, body: str, name: str = "") -> Self:
        """The image in a data URL, as `texts` and requests hold it."""
        return cls(data=_unpacked(body, name), name=name)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        return replace_surrogates(value)

    @field_validator("data", mode="before")
    @classmethod
    def _data(cls, value: Any) -> Any:
        return _unpacked(value, "") if isinstance(value, str) else value

    @field_serializer("data", when_used="json")
    def _packed(self, _: bytes) -> str:
        return self.data_url()

    @model_validator(mode="after")
    def _opens(self) -> Self:
        called = f"`{self.name}`" if self.name else "this"
        if len(self.data) > MOST_BYTES:
            raise SetupError(too_large(self.name))
        if kind_of(self.data) is None:
            raise SetupError(f"{called} is not a PNG, JPEG, GIF or WebP image; save it as one of these.")
        try:
            width, height = self.size
            if small := width * height <= MOST_PIXELS:
                self.thumbnail()
        except Exception as error:  # decoders of hostile bytes raise whatever they meet
            raise SetupError(f"{called} cannot be shown ({error}); open it and save it again.") from error
        if not small:
            raise SetupError(f"{called} has {width:,} x {height:,} pixels; {MOST_PIXELS:,} are the most. Shrink it.")
        return self

    @cached_property
    def mime(self) -> Mime:
        """The media type, from the first bytes."""
        kind = kind_of(self.data)
        assert kind is not None  # checked when it was made
        return kind

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def reference(self) -> str:
        """What stands for the image where its bytes must not: `sha256:` and the hash."""
        return f"sha256:{self.sha256}"

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as stored."""
        with self._opened() as opened:
            return opened.size

    def data_url(self) -> str:
        """The whole image as a data URL, the form in which chat APIs take it."""
        return _data_url(self.mime, self.data)

    def as_body(self) -> str:
        """The body of the image's row in `texts`; `from_body` reads it."""
        return self.data_url()

    @cached_property
    def text_hash(self) -> str:
        """The hash of its row in `texts`, which holds the image once."""
        return digest("t1", "media", self.as_body())

    def as_row(self) -> TextRow:
        """Its row in `texts`; the column `version` holds its `reference`, which stored requests name."""
        return TextRow.of("media", self.as_body(), name=self.name or None, version=self.reference)

    def thumbnail(self, px: int = _THUMBNAIL_PX) -> str:
        """A small JPEG of it as a data URL; of a moving picture the first frame.

        Parameters
        ----------
        px
            The longer side, in pixels. At 160, the text is at most 8 KB long.
        """
        from PIL import (
            Image as Picture,  # 50 ms to import, and most corpora hold none
            ImageOps,
        )

        with self._opened() as opened:
            picture: Picture.Image = opened.convert("RGBA") if opened.mode in ("P", "1") else opened
            picture.thumbnail((px, px))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
        paper = Picture.new("RGBA", upright.size, "white")
        paper.alpha_composite(upright)
        return _data_url(
            "image/jpeg", _small_jpeg(paper.convert("RGB"), _MOST_THUMBNAIL * max(1, px // _THUMBNAIL_PX) ** 2)
        )

    def _opened(self) -> ImageFile:
        """The decoder of this very kind, which looks at nothing but the header until it is asked for pixels."""
        from PIL import GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

        decoders: dict[Mime, type[ImageFile]] = {
            "image/png": PngImagePlugin.PngImageFile,
            "image/jpeg": JpegImagePlugin.JpegImageFile,
            "image/gif": GifImagePlugin.GifImageFile,
            "image/webp": WebPImagePlugin.WebPImageFile,
        }
        return decoders[self.mime](io.BytesIO(self.data))

    def __repr__(self) -> str:
        width, height = self.size
        return f"Image({self.name!r}, {width} x {height}, {_bytes(len(self.data))})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return fragment(shown([self]))


def kind_of(data: bytes) -> Mime | None:
    """The media type that the first bytes declare; None where they declare none of the four."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def too_large(name: str) -> str:
    """The sentence for an image beyond the limit."""
    return f"{f'`{name}`' if name else 'this'} is too large: {_bytes(MOST_BYTES)} are the most. Make it smaller."


def shown(images: Sequence[Image], most: int = 4) -> Markup:
    """Thumbnails of the first few, with their names, as HTML."""
    one = Markup('<img src="{0}" alt="{1}" title="{1}" style="margin:0 .4em .2em 0;vertical-align:top">')
    drawn = Markup("").join(one.format(image.thumbnail(), shorten(image.name or image.mime)) for image in images[:most])
    more = f"... and {len(images) - most:,} more" if len(images) > most else ""
    return drawn + Markup('<div class="q">{}</div>').format(more) if more else drawn


def _small_jpeg(picture: Any, most: int) -> bytes:
    while True:
        for quality in (75, 50, 30, 10):
            made = io.BytesIO()
            picture.save(made, "JPEG", quality=quality)
            if made.tell() <= most or max(picture.size) <= 8:
                return made.getvalue()
        picture = picture.reduce(2)


def _data_url(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _unpacked(body: str, name: str) -> bytes:
    head, comma, data = body.partition(";base64,")
    try:
        if not comma or not head.startswith("data:"):
            raise ValueError("it does not begin with `data:`")
        return base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error) as error:
        called = f"`{name}`" if name else shorten(body, 40)
        raise SetupError(
            f"{called} is not an image in a data URL: {error}. For a file, write Image.from_file(...)."
        ) from error


def _bytes(size: int) -> str:
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}".replace(".0 ", " ")
    return f"{size} bytes"
