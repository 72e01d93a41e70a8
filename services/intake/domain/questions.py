"""Questions that help a reporter tell more, by kind (`questions.toml`). No I/O beyond the file that ships with it."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LONGEST_ANSWER = 200


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z_-]*$")
    zh: str
    en: str


class Option(_Data):
    """One answer to choose; `says` is what it adds to the tip, else its words after the question's lead."""

    says: str = ""


class Question(_Data):
    """One short question; it can always be skipped."""

    form: Literal["one", "many", "text"]
    lead: str
    options: tuple[Option, ...] = Field(default=(), alias="option")


class Kind(_Data):
    """What a reporter can tick, and what is then asked. `kinds` are the tip kinds it stands for (D-F among them)."""

    kinds: tuple[str, ...]
    says: str
    danger: bool = False
    questions: tuple[Question, ...] = Field(default=(), alias="question")


class Catalogue(BaseModel):
    """All kinds in the order they are shown, and the questions of every report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[Kind, ...] = Field(alias="kind")
    common: tuple[Question, ...]

    def of(self, ticked: Sequence[str]) -> tuple[Question, ...]:
        """The questions for what was ticked, then those of every report."""
        chosen = [question for kind in self.kinds if kind.id in ticked for question in kind.questions]
        return (*chosen, *self.common)


@cache
def catalogue() -> Catalogue:
    """The shipped questions. Ids are unique, a question to choose from has options, a typed one has none."""
    made = Catalogue.model_validate(
        tomllib.loads((files(__package__) / "questions.toml").read_text(encoding="utf-8"))
    )
    asked = [question for kind in made.kinds for question in kind.questions] + list(made.common)
    if len({question.id for question in asked}) != len(asked):
        raise ValueError("questions.toml: two questions have the same id")
    for question in asked:
        if (question.form == "text") == bool(question.options):
            raise ValueError(f"questions.toml: {question.id}: options and form do not fit")
    return made


def parsed(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Answers as sent, `question=option` or `question=typed words`, as question → answers. Unknown ones are left out.

    Of a question with one answer the last stands; typed words are cut at `LONGEST_ANSWER`.
    """
    known = {q.id: q for kind in catalogue().kinds for q in kind.questions} | {q.id: q for q in catalogue().common}
    answers: dict[str, tuple[str, ...]] = {}
    for one in given:
        asked, _, said = one.partition("=")
        question = known.get(asked)
        said = " ".join(said.split())[:LONGEST_ANSWER]
        if question is None or not said:
            continue
        if question.form == "text" or (question.form == "one" and _option(question, said)):
            answers[asked] = (said,)
        elif question.form == "many" and _option(question, said) and said not in answers.get(asked, ()):
            answers[asked] = (*answers.get(asked, ()), said)
    return answers


def statements(ticked: Sequence[str], answers: Mapping[str, Sequence[str]]) -> str:
    """What was ticked and answered, as it is added under the reporter's own words; empty when nothing was."""
    book = catalogue()
    chosen = [kind.says for kind in book.kinds if kind.id in ticked]
    told = []
    for question in book.of([kind.id for kind in book.kinds]):
        given = answers.get(question.id, ())
        if question.form == "text":
            told += [f"{question.lead}：{said}" for said in given]
            continue
        picked = [option for said in given if (option := _option(question, said))]
        plain = [option.zh for option in picked if not option.says]
        told += [option.says for option in picked if option.says]
        if plain:
            told.append(f"{question.lead}：{'、'.join(plain)}")
    lines = []
    if chosen:
        lines.append(f"（举报人勾选：{'；'.join(chosen)}）")
    if told:
        lines.append(f"（举报人另答：{'；'.join(told)}）")
    return "\n".join(lines)


def _option(question: Question, said: str) -> Option | None:
    return next((option for option in question.options if option.id == said), None)
