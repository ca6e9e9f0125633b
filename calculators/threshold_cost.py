"""The cutoff of least expected cost, given what each kind of error costs."""

from dataclasses import dataclass
from math import isfinite
from typing import Annotated

from calculators.common.pasted import (
    SCORES,
    PointsInput,
    PositiveInput,
    ScoresInput,
    curve,
    refused_at,
)
from calculators.kit import (
    Axis,
    Chart,
    Column,
    Example,
    Field,
    Figure,
    Note,
    Notes,
    Page,
    Quantity,
    Question,
    Refused,
    Series,
    Shown,
    Source,
    Step,
    Table,
    Working,
    exact,
    given,
    lines,
)
from calculators.kit.units import digits
from calculators.maths.metrics.corners import Cases
from calculators.maths.metrics.roc import Curve, Point, drawn
from calculators.maths.metrics.threshold import (
    Choice,
    Costs,
    cost_against_threshold,
    costs_for,
    least_cost,
)

LISTED = 40


@dataclass(frozen=True)
class Cutoff:
    """The best cutoff and what it costs."""

    best_threshold: Annotated[
        Figure,
        Shown(
            "Best threshold", "score", "Positive from there upwards.", term="threshold", lead=True
        ),
    ]
    expected_cost: Annotated[
        Figure, Shown("Expected cost of a case", "score", "In the unit of your costs.", lead=True)
    ]
    cost_per_thousand: Annotated[Figure, Shown("Of a thousand cases", "score")]
    true_positive_rate: Annotated[Figure, Shown("True positive rate there", "fraction")]
    false_positive_rate: Annotated[Figure, Shown("False positive rate there", "fraction")]
    cost_all_negative: Annotated[Figure, Shown("Calling nothing positive costs", "score")]
    cost_all_positive: Annotated[Figure, Shown("Calling everything positive costs", "score")]
    saved: Annotated[Figure | None, Shown("Saved against the better of the two", "fraction")]
    calibrated_threshold: Annotated[
        Figure,
        Shown("If scores were calibrated probabilities", "score", "FP / (FP + FN), without data."),
    ]
    prevalence: Annotated[Figure, Shown("Share of positives", "fraction")]
    notes: Annotated[Notes | None, Shown("Mind")]
    chart: Annotated[Chart | None, Shown("Cost against threshold")]
    working: Annotated[Working, Shown("The sum, with your numbers")]
    points: Annotated[Table, Shown("Cost at each cutoff")]


def _cost(label: str, help: str) -> Field:
    return Field(label, Quantity("", 0, 1e12, examples="1 or 2500"), help)


def calculate(
    cost_false_positive: Annotated[
        float, _cost("Cost of a false positive", "A false alarm, in any unit.")
    ] = 1,
    cost_false_negative: Annotated[
        float, _cost("Cost of a false negative", "A miss, in the same unit.")
    ] = 5,
    scores: ScoresInput = None,
    points: PointsInput = None,
    prevalence: Annotated[
        float | None,
        Field(
            "Share of positives in use",
            Quantity("percent", 0, 100, examples="5"),
            "Empty: as in the pasted cases. Operating points do not tell it.",
            placeholder="5",
        ),
    ] = None,
    positive: PositiveInput = None,
) -> Cutoff:
    """The threshold at which a classifier's errors cost least, from scores or operating points.

    Two kinds of error rarely cost the same. Lowering the threshold finds more positives and raises
    more false alarms; the best cutoff balances their costs at the share of positives that you meet in
    use, which may differ from that of your sample. Every corner of the ROC curve is tried.
    """
    found = curve(scores, points, positive)
    share = None if prevalence is None else prevalence / 100
    if points is not None and share is None:
        raise Refused(
            "Operating points do not tell how common positives are: say it.", "prevalence"
        )
    with refused_at("cost_false_positive"):
        costs = costs_for(found, cost_false_positive, cost_false_negative, share)
    return _cutoff(found, costs, least_cost(found, costs), share is not None)


