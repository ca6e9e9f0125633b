"""Pasted text -> columns, the way people have it: CSV, semicolons, tabs, bars or spaces, a header
or none, quotes, decimal commas. Every complaint names the line of the paste, counted from 1.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import isfinite

MAX_ROWS = 200_000
"""Rows read from one paste: what a browser tab answers without a pause, with room to spare."""

SAMPLE = 50
"""Lines that tell what separates cells."""

_SEPARATORS = "\t;|,"
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")
_MARKDOWN_RULE = re.compile(r"[\s:|-]*\|[\s:|-]*-[\s:|-]*")
_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")

# What may part cells or lines, surround a cell or stand for nothing; other bytes are plain.
_MARKS = b"\t\n\v\f\r\x1c\x1d\x1e\x1f \"',;|"
_PLAIN = bytes(set(range(256)).difference(_MARKS))
_FOREIGN_BLANK = re.compile(r"[^\x00-\x7f\S]|\x85")
_TIDY = (",", "\t", ";", " ")

Row = Sequence[str]
Columns = tuple[Sequence[Sequence[str]], Sequence[int], bool]
"""Columns, the number of each row's line, and whether commas are decimal."""


@dataclass(frozen=True)
class Table:
    """Columns of cells; `header` in lower case, empty when the paste has none."""

    header: tuple[str, ...]
    columns: Sequence[Sequence[str]]
    lines: Sequence[int]
    decimal_comma: bool

    @property
    def width(self) -> int:
        return len(self.columns)

    def numbers(self, index: int) -> list[float]:
        """A column as finite numbers. Raises ValueError naming the first line that is none."""
        cells = self.columns[index]
        if self.decimal_comma:
            cells = "\n".join(cells).replace(",", ".").split("\n")
        try:
            found = list(map(float, cells))
        except ValueError:
            found = []
        # One sum instead of 100,000 calls; it overflows for huge numbers that are finite each.
        if found and (isfinite(sum(found)) or all(map(isfinite, found))):
            return found
        at = next(i for i, cell in enumerate(cells) if not is_number(cell))
        cell = self.columns[index][at]
        raise ValueError(f"line {self.lines[at]}: {cell!r} is not a finite number")

    def named(self, *names: str) -> int | None:
        """The one column whose header is among `names`, or None."""
        found = [i for i, name in enumerate(self.header) if name in names]
        return found[0] if len(found) == 1 else None

    def is_numeric(self, index: int) -> bool:
        try:
            self.numbers(index)
        except ValueError:
            return False
        return True


def is_number(cell: str) -> bool:
    """Whether `float` reads the cell as a finite number."""
    try:
        return isfinite(float(cell))
    except ValueError:
        return False


@lru_cache(1)  # another field may change; and letting go of 100,000 cells is not waited for
def read(text: str, header_names: tuple[str, ...] = ()) -> Table:
    """Split a paste into columns.

    The first line is a header when it holds no number and one of its cells is among `header_names`
    or stands above a number. Raises ValueError when nothing is there, rows differ in length or
    there are too many.
    """
    text = text.lstrip("\ufeff")
    columns, lines, comma = _tidy(text) or _untidy(text)
    while len(columns) > 1 and not any(columns[-1]):  # every line ends with the separator
        columns = columns[:-1]
    header: tuple[str, ...] = ()
    if _is_header(columns, frozenset(header_names), comma):
        header = tuple(column[0].lower() for column in columns)
        columns, lines = [column[1:] for column in columns], lines[1:]
    if not lines:
        raise ValueError("there is a header line and no row under it")
    return Table(header, columns, lines, comma)


def _tidy(text: str) -> Columns | None:
    """The columns of a paste that one split reads: as many cells on every line, no line empty,
    nothing in quotes that needs them. None for any other.

    With all that cannot part cells left out, such a paste repeats its first line's separators. That
    is seen in a fraction of the time that a look at each of 100,000 lines takes.
    """
    text = _unquoted(text.rstrip("\n"))
    marks = _marks(text)
    first, rows = marks.partition(b"\n")[0], marks.count(b"\n") + 1
    separator, width = first[:1].decode(), len(first) + 1
    if separator not in _TIDY or marks + b"\n" != (separator * (width - 1) + "\n").encode() * rows:
        return None
    if separator.isspace() and (text != text.strip() or _has_blank_cells(text, separator)):
        return None
    if separator == "," and " " in text and _commas_are_decimal(text.split("\n", SAMPLE)[:SAMPLE]):
        return None
    _check_rows(rows)
    columns, lines = _cells(text, separator, width), range(1, rows + 1)
    return columns, lines, separator != "," and "," in text and _decimal_comma(columns, lines)


def _marks(text: str) -> bytes:
    """What may part cells and lines, in its order; empty where one would have to look closer."""
    if not text.isascii() and _FOREIGN_BLANK.search(text):
        return b""
    marks = text.encode("utf-8", "replace").translate(None, _PLAIN)
    if b";" in marks or b"\t" in marks:  # then a comma is decimal, or part of a word
        marks = marks.replace(b",", b"")
    spaceless = marks.replace(b" ", b"")
    return spaceless if spaceless.strip() else marks  # a space beside a separator is none


def _unquoted(text: str) -> str:
    """Without quotation marks, if each pair of them holds one whole cell and no separator."""
    quotes = text.count('"')
    if not quotes or b'"' in _marks(text).replace(b'""', b""):
        return text
    ends = f"\n{text}\n"
    opened, closed = (
        sum(map(ends.count, pairs))
        for pairs in (('\n"', ',"', ';"', '\t"'), ('"\n', '",', '";', '"\t'))
    )
    return text.replace('"', "") if opened == closed == quotes / 2 else text


