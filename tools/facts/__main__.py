"""`python -m tools.facts DIRECTORY [NAME ...]`: write `calculators/facts/NAME.json`."""

import importlib
import json
import pkgutil
import sys
from pathlib import Path

import tools.facts

FACTS = Path(__file__).parents[2] / "calculators" / "facts"


def main(directory: str, *names: str) -> None:
    known = [m.name for m in pkgutil.iter_modules(tools.facts.__path__) if m.name != "__main__"]
    for name in names or known:
        convert = getattr(importlib.import_module(f"tools.facts.{name}"), "convert", None)
        if convert is None:  # a part of another importer
            continue
        file = convert(Path(directory))
        head = {"about": file.about, "date": file.date, "sources": file.sources}
        text = json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "rows": [\n'
        lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in file.rows)
        text += ",\n".join(lines) + "\n]}\n"
        (FACTS / f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name}: {len(file.rows)} rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
