"""What goes wrong, and what is worth knowing."""

from __future__ import annotations

from typing import Any

__all__ = ["Error", "Note"]


class Error(Exception):
    """No answer, and why: the same text, code and advice as on the command line.

    Attributes:
        code: A stable name, such as ``column_unknown``.
        help: What to do next, where that is known.
    """

    def __init__(self, text: str, *, code: str, help: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.help = help

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\n  help: {self.help}" if self.help else text

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self.args[0], self.code, self.help))


def _again(text: str, code: str, help: str | None) -> Error:
    return Error(text, code=code, help=help)


class Note(UserWarning):
    """An announced choice or something to know, also kept in ``.notes`` of what was answered.

    Silence them with ``warnings.filterwarnings("ignore", category=brasa.Note)``.

    Attributes:
        code: A stable name, such as ``bandwidth_chosen``.
        text: One sentence with the value in it.
        value: The chosen or measured value.
        unit: Its unit.
        reason: Why.
    """

    def __init__(
        self,
        text: str,
        *,
        code: str,
        value: Any = None,
        unit: str | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.value = value
        self.unit = unit
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.text} [{self.code}]"

    def __repr__(self) -> str:
        return f"Note({self.code}: {self.text})"
