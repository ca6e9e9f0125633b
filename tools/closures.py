"""`python -m tools.closures [-v]`: how our memory rules close against logged memory."""

import sys

from calculators.facts import rows
from calculators.maths.closure import closure_summary, closures


def main(verbose: bool) -> None:
    without = 0
    for row in rows("memory_logs"):
        compared = closures(row)
        without += not compared
        for closure in compared:
            if verbose and not closure.closes:
                print(
                    f"{closure.row} {closure.engine:9} {closure.term:14} {closure.predicted:12,.2f}"
                    f" {closure.observed:12,.2f} {closure.unit:6} {closure.error:+8.2%} "
                    f"{row['model'][:30]:30} | {row.get('explanation', '-')}"
                )
    print(f"{'engine':10} {'term':15} {'n':>3} {'close':>5} {'median':>8} {'p90':>8} {'worst':>8}")
    for found in closure_summary():
        print(
            f"{found.engine:10} {found.term:15} {found.rows:3} {found.close:5} "
            f"{found.median:8.2%} {found.p90:8.2%} {found.worst:8.2%}"
        )
    implied = [row["id"] for row in rows("memory_logs") if row.get("implied")]
    print(f"{without} rows have nothing to compare")
    print(f"settings read off the figures themselves, so weaker proof: {', '.join(implied)}")


if __name__ == "__main__":
    main("-v" in sys.argv)
