"""The same door on the command line: `python3 -m calculators 'awq-size?model=llama-3.1-8b'`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from calculators import CALCULATORS, answer

REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one question, or audit a list of published sizes. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="calculators",
        description="Answer a question, as the pages do.",
        epilog="Calculators: " + ", ".join(CALCULATORS),
    )
    parser.add_argument("question", help="slug?field=value&..., or the word audit")
    parser.add_argument("rows", nargs="?", help="with audit: a JSON file of published sizes")
    parser.add_argument("--models", help="with audit: a JSON file of further models")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="FIELD=PATH",
        help="read a field's value, such as a model's config.json, from a file",
    )
    asked = parser.parse_args(arguments)
    try:
        if asked.question == "audit":
            return _audit(asked.rows, asked.models, asked.json)
        slug, _, query = asked.question.partition("?")
        query = "&".join(filter(None, (query, *map(_from_file, asked.config))))
    except (OSError, ValueError) as mistake:
        print(f"calculators: {mistake}", file=sys.stderr)
        return REFUSED
    return _answer(slug, query, asked.json)


def _from_file(setting: str) -> str:
    field, _, path = setting.partition("=")
    if not path:
        raise ValueError(f"--config {setting}: say FIELD=PATH")
    text = Path(path).read_text(encoding="utf-8")
    try:
        text = json.dumps(json.loads(text), separators=(",", ":"))
    except ValueError as mistake:
        raise ValueError(f"--config {setting}: not JSON: {mistake}") from None
    return urlencode({field: text})


def _answer(slug: str, query: str, as_json: bool) -> int:
    found = json.loads(answer(slug, query))
    if as_json:
        keys = ("slug", "query", "outputs", "errors")
        print(json.dumps({key: found[key] for key in keys}, ensure_ascii=False, indent=1))
    elif found["text"]:
        print(found["text"])
    for field, message in found["errors"].items():
        print(f"{field}: {message}", file=sys.stderr)
    return REFUSED if found["errors"] else 0


def _listed(path: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a JSON file, a list or `{"rows": [...]}`; each an object with these keys."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as mistake:
        raise ValueError(f"{path} is not JSON: {mistake}") from None
    if isinstance(found, dict):
        found = found.get("rows")
    if not isinstance(found, list):
        raise ValueError(f'{path}: neither a list nor an object with "rows"')
    for number, row in enumerate(found, start=1):
        if not isinstance(row, dict) or not all(row.get(key) for key in keys):
            wanted = f" with {' and '.join(keys)}" if keys else ""
            raise ValueError(f"{path}, row {number}: not an object{wanted}")
    return found


def _audit(rows: str | None, models: str | None, as_json: bool) -> int:
    from calculators.maths.audit import audit

    if not rows:
        raise ValueError("audit needs a JSON file of rows")
    more = _listed(models, ("id", "config")) if models else []
    found = audit(_listed(rows, ()), more)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    for row in found["rows"]:
        verdict = "inside" if row["inside"] else row["refused"] or f"{row['error']:+.3%}"
        print(f"{row.get('model', '')}  {row.get('recipe', '')}  {verdict}")
    print(", ".join(f"{name}: {value}" for name, value in found["summary"].items()))
    return 0


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read what it wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)