def _cutoff(found: Curve, costs: Costs, choice: Choice, typed: bool) -> Cutoff:
    best = choice.best
    trivial = min(choice.cost_all_negative, choice.cost_all_positive)
    return Cutoff(
        best_threshold=_threshold(best),
        expected_cost=exact(choice.cost),
        cost_per_thousand=exact(1000 * choice.cost),
        true_positive_rate=exact(best.true_positive_rate),
        false_positive_rate=exact(best.false_positive_rate),
        cost_all_negative=exact(choice.cost_all_negative),
        cost_all_positive=exact(choice.cost_all_positive),
        saved=exact(max(0.0, 1 - choice.cost / trivial)) if trivial else None,
        calibrated_threshold=exact(costs.calibrated_threshold),
        prevalence=given(costs.prevalence) if typed else exact(costs.prevalence),
        notes=_notes(found, costs, choice, typed),
        chart=_chart(costs, choice),
        working=_working(costs, choice),
        points=_table(costs, choice),
    )


def _threshold(best: Point) -> Figure:
    if best.threshold is not None and isfinite(best.threshold):
        return exact(best.threshold)
    if best[:2] == (0, 0):
        return exact(None, "Above every score: calling nothing positive costs least.")
    if best[:2] == (1, 1):
        return exact(None, "Below every score: calling everything positive costs least.")
    return exact(None, "The points came without thresholds.")


def _notes(found: Curve, costs: Costs, choice: Choice, typed: bool) -> Notes | None:
    notes = []
    if choice.best[:2] == (0, 0):
        notes.append(Note("Calling nothing positive costs least: alarms cost too much.", "warning"))
    elif choice.best[:2] == (1, 1):
        text = "Calling everything positive costs least: misses cost too much."
        notes.append(Note(text, "warning"))
    if len(choice.equally_good) > 1:
        notes.append(
            Note(f"{len(choice.equally_good)} cutoffs cost the same; the strictest is shown.")
        )
    sample = found.prevalence
    if typed and sample is not None and abs(sample - costs.prevalence) > 0.005:
        notes.append(
            Note(
                f"In the pasted cases {100 * sample:.3g} % are positive; costs are reckoned at "
                f"{100 * costs.prevalence:.3g} %."
            )
        )
    if min(found.positives or 100, found.negatives or 100) < 30:
        notes.append(Note("Fewer than 30 cases of a class: the best cutoff may well be luck."))
    return Notes(tuple(notes)) if notes else None


def _chart(costs: Costs, choice: Choice) -> Chart | None:
    line = cost_against_threshold(choice, costs)
    if len(line) < 2:
        return None
    low, high = line[0][0], line[-1][0]
    trivial = min(choice.cost_all_negative, choice.cost_all_positive)
    series = [
        Series("Expected cost of a case", line),
        Series("Better trivial rule", [(low, trivial), (high, trivial)]),
    ]
    best = choice.best.threshold
    if best is not None and isfinite(best):
        series.append(Series("Least cost", [(best, choice.cost)], dots=True))
    return lines(
        "Expected cost against the threshold",
        Axis("Threshold", "score", "~g"),
        Axis("Cost of a case", "score", "~g", zero=True),
        series,
        basis="exact",
    )


def _working(costs: Costs, choice: Choice) -> Working:
    best, share = choice.best, costs.prevalence
    alarms = costs.false_positive * best.false_positive_rate * (1 - share)
    misses = costs.false_negative * (1 - best.true_positive_rate) * share
    slope = costs.false_positive * (1 - share)
    steps = [
        Step(
            "False alarms",
            f"{costs.false_positive:,g} × {best.false_positive_rate:.4g} × {1 - share:.4g} negative",
            digits(alarms),
        ),
        Step(
            "Misses",
            f"{costs.false_negative:,g} × {1 - best.true_positive_rate:.4g} × {share:.4g} positive",
            digits(misses),
        ),
        Step("Expected cost", f"{digits(alarms)} + {digits(misses)}", digits(choice.cost)),
    ]
    if costs.false_negative * share:
        text = f"({costs.false_positive:,g} × {1 - share:.4g}) / ({costs.false_negative:,g} × {share:.4g})"
        steps.append(
            Step("Slope of equal cost", text, digits(slope / (costs.false_negative * share)))
        )
    return Working(tuple(steps))


def _table(costs: Costs, choice: Choice) -> Table:
    chosen = drawn(choice.curve, choice.index, most=LISTED)
    rows = tuple(
        (
            "none" if one.threshold is None else one.threshold if isfinite(one.threshold) else None,
            one.false_positive_rate,
            one.true_positive_rate,
            costs.expected_at(one.false_positive_rate, one.true_positive_rate),
        )
        for one in chosen
    )
    columns = (
        Column("Threshold", "score"),
        Column("False positive rate", "fraction"),
        Column("True positive rate", "fraction"),
        Column("Cost of a case", "score"),
    )
    caption = "A dash stands for a threshold above every score"
    return Table(columns, rows, caption=caption, mark=chosen.index(choice.best), folded=True)


