"""The cache: LLM answers on disk, safe to delete, shareable, and never unpickled.

`safe_disk` makes hostile files harmless, `storage` has what a run needs (get, put), and `cache` what a researcher needs
(statistics, find, delete, export, import, rebuild). The cache imports nothing from the models, so `entries` reads only
the fields of a stored answer that these methods need.
"""

from .cache import AnswerCache
from .contents import CacheStats, ModelAnswers
from .export_import import ImportCount

__all__ = ["AnswerCache", "CacheStats", "ImportCount", "ModelAnswers"]