def _has_blank_cells(text: str, blank: str) -> bool:
    return any(pair in text for pair in (blank + blank, blank + "\n", "\n" + blank))


def _untidy(text: str) -> Columns:
    lines, texts = _filled_lines(text)
    separator = _separator(texts)
    joined = "\n".join(texts)
    columns = _columns(separator, joined, texts, lines)
    comma = separator != "," and "," in joined and _decimal_comma(columns, lines)
    return columns, lines, comma


def _check_rows(rows: int) -> None:
    if rows > MAX_ROWS:
        raise ValueError(f"{rows:,} rows: at most {MAX_ROWS:,} are read; take a sample")


def _filled_lines(text: str) -> tuple[Sequence[int], list[str]]:
    texts = text.splitlines()
    numbers: Sequence[int] = range(1, len(texts) + 1)
    if not all(texts) or any(map(str.isspace, texts)):
        numbers = [n for n, line in enumerate(texts, start=1) if line and not line.isspace()]
        texts = [texts[n - 1] for n in numbers]
    if len(texts) > 1 and _MARKDOWN_RULE.fullmatch(texts[1]):
        numbers, texts = [numbers[0], *numbers[2:]], [texts[0], *texts[2:]]
    if not texts:
        raise ValueError("nothing to read: paste one row to a line")
    _check_rows(len(texts))
    return numbers, texts


def _separator(lines: list[str]) -> str | None:
    """The character between cells, None for spaces."""
    sample = lines[:SAMPLE]
    for separator in _SEPARATORS:
        if any(separator in line for line in sample) and not (
            separator == "," and _commas_are_decimal(sample)
        ):
            return separator
    return None


def _commas_are_decimal(lines: list[str]) -> bool:
    """Spaces separate and commas are decimal: each comma stands inside a number of its own."""
    tokens = [token for line in lines for token in line.split()]
    with_comma = [token for token in tokens if "," in token]
    return len(tokens) > len(lines) and all(map(_DECIMAL_COMMA.fullmatch, with_comma))


def _columns(
    separator: str | None, joined: str, texts: list[str], lines: Sequence[int]
) -> list[Sequence[str]]:
    if separator == "|":  # a Markdown table: bars at both ends
        texts = [line.strip().strip("|") for line in texts]
        joined = "\n".join(texts)
    if not any(mark in joined for mark in {'"', "'", "\t"} - {separator}):
        if separator is not None:
            return _plain_columns(separator, joined, texts, lines)
        if joined == joined.strip() and not _has_blank_cells(joined, " "):
            return _plain_columns(" ", joined, texts, lines)
    rows = _rows(separator, texts)
    _check_equal(list(map(len, rows)), lines)
    return list(zip(*rows, strict=True))


def _plain_columns(
    separator: str, joined: str, texts: list[str], lines: Sequence[int]
) -> list[Sequence[str]]:
    """One split of the whole paste, several times faster than row by row."""
    counts = list(map(str.count, texts, repeat(separator)))
    _check_equal([count + 1 for count in counts] if len(set(counts)) > 1 else [], lines)
    return _cells(joined, separator, counts[0] + 1)


def _cells(text: str, separator: str, width: int) -> list[Sequence[str]]:
    """Columns of a text whose lines all have that many cells."""
    if separator != " " and " " in text:
        for mark in (separator, "\n"):
            text = text.replace(" " + mark, mark).replace(mark + " ", mark)
    cells = text.replace("\n", separator).split(separator)
    if separator != " " and " " in text:
        cells = list(map(str.strip, cells))
    return [cells[i::width] for i in range(width)]


def _rows(separator: str | None, texts: list[str]) -> list[Row]:
    if separator is None:
        if not any(map("".join(texts).count, "\"'")):
            return list(map(str.split, texts))
        return [[cell.strip("\"'") for cell in _TOKEN.findall(line)] for line in texts]
    try:
        rows = list(csv.reader(texts, delimiter=separator, skipinitialspace=True))
    except csv.Error as mistake:
        raise ValueError(f"the quotation marks cannot be followed: {mistake}") from None
    if len(rows) != len(texts):
        raise ValueError("a quotation mark is opened and not closed on its line")
    return [[cell.strip().strip("'") for cell in row] for row in rows]


def _check_equal(widths: list[int], lines: Sequence[int]) -> None:
    for line, width in zip(lines, widths, strict=False):
        if width != widths[0]:
            raise ValueError(f"line {line}: {width} columns, but line {lines[0]} has {widths[0]}")


def _decimal_comma(columns: list[Sequence[str]], lines: Sequence[int]) -> bool:
    """Whether commas inside cells are decimal. Raises ValueError where they may be either."""
    unsure = 0
    for column in columns:
        for line, cell in zip(lines, column, strict=True):
            if "," not in cell or not _DECIMAL_COMMA.fullmatch(cell):
                continue
            if not _THOUSANDS.fullmatch(cell):
                return True
            unsure = unsure or line
    if unsure:
        raise ValueError(f"line {unsure}: is the comma decimal or between thousands? Leave it out")
    return False


def _is_header(columns: Sequence[Sequence[str]], names: frozenset[str], comma: bool) -> bool:
    def number(cell: str) -> bool:
        return is_number(cell.replace(",", ".") if comma else cell)

    first = [column[0] for column in columns]
    if any(map(number, first)):
        return False
    if any(cell.lower() in names for cell in first):
        return True
    return any(len(column) > 1 and number(column[1]) for column in columns)