POINTS = (
    "points=fpr,tpr,threshold%0A0,0.2,0.95%0A0.05,0.6,0.8%0A0.15,0.8,0.6%0A0.4,0.95,0.3%0A1,1,0"
)
PAGE = Page(
    title="Best threshold by cost",
    description="The cutoff of least expected cost from what a false positive and a false negative "
    "cost, with pasted scores or operating points, at any share of positives, drawn.",
    group="Metrics",
    order=83,
    keywords=("decision threshold", "cost-sensitive", "cutoff", "expected cost", "ROC"),
    how_to=(
        "Say what each error costs: money, minutes, or just how many times worse one is.",
        "Paste scores with labels, or points of a ROC curve.",
        "If positives are rarer in use than in your sample, say how common they are. Read the "
        "cutoff, and what it saves.",
    ),
    why=(
        "0.5 is right only for calibrated scores and equal costs.",
        "The share of positives matters as much as the costs, and samples are often balanced when "
        "the world is not.",
        "Your scores stay in this page.",
    ),
    assumes=(
        "A right answer costs nothing. A cost of handling every alarm belongs to the cost of false "
        "positives; for hits, subtract it from what a miss costs.",
        "True and false positive rates stay the same when positives become rarer or more common.",
        "Only the thresholds of your data are tried. The cutoff that is best on a small sample is "
        "not quite best on the next one. The scores in the form are made up.",
    ),
    examples=(
        Example(
            "A miss costs 5 alarms",
            "cost_false_positive=1&cost_false_negative=5&scores=" + SCORES.replace("\n", "%0A"),
            {"best_threshold": 0.27, "expected_cost": 8 / 24},
        ),
        Example(
            "An alarm costs 5 misses",
            "cost_false_positive=5&cost_false_negative=1&scores=" + SCORES.replace("\n", "%0A"),
            {"best_threshold": 0.9},
        ),
        Example(
            "Positives are 2 %",
            "cost_false_positive=1&cost_false_negative=20&prevalence=2&scores="
            + SCORES.replace("\n", "%0A"),
        ),
        Example(
            "Operating points",
            f"{POINTS}&prevalence=10&cost_false_positive=1&cost_false_negative=10",
            {"best_threshold": 0.6, "expected_cost": 0.15 * 0.9 + 10 * 0.2 * 0.1},
        ),
    ),
    questions=(
        Question(
            "What is the formula?",
            "Cost of a false positive times false positive rate times share of negatives, plus cost "
            "of a false negative times share of positives missed times share of positives. The page "
            "computes it at every corner of the curve and takes the least.",
        ),
        Question(
            "Do I need absolute costs?",
            "No, only their ratio decides the cutoff. With 1 and 5 the expected cost is in units of "
            "one false alarm.",
        ),
        Question(
            "When is FP / (FP + FN) enough?",
            "When scores are calibrated probabilities at the share of positives that you meet in "
            "use: with costs of 1 and 5 call everything positive from 0.167 on, without data. The "
            "panel shows it beside what your data say; a large difference is a sign that the scores "
            "are not calibrated.",
        ),
        Question(
            "Why does the share of positives matter?",
            "With rare positives most cases are negative, so that even a small false positive rate "
            "makes many false alarms. The best cutoff then moves up. Rates themselves do not change, "
            "which is why a balanced sample can be used with another share.",
        ),
        Question(
            "Why does it say: call nothing positive?",
            "At these costs every alarm of this classifier costs more than it prevents. Lower the "
            "cost of an alarm, for instance by a cheap second check, or use a better classifier.",
        ),
    ),
    sources=(
        Source(
            "Provost and Fawcett, Robust Classification for Imprecise Environments",
            "https://doi.org/10.1023/A:1007601015854",
        ),
        Source(
            "Elkan, The Foundations of Cost-Sensitive Learning",
            "https://www.ijcai.org/Proceedings/01/IJCAI-2001-a.pdf",
        ),
    ),
    code=(Costs, least_cost, Cases),
)
