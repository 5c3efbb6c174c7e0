"""The command `run`: run a flow over a corpus."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click

from .._internal.private_files import private_files
from .._internal.text import pluralise
from ..config.settings import FILE, Settings, find_upwards
from ..errors import SetupError
from ..project.project_folder import find_folder
from .init import card
from .shell_words import in_shell_words

_OWN_OPTIONS = {
    "content": "--content", "record_id": "--record-id", "truth": "--truth", "truth_values": "--truth-value",
    "coders": "--coders", "reasons": "--reasons", "cluster": "--cluster",
}  # fmt: skip
_RUN_OPTIONS = ("limit", "cache", "retry", "budget_usd", "time_limit_s", "concurrency", "batch", "yes")


@click.command()
@click.argument("flow", type=click.Path(path_type=Path))
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--content", default=None, help="The column with the text.")
@click.option("--record-id", default=None, help="The column with the id.")
@click.option("--truth", multiple=True, metavar="[CRITERION=]COLUMN", help="The expert's answers; may be repeated.")
@click.option(
    "--truth-value", "truth_values", multiple=True, metavar="WORD=ANSWER", help="What a word in the data means."
)
@click.option("--coders", multiple=True, metavar="CODER[:CRITERION]=COLUMN", help="A person's codes; may be repeated.")
@click.option("--reasons", multiple=True, metavar="[CRITERION=]COLUMN", help="The expert's reasons; may be repeated.")
@click.option("--cluster", default=None, help="The column with the cluster, such as the author.")
@click.option(
    "-o",
    "format_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="How the file is read: encoding, delimiter, sheet, ...",
)
@click.option("--project", default=None, help="The project's name; default: the project of this folder.")
@click.option("--path", type=click.Path(path_type=Path), default=None, help="The project's folder.")
@click.option("--limit", type=int, default=None, help="Run only this many records, from the first.")
@click.option(
    "--cache", type=click.Choice(["use", "refresh", "only", "off"]), default=None, help="How the cache is used."
)
@click.option(
    "--retry", multiple=True, help="Ask again for answers with this status, such as invalid; may be repeated."
)
@click.option(
    "--budget", "budget_usd", type=float, default=None, metavar="USD", help="The most that this run may spend."
)
@click.option("--time-limit", "time_limit_s", type=float, default=None, metavar="SECONDS", help="Stop after this time.")
@click.option("--concurrency", type=int, default=None, help="Calls at the same time.")
@click.option("--batch", is_flag=True, help="Send requests as batches: at half the price, within a day.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--check", is_flag=True, help="Look for mistakes and count the calls; send nothing.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write the scores to this CSV file.")
@click.option(
    "--errors", type=click.Path(path_type=Path), default=None, help="Write the answers that are missing to a CSV file."
)
def run(
    flow: Path,
    corpus: Path,
    project: str | None,
    path: Path | None,
    check: bool,
    out: Path | None,
    errors: Path | None,
    **options: Any,
) -> None:
    """Run the flow in FLOW (a YAML file) over CORPUS (a file, folder or zip).

    Example: buttermilk-nb run flow.yaml articles.csv --content body --record-id id --out scores.csv
    """
    from ..corpus.load import load
    from ..flows.flow import Flow
    from ..project import session

    if path is not None and project is None:
        project = Settings.read(path / FILE).name
    tables = [(name, place) for name, place in (("scores", out), ("errors", errors)) if place is not None]
    for _, place in tables:
        if not place.absolute().parent.is_dir():
            option = "--out" if place is out else "--errors"
            raise SetupError(f"{option}: the folder {place.absolute().parent} does not exist.")
    definition = Flow.from_yaml(flow)
    texts = load(corpus, **_corpus_options(options))
    if not texts.rejected.empty:
        n, first = len(texts.rejected), texts.rejected.iloc[0]
        verb = "was" if n == 1 else "were"
        click.echo(f"{pluralise(n, 'row')} {verb} rejected; the first, {first.line}: {first.reason}.", err=True)
    if check:
        with _project_to_check(project, path):
            click.echo(in_shell_words(repr(definition.check(texts))))
            click.echo(in_shell_words(str(definition.estimate(texts, limit=options["limit"]))))
        return
    remark = io.StringIO()
    with redirect_stdout(remark):
        opened_project = session.init(project, path=path) if project else session.current()
    click.echo(in_shell_words(remark.getvalue()), nl=False)
    result = definition.run(texts, **{name: options[name] for name in _RUN_OPTIONS})
    click.echo(in_shell_words(repr(result)))
    for name, place in tables:
        with private_files(place.absolute().parent):
            getattr(result, name)().to_csv(place, index=False)
    card([*opened_project.summary()[:2], *((name, str(place.absolute())) for name, place in tables)])


def _corpus_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `load`."""
    words = [_split_pair(item, example="WORD=ANSWER, such as hateful=yes") for item in options["truth_values"]]
    return {
        **{name: options[name] for name in ("content", "record_id", "cluster")},
        "truth": dict(_split_pair(item, "*") for item in options["truth"]) or None,
        "truth_values": dict(words) or None,
        "coders": _coder_columns(options["coders"]) or None,
        "reasons": dict(_split_pair(item, "*") for item in options["reasons"]) or None,
        **_format_options(options["format_options"]),
    }


@contextmanager
def _project_to_check(name: str | None, path: Path | None) -> Iterator[None]:
    """The project, if there is one; else one in a folder that is gone afterwards, because a check makes nothing."""
    from ..project import session

    folder = path if path is not None else find_folder(name, Path.cwd())[0] if name else None
    if (folder / FILE).is_file() if folder is not None else bool(find_upwards(Path.cwd())):
        _ = session.init(name, path=path) if name else session.current()
        yield
        return
    with (
        tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as new_folder,
        session.init(name or "check", path=new_folder),
    ):
        shown = f"`{name}` " if name else ""
        click.echo(f"There is no project {shown}here yet, and this check makes none.")
        yield


def _split_pair(text: str, default: str | None = None, *, example: str = "") -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if sign:
        return left.strip(), right.strip()
    if default is None:
        raise SetupError(f"{text!r} has no `=`: write {example}.")
    return default, left.strip()


def _coder_columns(items: tuple[str, ...]) -> dict[str, str | dict[str, str]]:
    """The columns of each coder: one for all criteria, or one for each that is named."""
    by_coder: dict[str, dict[str, str]] = {}
    for item in items:
        name, column = _split_pair(item, example="CODER=COLUMN, such as ana=ana_code")
        coder, _, criterion = name.partition(":")
        by_coder.setdefault(coder.strip(), {})[criterion.strip() or "*"] = column
    return {coder: columns["*"] if set(columns) == {"*"} else columns for coder, columns in by_coder.items()}


def _format_options(items: tuple[str, ...]) -> dict[str, Any]:
    """The options of the file's format: whole numbers and true or false as such, all else as text."""
    options: dict[str, Any] = {}
    for item in items:
        name, value = _split_pair(item, example="NAME=VALUE, such as encoding=utf-8")
        name = name.replace("-", "_")
        if name in _OWN_OPTIONS:
            raise SetupError(f"-o is for options of the file: write {_OWN_OPTIONS[name]} {value}.")
        truth = {"true": True, "false": False}.get(value.lower())
        if name == "header" and value.isascii() and value.isdigit():
            options[name] = int(value)
            continue
        value = value.replace("\\t", "\t") if name == "delimiter" else value
        options[name] = value if truth is None else truth
    return options
