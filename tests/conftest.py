"""What every test has: an empty working folder, no key of this machine, and no open project before and after."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from support.paths import TESTS

from buttermilk_nb.llm.calls import sender
from buttermilk_nb.project import session

pytest_plugins = [
    "support.batch_projects",
    "support.bigquery_server",
    "support.caches",
    "support.chat_projects",
    "support.embedding_projects",
    "support.figures",
    "support.ipython_shell",
    "support.judged_projects",
    "support.jupyterlab",
    "support.keys",
    "support.litellm_proxy",
    "support.pairs",
    "support.posts_generator",
    "support.prepared_store",
    "support.processes",
    "support.projects",
    "support.scripted_judges",
    "support.servers",
    "support.stores",
]


# What `-m "not slow"` leaves out: folders, and files that take four seconds or more.
SLOW = [
    TESTS / path
    for path in (
        "flows/batch",
        "llm/embeddings",
        "notebook/browser",
        "store/erasure",
        "store/exporters",
        "system/benchmarks",
        "system/examples",
        "system/notebooks",
        "system/packaging",
        "system/real_data",
        "system/stress",
        "agents/meta/test_differences.py",
        "agents/meta/test_panel.py",
        "agents/meta/test_scorer.py",
        "agents/meta/test_synthesiser.py",
        "agents/pairwise/test_pairwise.py",
        "agents/test_ask_model.py",
        "analysis/bias_correction/test_simulated_studies.py",
        "analysis/coefficients/test_invariants.py",
        "analysis/comparison/test_compare.py",
        "analysis/frames/test_human_codes.py",
        "analysis/frames/test_side_by_side.py",
        "analysis/metrics/test_bounds.py",
        "cli/test_demo.py",
        "config/test_key_sources.py",
        "corpus/loaders/test_hostile_files.py",
        "flows/data_statement/test_data_statement.py",
        "flows/execution/test_runner_interrupts.py",
        "flows/test_hostile_records.py",
        "flows/test_needs.py",
        "flows/test_plan.py",
        "flows/test_retry.py",
        "flows/test_statuses.py",
        "flows/test_step.py",
        "human_coding/label_import/test_import_labels.py",
        "human_coding/session/test_coding_session.py",
        "human_coding/test_adjudication.py",
        "human_coding/test_samples.py",
        "llm/answers/test_parsing_time.py",
        "llm/cache/test_cache.py",
        "llm/calls/test_budget.py",
        "llm/calls/test_budget_limits.py",
        "llm/calls/test_consent.py",
        "llm/calls/test_local_only.py",
        "llm/calls/test_parameters.py",
        "llm/calls/test_rate_limits.py",
        "llm/calls/test_sender_retries.py",
        "llm/providers/test_endpoints.py",
        "llm/providers/test_litellm.py",
        "llm/providers/test_map_errors.py",
        "llm/providers/test_scripted.py",
        "llm/providers/test_system_proxy.py",
        "notebook/test_coding_form.py",
        "notebook/test_magics.py",
        "project/test_model_table.py",
        "project/test_private_files.py",
        "project/test_rebuild_cache.py",
        "store/importers/test_inspect_logs.py",
        "store/importers/test_score_tables.py",
        "store/test_append.py",
        "store/test_processes.py",
        "store/test_repair.py",
        "store/test_spool.py",
        "store/test_store.py",
        "store/test_user_query.py",
        "store/test_verify.py",
        "system/test_no_key_in_any_artefact.py",
        "test_wrong_arguments.py",
    )
]


# Half a minute and more each. They begin first, so that no process is left alone with one at the end.
LONGEST = [
    TESTS / path
    for path in (
        "system/notebooks/test_notebooks.py",
        "notebook/browser/test_notebooks.py",
        "system/stress/test_killed_runs.py",
        "system/benchmarks/test_benchmarks.py",
        "system/stress/test_no_sockets.py",
        "system/stress/test_flat_memory.py",
        "store/test_processes.py",
    )
]


_user_settings = tempfile.TemporaryDirectory(prefix="user_settings")


_IN_MEMORY = Path("/dev/shm")  # pytest makes a private folder in it
_NEEDED_BYTES = 4_000_000_000


def pytest_configure(config: pytest.Config) -> None:
    """Keep examples in docstrings out of this user's settings, and temporary files in memory where there is room.

    Most tests make a database, and a disk takes longer to write one than a test takes otherwise.
    """
    os.environ["XDG_CONFIG_HOME"] = _user_settings.name
    hypothesis.settings.register_profile("any machine", deadline=None)  # no result depends on how busy a machine is
    hypothesis.settings.load_profile("any machine")
    if config.option.basetemp is None and _free_bytes(_IN_MEMORY) > _NEEDED_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: many tests wait for a server, a browser or another process."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free if folder.is_dir() and os.access(folder, os.W_OK) else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, and put the longest files first; a path in the lists that does not exist is an error."""
    missing = [str(path) for path in (*SLOW, *LONGEST) if not path.exists()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py names slow tests that do not exist: {', '.join(missing)}")
    place = {path: n for n, path in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))
    slow = set(SLOW)
    for item in items:
        if not slow.isdisjoint((item.path, *item.path.parents)):
            item.add_marker("slow")


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Silence litellm's log worker: where tests call it on a loop of their own, it forgets the task on the one before.

    The collector would then print, after the last line of the tests, that a task was destroyed.
    """
    names = ("_all_tasks", "_scheduled_tasks")  # of Python 3.11, of later ones; none is public
    for task in [task for name in names for task in getattr(asyncio.tasks, name, ())]:
        if getattr(task.get_coro(), "__qualname__", "").startswith("LoggingWorker."):
            task._log_destroy_pending = False


def pytest_collection_finish() -> None:
    """Let the garbage collector look seldom at what was imported, which the tests keep to the end anyway."""
    gc.collect()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Hear Ctrl-C, also where a shell has started the tests in the background and told them to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _isolated(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    no_key_of_this_machine: None,
    tables_are_copied: None,
) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("user_settings")))
    session.close()
    yield
    session.close()
    sender._shared_limiters.clear()
