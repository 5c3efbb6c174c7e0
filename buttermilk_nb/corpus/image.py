"""`Image`: an image of a record, as the bytes of its file.

The first bytes decide the type of an image, whatever the ending of its file, and its SHA-256 identifies it in hashes
and cache keys. Each image is decoded once when it is made, so that a broken image is noticed before anything is paid
for. It is sent unchanged, including metadata about camera and place, and images are never fetched from an address.
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
from pydantic import Field, field_serializer, field_validator, model_validator

from .._internal.frozen_model import FrozenModel
from .._internal.html import fragment
from .._internal.ids import digest
from .._internal.text import replace_surrogates, shorten
from ..errors import SetupError
from ..schema import TextRow

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

Mime = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
"""The file endings of images. The type of an image follows from its bytes."""
MAX_BYTES = 20_000_000
"""The size of the largest image that is accepted. Providers refuse larger ones."""
MAX_PIXELS = 50_000_000
"""The largest number of pixels that are decoded. A small file may claim more pixels than the memory can contain."""
_THUMBNAIL_PX = 160
_MAX_THUMBNAIL_BYTES = 5_900  # bytes at that size, less than 8 KB as text, so that saved notebooks stay small


class Image(FrozenModel):
    """One image: PNG, JPEG, GIF or WebP. Make one with `from_file` or `from_bytes`.

    Parameters
    ----------
    name
        The name in error messages and with the thumbnail. It is not part of the image's identity.
    data
        The bytes of the file.

    Raises
    ------
    SetupError
        The image is not of one of these types, is damaged, or is larger than 20 MB or 50 million pixels.

    Examples
    --------
    >>> dot = Image.from_bytes(bytes.fromhex(
    ...     "47494638396101000100800000000000ffffff2c00000000010001000002024401003b"), name="dot.gif")
    >>> dot, dot.mime, dot.sha256[:8]
    (Image('dot.gif', 1 x 1, 35 bytes), 'image/gif', '6c63cc50')
    """

    name: str = ""
    data: bytes = Field(repr=False)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read an image file."""
        file = Path(path).expanduser()
        try:
            if file.stat().st_size > MAX_BYTES:
                raise SetupError(too_large_message(file.name))
            data = file.read_bytes()
        except (OSError, ValueError) as error:  # a ValueError if the path contains a NUL character
            reason = getattr(error, "strerror", None) or error
            raise SetupError(f"the image {str(path)!r} cannot be read (looked from {Path.cwd()}): {reason}.") from error
        return cls(data=data, name=file.name)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "") -> Self:
        """Make an image from the bytes of its file."""
        return cls(data=bytes(data), name=name)

    @classmethod
    def from_body(cls, body: str, name: str = "") -> Self:
        """Make an image from a data URL, as stored in the table `texts` and in requests."""
        return cls(data=_decode_data_url(body, name), name=name)

    @field_validator("name")
    @classmethod
    def _clean_name(cls, value: str) -> str:
        return replace_surrogates(value)

    @field_validator("data", mode="before")
    @classmethod
    def _decode_data(cls, value: Any) -> Any:
        return _decode_data_url(value, "") if isinstance(value, str) else value

    @field_serializer("data", when_used="json")
    def _serialize_data(self, _: bytes) -> str:
        return self.data_url()

    @model_validator(mode="after")
    def _check_image(self) -> Self:
        display_name = f"`{self.name}`" if self.name else "this"
        if len(self.data) > MAX_BYTES:
            raise SetupError(too_large_message(self.name))
        if detect_mime(self.data) is None:
            raise SetupError(f"{display_name} is not a PNG, JPEG, GIF or WebP image; save it as one of these.")
        try:
            width, height = self.size
            if is_small := width * height <= MAX_PIXELS:
                self.thumbnail()
        except Exception as error:  # decoders raise many kinds of errors on hostile bytes
            raise SetupError(f"{display_name} cannot be shown ({error}); open it and save it again.") from error
        if not is_small:
            raise SetupError(
                f"{display_name} has {width:,} x {height:,} pixels, but at most {MAX_PIXELS:,} are allowed. Shrink it."
            )
        return self

    @cached_property
    def mime(self) -> Mime:
        """The media type, from the first bytes."""
        mime = detect_mime(self.data)
        assert mime is not None  # checked when the image was made
        return mime

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def reference(self) -> str:
        """A short reference to the image in place of its bytes: `sha256:` and the hash."""
        return f"sha256:{self.sha256}"

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as stored in the file."""
        with self._open() as picture:
            return picture.size

    def data_url(self) -> str:
        """The whole image as a data URL, the form that chat APIs accept."""
        return _data_url(self.mime, self.data)

    def as_body(self) -> str:
        """The body of the image's row in the table `texts`. `from_body` reads it."""
        return self.data_url()

    @cached_property
    def text_hash(self) -> str:
        """The hash of the image's row in the table `texts`, which stores each image once."""
        return digest("t1", "media", self.as_body())

    def as_row(self) -> TextRow:
        """The image's row in the table `texts`. Its column `version` is the `reference` that stored requests name."""
        return TextRow.of("media", self.as_body(), name=self.name or None, version=self.reference)

    def thumbnail(self, px: int = _THUMBNAIL_PX) -> str:
        """A small JPEG of the image as a data URL. An animation shows its first frame.

        Parameters
        ----------
        px
            The longer side, in pixels. At 160, the text is at most 8 KB long.
        """
        from PIL import (
            Image as Picture,  # 50 ms to import, and most corpora have no images
            ImageOps,
        )

        with self._open() as original:
            picture: Picture.Image = original.convert("RGBA") if original.mode in ("P", "1") else original
            picture.thumbnail((px, px))
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
        background = Picture.new("RGBA", upright.size, "white")
        background.alpha_composite(upright)
        max_bytes = _MAX_THUMBNAIL_BYTES * max(1, px // _THUMBNAIL_PX) ** 2
        return _data_url("image/jpeg", _small_jpeg(background.convert("RGB"), max_bytes))

    def _open(self) -> ImageFile:
        """The decoder of exactly this type. It reads only the header until the pixels are needed."""
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
        return f"Image({self.name!r}, {width} x {height}, {_format_bytes(len(self.data))})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return fragment(thumbnails_html([self]))


def detect_mime(data: bytes) -> Mime | None:
    """The media type that the first bytes declare; None if it is not one of the four."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def too_large_message(name: str) -> str:
    """The error message for an image above the size limit."""
    display_name = f"`{name}`" if name else "this"
    return f"{display_name} is too large: at most {_format_bytes(MAX_BYTES)} are allowed. Make it smaller."


def thumbnails_html(images: Sequence[Image], max_images: int = 4) -> Markup:
    """Thumbnails of the first images, with their names, as HTML."""
    tag = Markup('<img src="{0}" alt="{1}" title="{1}" style="margin:0 .4em .2em 0;vertical-align:top">')
    tags = (tag.format(image.thumbnail(), shorten(image.name or image.mime)) for image in images[:max_images])
    html = Markup("").join(tags)
    if len(images) <= max_images:
        return html
    return html + Markup('<div class="q">{}</div>').format(f"... and {len(images) - max_images:,} more")


def _small_jpeg(picture: Any, max_bytes: int) -> bytes:
    while True:
        for quality in (75, 50, 30, 10):
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= max_bytes or max(picture.size) <= 8:
                return buffer.getvalue()
        picture = picture.reduce(2)


def _data_url(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _decode_data_url(body: str, name: str) -> bytes:
    head, comma, data = body.partition(";base64,")
    try:
        if not comma or not head.startswith("data:"):
            raise ValueError("it does not begin with `data:`")
        return base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error) as error:
        display_name = f"`{name}`" if name else shorten(body, 40)
        raise SetupError(
            f"{display_name} is not an image in a data URL: {error}. For a file, write Image.from_file(...)."
        ) from error


def _format_bytes(size: int) -> str:
    for unit, scale in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}".replace(".0 ", " ")
    return f"{size} bytes"
