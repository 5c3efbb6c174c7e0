"""`Message`: one message of a prompt, with a role, a text and images.

A message has two written forms. The form that is sent contains the images themselves. The form that is stored and
hashed into the cache key contains the SHA-256 of each image, so that stored requests stay small. Without images both
forms are the same.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ..corpus.image import Image

Role = Literal["system", "user", "assistant"]
_PIXELS_PER_TOKEN = 750
_MAX_IMAGE_TOKENS = 1_600


class Message(NamedTuple):
    """One message. A plain tuple, because thousands are made per second.

    Examples
    --------
    >>> Message("user", "Is this calm?")
    Message(role='user', content='Is this calm?')
    """

    role: Role
    content: str
    images: tuple[Image, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The form that chat APIs accept."""
        if not self.images:
            return {"role": self.role, "content": self.content}
        return self._with_images([{"url": image.data_url()} for image in self.images])

    def as_stored(self) -> dict[str, Any]:
        """The form that is stored and hashed, with the hash of each image."""
        if not self.images:
            return {"role": self.role, "content": self.content}
        return self._with_images([{"url": image.reference, "mime": image.mime} for image in self.images])

    def _with_images(self, images: list[dict[str, str]]) -> dict[str, Any]:
        text = [{"type": "text", "text": self.content}] if self.content else []
        return {"role": self.role, "content": [*text, *({"type": "image_url", "image_url": image} for image in images)]}

    def __repr__(self) -> str:
        images = f", images={self.images!r}" if self.images else ""
        return f"Message(role={self.role!r}, content={self.content!r}{images})"


def estimate_image_tokens(image: Image) -> int:
    """A rough number of tokens of an image: one for 750 pixels, and at most 1,600, because providers shrink it.

    Examples
    --------
    >>> dot = Image.from_bytes(bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b"))
    >>> estimate_image_tokens(dot)
    1
    """
    width, height = image.size
    return min(-(-width * height // _PIXELS_PER_TOKEN), _MAX_IMAGE_TOKENS)
