"""The command `run`: run a flow over a corpus."""

from __future__ import annotations

from pathlib import Path

import click

from .._internal.private_files import private_files
from ..config.settings import FILE, Settings
from ..errors import SetupError
from .init import card


@click.command()
@click.argument("flow", type=click.Path(path_type=Path))
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--content", default=None, help="The column with the text.")
@click.option("--record-id", default=None, help="The column with the id.")
@click.option("--truth", multiple=True, metavar="[CRITERION=]COLUMN", help="The expert's answers; may be repeated.")
@click.option("--truth-value", multiple=True, metavar="WORD=ANSWER", help="What a word in the data means.")
@click.option("--project", default=None, help="The project's name; default: the project of this folder.")
@click.option("--path", type=click.Path(path_type=Path), default=None, help="The project's folder.")
@click.option("--limit", type=int, default=None, help="Run only this many records, from the first.")
@click.option(
    "--cache", type=click.Choice(["use", "refresh", "only", "off"]), default=None, help="How the cache is used."
)
@click.option(
    "--retry", multiple=True, help="Ask again for answers with this status, such as invalid; may be repeated."
)
@click.option("--check", is_flag=True, help="Look for mistakes and count the calls; send nothing.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write the scores to this CSV file.")
def run(
    flow: Path,
    corpus: Path,
    content: str | None,
    record_id: str | None,
    truth: tuple[str, ...],
    truth_value: tuple[str, ...],
    project: str | None,
    path: Path | None,
    limit: int | None,
    cache: str | None,
    retry: tuple[str, ...],
    check: bool,
    out: Path | None,
) -> None:
    """Run the flow in FLOW (a YAML file) over CORPUS (a file, folder or zip)."""
    from ..corpus.load import load
    from ..flows.flow import Flow
    from ..project import session

    if path is not None and project is None:
        project = Settings.read(path / FILE).name
    if out is not None and not out.absolute().parent.is_dir():
        raise SetupError(f"--out: the folder {out.absolute().parent} does not exist.")
    definition = Flow.from_yaml(flow)
    columns = dict(_split_pair(item, "*") for item in truth)
    texts = load(
        corpus,
        content=content,
        record_id=record_id,
        truth=columns or None,
        truth_values=dict(_split_pair(item, None) for item in truth_value) or None,
    )
    opened_project = session.init(project, path=path) if project else session.current()
    if not texts.rejected.empty:
        click.echo(f"{len(texts.rejected)} rows were rejected; the first: {texts.rejected.reason.iloc[0]}", err=True)
    if check:
        click.echo(repr(definition.check(texts)))
        click.echo(str(definition.estimate(texts, limit=limit)))
        return
    result = definition.run(texts, limit=limit, cache=cache, retry=retry)  # type: ignore[arg-type]  # click checked the choice
    click.echo(repr(result))
    if out is not None:
        with private_files(out.absolute().parent):
            result.scores().to_csv(out, index=False)
    card([*opened_project.summary()[:2], *([("scores", str(out.absolute()))] if out else [])])


def _split_pair(text: str, default: str | None) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if sign:
        return left.strip(), right.strip()
    if default is None:
        raise SetupError(f"{text!r}: write WORD=ANSWER, for example hateful=yes.")
    return default, left.strip()
