"""The magics `%%criteria`, `%judge`, `%%bmsql` and `%bm`.

`%%criteria?` shows the help of one.
"""

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
from ..codebook.criteria import Criteria, has_front_matter
from ..errors import SetupError, nearest
from ..flows.flow import Flow
from ..project import session
from . import card


@magics_class
class ButtermilkMagics(Magics):
    """`%%criteria`, `%%judge`, `%%bmsql` and `%bm`."""

    @magic_arguments()
    @argument("name", help="the name of the criteria, and of their variable")
    @argument("--scale", default=None, help="yes/no (the default), 1-5, 0..1, 'one | two', 'labels: one | two'")
    @argument("--flag", default=None, help="the answers that count as a finding: no, 'fear | anger', '>= 4'")
    @argument(
        "--cues",
        action="append",
        default=[],
        metavar="ANSWER=WORDS",
        help="cue words for the offline baselines, never sent to a model: --cues 'no=dregs, scum*'; may be repeated",
    )
    @argument(
        "--non-answers", default=None, help="'cannot tell', 'not applicable', or both: 'cannot tell | not applicable'"
    )
    @cell_magic
    def criteria(self, line: str, cell: str) -> None:
        """Define criteria. The notebook cell contains the question, or a document with front matter.

        Example::

            %%criteria respect --scale yes/no --flag no
            Does the article treat the people it describes with respect?
        """
        args = _arguments(self.criteria, line)
        if has_front_matter(cell):
            if args.scale or args.flag or args.cues or args.non_answers:
                raise SetupError("this cell has front matter; write scale, flag, cues and non-answers there.")
            criteria = Criteria.from_markdown(cell, name=args.name)
        else:
            fields: dict[str, Any] = {"scale": args.scale, "flag": args.flag}
            if args.cues:
                fields["cues"] = dict(_parse_cue(text) for text in args.cues)
            if args.non_answers:
                fields["non_answers"] = [part.strip() for part in args.non_answers.split("|")]
            criteria = Criteria(args.name, cell.strip(), **fields)
        self._set_variable(args.name, criteria)
        display(criteria)

    @magic_arguments()
    @argument("name", help="the name of the judge, and of its variable")
    @argument("--criteria", "-c", action="append", required=True, help="a variable or a file; may be repeated")
    @argument(
        "--models", "-m", default=None, help="models or a set, separated by commas; default: the project's judges"
    )
    @argument("--replicates", "-n", type=int, default=1, help="how often each model is asked the same question")
    @argument("--ask", default="together", help="together (one request per document) or separately")
    @argument("--temperature", type=float, default=None, help="sampling temperature; default 0")
    @argument("--run", metavar="CORPUS", default=None, help="run the judge on the corpus in this variable")
    @argument(
        "--limit", type=int, default=None, help="with --run: the number of records, from the first on; default all"
    )
    @argument("--into", default=None, help="with --run: the variable for the scores; default NAME_scores")
    @line_cell_magic
    def judge(self, line: str, cell: str | None = None) -> None:
        """Define a judge, and with --run also run it. The text of the notebook cell, if there is one, is its prompt.

        Example::

            %judge strict --criteria respect --models offline/strict --run articles
        """
        args = _arguments(self.judge, line)
        variables = self.shell.user_ns
        documents = [self._load_criteria(name) for name in args.criteria]
        fields: dict[str, Any] = {"models": args.models.split(",") if args.models else None}
        if fields["models"]:
            fields["models"] = [name.strip() for name in fields["models"]]
            if len(fields["models"]) == 1:
                fields["models"] = fields["models"][0]
        if args.temperature is not None:
            fields["params"] = {"temperature": args.temperature}
        if cell and cell.strip():
            fields["prompt"] = Prompt.from_text(cell, name=args.name)
        judge = Judge(args.name, criteria=documents, replicates=args.replicates, ask=args.ask, **fields)
        self._set_variable(args.name, judge)
        if not args.run:
            display(judge)
            return
        if args.run not in variables:
            raise SetupError(f"--run: there is no variable `{args.run}`; {nearest(args.run, _public_names(variables))}")
        run = Flow(args.name, [judge]).run(variables[args.run], limit=args.limit)
        variables[args.into or f"{_variable_name(args.name)}_scores"] = run.scores()
        display(run)

    @magic_arguments()
    @argument("--into", default=None, help="a variable for the result, which is then not shown")
    @argument("query", nargs="*", help="the query, if it is on the same line")
    @line_cell_magic
    def bmsql(self, line: str, cell: str | None = None) -> Any:
        """Query the project's tables in SQL. `$name` in the query is the variable of that name.

        Example::

            %%bmsql
            select model, avg(flagged::int) as flagged from latest_scores group by all
        """
        if cell is None:
            match = re.match(r"\s*--into\s+(\w+)\s+(.*)", line, re.DOTALL)
            into, query = (match[1], match[2]) if match else (None, line)
        else:
            args = _arguments(self.bmsql, line)
            into, query = args.into, cell
        try:
            names = {name for statement in duckdb.extract_statements(query) for name in statement.named_parameters}
        except duckdb.Error:
            names = set()  # `sql` raises an error that says what is wrong with the query
        variables = self.shell.user_ns
        for name in names:
            if name not in variables:
                suggestion = nearest(name, _public_names(variables))
                raise SetupError(f"the query uses `${name}`, but there is no variable of that name; {suggestion}")
        result = session.sql(query, {name: variables[name] for name in names} or None)
        if into is None:
            return result
        variables[into] = result
        return None

    @magic_arguments()
    @argument("what", nargs="?", default="status", choices=["status", "models", "cache", "trust"], help="what to show")
    @line_magic
    def bm(self, line: str) -> None:
        """Show the open project (`%bm`), its models (`%bm models`) or its cache (`%bm cache`); confirm its settings.

        `%bm trust` confirms what `buttermilk.yaml` says about recipients, addresses and keys; see `bm.trust?`.
        """
        args = _arguments(self.bm, line)
        project = session.current()
        if args.what == "status":
            card.show_card(project)
        elif args.what == "trust":
            session.trust()
        elif args.what == "models":
            for name, models in project.settings.sets.items():
                print(f"{name}:")  # noqa: T201  # the user asked for it
                for model in models:
                    print(f"  {project.model(model)!r}")  # noqa: T201  # as above
        else:
            print(f"{len(project.cache):,} answers in {project.cache.folder} (mode {project.cache_mode})")  # noqa: T201  # as above

    def _set_variable(self, name: str, value: Criteria | Judge) -> None:
        """Assign to the variable of that name, unless it has a value of another type."""
        variable = _variable_name(name)
        current = self.shell.user_ns.get(variable)
        if current is not None and not isinstance(current, Criteria | Judge):
            raise SetupError(
                f"the variable `{variable}` already exists (a {type(current).__name__}); choose another name."
            )
        self.shell.user_ns[variable] = value

    def _load_criteria(self, name: str) -> Criteria:
        """The criteria in a variable or a file."""
        value = self.shell.user_ns.get(name)
        if isinstance(value, Criteria):
            return value
        if Path(name).suffix:
            return Criteria.from_file(name)
        criteria_names = [variable for variable, value in self.shell.user_ns.items() if isinstance(value, Criteria)]
        raise SetupError(f"--criteria: `{name}` is neither criteria nor a file; {nearest(name, criteria_names)}")


def _arguments(magic: Any, line: str) -> Any:
    """The options of a line. Quotes are removed as a shell does; IPython's own parser keeps them."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SetupError(f"%{magic.__name__}: {str(error).lower()}; check the quotation marks.") from None
    return magic.parser.parse_args(words)


def _parse_cue(text: str) -> tuple[str, list[str]]:
    if re.search(r";[^;=]*=", text):
        raise SetupError(f"--cues {text!r}: write --cues once for each answer: --cues '5=scum' --cues '1=thanks'.")
    answer, sign, words = text.partition("=")
    if not sign:
        raise SetupError(f"--cues {text!r}: write ANSWER=WORDS, for example 'no=dregs, scum*'.")
    return answer.strip(), [word.strip() for word in words.split(",") if word.strip()]


def _variable_name(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _public_names(variables: dict[str, Any]) -> list[str]:
    return [name for name in variables if not name.startswith("_")]
