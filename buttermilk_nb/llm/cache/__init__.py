"""The cache: LLM answers on disk, safe to delete, shareable, and never unpickled.

`disk` is what makes a hostile file harmless, `files` what a run needs (get, put), `answers` what a researcher
asks of the whole: what is in it, find, drop, export, import, rebuild. The cache lies below the models and
imports none of them: `entries` reads of an answer on disk only what these questions need.
"""

from .cache import AnswerCache
from .contents import CacheStats, ModelAnswers
from .export_import import ImportCount

__all__ = ["AnswerCache", "CacheStats", "ImportCount", "ModelAnswers"]
