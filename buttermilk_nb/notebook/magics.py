"""The magics. `%%criteria?` and the others show their help."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import duckdb
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display

from ..agents.judge.judge import Judge
from ..agents.prompt import Prompt
from ..codebook.criteria import Criteria
from ..errors import SetupError, nearest
from ..flows.flow import Flow
from ..project import session
from . import card


@magics_class
class ButtermilkMagics(Magics):
    """`%%criteria`, `%%judge`, `%%bmsql` and `%bm`."""

    @magic_arguments()
    @argument("name", help="the name of the criteria, and of the variable that holds them")
    @argument("--scale", default=None, help="yes/no (the default), 1-5, 0..1, 'one | two', 'labels: one | two'")
    @argument("--flag", default=None, help="which answers are the finding: no, 'fear | anger', '>= 4'")
    @argument(
        "--cues",
        action="append",
        default=[],
        metavar="ANSWER=WORDS",
        help="cue words for the offline baselines, never sent: --cues 'no=dregs, scum*'; may be repeated",
    )
    @argument("--non-answers", default=None, help="'cannot tell', 'not applicable', or both with a | between")
    @cell_magic
    def criteria(self, line: str, cell: str) -> None:
        """Define criteria: the cell is the question, or a document with front matter.

        Example::

            %%criteria respect --scale yes/no --flag no
            Does the article treat the people it describes with respect?
        """
        args = _arguments(self.criteria, line)
        if cell.lstrip().startswith("---"):
            if args.scale or args.flag or args.cues or args.non_answers:
                raise SetupError("this cell has front matter; write scale, flag, cues and non-answers there.")
            made = Criteria.from_markdown(cell, name=args.name)
        else:
            fields: dict[str, Any] = {"scale": args.scale, "flag": args.flag}
            if args.cues:
                fields["cues"] = dict(_cue(given) for given in args.cues)
            if args.non_answers:
                fields["non_answers"] = [part.strip() for part in args.non_answers.split("|")]
            made = Criteria(args.name, cell.strip(), **fields)
        self._keep(args.name, made)
        display(made)

    @magic_arguments()
    @argument("name", help="the judge's name, and of the variable that holds it")
    @argument("--criteria", "-c", action="append", required=True, help="a variable or a file; may be repeated")
    @argument("--models", "-m", default=None, help="models or a set, parted by commas; default: the project's judges")
    @argument("--replicates", "-n", type=int, default=1, help="how often each model is asked the same")
    @argument("--ask", default="together", help="together (one request a document) or separately")
    @argument("--temperature", type=float, default=None, help="sampling temperature; default 0")
    @argument("--run", metavar="CORPUS", default=None, help="run it over this variable")
    @argument("--limit", type=int, default=None, help="with --run: only the first so many records")
    @argument("--into", default=None, help="with --run: the variable for the scores; default NAME_scores")
    @line_cell_magic
    def judge(self, line: str, cell: str | None = None) -> None:
        """Define a judge, and with --run put it to work. The cell, where there is one, is its prompt.

        Example::

            %judge strict --criteria respect --models offline/strict --run articles
        """
        args = _arguments(self.judge, line)
        space = self.shell.user_ns
        documents = [self._criteria(given) for given in args.criteria]
        fields: dict[str, Any] = {"models": args.models.split(",") if args.models else None}
        if fields["models"]:
            fields["models"] = [name.strip() for name in fields["models"]]
            if len(fields["models"]) == 1:
                fields["models"] = fields["models"][0]
        if args.temperature is not None:
            fields["params"] = {"temperature": args.temperature}
        if cell and cell.strip():
            fields["prompt"] = Prompt.from_text(cell, name=args.name)
        made = Judge(args.name, criteria=documents, replicates=args.replicates, ask=args.ask, **fields)
        self._keep(args.name, made)
        if not args.run:
            display(made)
            return
        if args.run not in space:
            raise SetupError(f"--run: there is no variable `{args.run}`; {nearest(args.run, _own(space))}")
        run = Flow(args.name, [made]).run(space[args.run], limit=args.limit)
        space[args.into or f"{_variable(args.name)}_scores"] = run.scores()
        display(run)

    @magic_arguments()
    @argument("--into", default=None, help="a variable for the result; then nothing is shown")
    @argument("query", nargs="*", help="the query, where it stands on the line")
    @line_cell_magic
    def bmsql(self, line: str, cell: str | None = None) -> Any:
        """Ask the project's tables in SQL; `$name` in the query is the variable of that name.

        Example::

            %%bmsql
            select model, avg(flagged::int) as flagged from latest_scores group by all
        """
        if cell is None:
            found_into = re.match(r"\s*--into\s+(\w+)\s+(.*)", line, re.DOTALL)
            into, query = (found_into[1], found_into[2]) if found_into else (None, line)
        else:
            args = _arguments(self.bmsql, line)
            into, query = args.into, cell
        try:
            wanted = {name for statement in duckdb.extract_statements(query) for name in statement.named_parameters}
        except duckdb.Error:
            wanted = set()  # `sql` says what is wrong with it
        space = self.shell.user_ns
        for name in wanted:
            if name not in space:
                raise SetupError(f"the query uses ${name}, and there is no such variable; {nearest(name, _own(space))}")
        found = session.sql(query, {name: space[name] for name in wanted} or None)
        if into is None:
            return found
        space[into] = found
        return None

    @magic_arguments()
    @argument("what", nargs="?", default="status", choices=["status", "models", "cache"], help="what to show")
    @line_magic
    def bm(self, line: str) -> None:
        """Show the open project (`%bm`), its models (`%bm models`) or its cache (`%bm cache`)."""
        args = _arguments(self.bm, line)
        open_now = session.current()
        if args.what == "status":
            card.show(open_now)
        elif args.what == "models":
            for name, models in open_now.settings.sets.items():
                print(f"{name}:")  # noqa: T201  # the user asked for it
                for model in models:
                    print(f"  {open_now.model(model)!r}")  # noqa: T201  # as above
        else:
            print(f"{len(open_now.cache):,} answers in {open_now.cache.folder} (mode {open_now.cache_mode})")  # noqa: T201  # as above

    def _keep(self, name: str, made: Criteria | Judge) -> None:
        """Put it into the variable of that name, unless that would hide something of another kind."""
        variable = _variable(name)
        there = self.shell.user_ns.get(variable)
        if there is not None and not isinstance(there, Criteria | Judge):
            raise SetupError(f"the variable `{variable}` holds {type(there).__name__} already; choose another name.")
        self.shell.user_ns[variable] = made

    def _criteria(self, given: str) -> Criteria:
        found = self.shell.user_ns.get(given)
        if isinstance(found, Criteria):
            return found
        if Path(given).suffix:
            return Criteria.from_file(given)
        known = [name for name, value in self.shell.user_ns.items() if isinstance(value, Criteria)]
        raise SetupError(f"--criteria: `{given}` is neither criteria nor a file; {nearest(given, known)}")


def _arguments(magic: Any, line: str) -> Any:
    """The options of a line, with quotes as a shell reads them (IPython's own reader keeps them)."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SetupError(f"%{magic.__name__}: {str(error).lower()}; check the quotation marks.") from None
    return magic.parser.parse_args(words)


def _cue(given: str) -> tuple[str, list[str]]:
    if re.search(r";[^;=]*=", given):
        raise SetupError(f"--cues {given!r}: write --cues once for each answer: --cues '5=scum' --cues '1=thanks'.")
    answer, sign, words = given.partition("=")
    if not sign:
        raise SetupError(f"--cues {given!r}: write ANSWER=WORDS, for example 'no=dregs, scum*'.")
    return answer.strip(), [word.strip() for word in words.split(",") if word.strip()]


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _own(space: dict[str, Any]) -> list[str]:
    return [name for name in space if not name.startswith("_")]
