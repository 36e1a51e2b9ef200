"""The folder of questions and the views they share, read when somebody asks.

Promises that every table a file asks for is there, and that views come in an order in which each
finds those it needs. A file of a question in ``questions/`` is all it takes to have one more.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable

from msgspec import Struct

from streams.audit.question import InvalidQuestion, Question, View, read_question, read_view
from streams.audit.tables import TABLES


class UnknownQuestion(LookupError):
    """There is no such question; the message names those that are nearly called so."""


class Catalogue(Struct, frozen=True):
    """Questions and views by name."""

    questions: Mapping[str, Question]
    views: Mapping[str, View]

    def named(self, name: str) -> Question:
        """Give the question; ``UnknownQuestion`` names near ones."""
        question = self.questions.get(name)
        if question is None:
            near = get_close_matches(name, self.questions)
            hint = f"did you mean {' or '.join(near)}?" if near else "--list names them all"
            raise UnknownQuestion(f"no question {name!r}: {hint}")
        return question

    def needs(self, question: Question) -> tuple[list[str], list[View]]:
        """Raw tables that the question rests on, sorted, and its views in order of their making."""
        tables: set[str] = set()
        views: dict[str, View] = {}
        self._follow(question.tables, tables, views, ())
        return sorted(tables), list(views.values())

    def _follow(
        self,
        names: Iterable[str],
        tables: set[str],
        views: dict[str, View],
        on_way: tuple[str, ...],
    ) -> None:
        for name in names:
            if name in TABLES:
                tables.add(name)
            elif name not in views:
                if name in on_way:
                    raise InvalidQuestion(f"views need one another: {' -> '.join((*on_way, name))}")
                view = self.views[name]
                self._follow(view.tables, tables, views, (*on_way, name))
                views[name] = view


def read_catalogue(folder: Traversable | None = None) -> Catalogue:
    """Read the product's questions, or those of another folder. Raises ``InvalidQuestion``."""
    folder = folder or files("streams.audit")
    catalogue = Catalogue(
        {name: read_question(name, text) for name, text in _texts(folder / "questions")},
        {name: read_view(name, text) for name, text in _texts(folder / "views")},
    )
    every: list[Question | View] = [*catalogue.questions.values(), *catalogue.views.values()]
    for one in every:
        for table in one.tables:
            if table not in TABLES and table not in catalogue.views:
                raise InvalidQuestion(f"{one.name}.sql: there is no table or view {table!r}")
    return catalogue


def _texts(folder: Traversable) -> list[tuple[str, str]]:
    if not folder.is_dir():
        return []
    found = sorted(folder.iterdir(), key=lambda path: path.name)
    return [
        (path.name.removesuffix(".sql"), path.read_text(encoding="utf-8"))
        for path in found
        if path.name.endswith(".sql")
    ]
