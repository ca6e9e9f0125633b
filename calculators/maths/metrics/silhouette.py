"""Silhouettes: how well each point sits in its cluster.

a(i) = mean distance to the other points of its own cluster, b(i) = the least mean distance to the
points of another cluster, s(i) = (b - a) / max(a, b), from -1 to 1; s = 0 for a cluster of one and
where a = b = 0 (Rousseeuw 1987, https://doi.org/10.1016/0377-0427(87)90125-7; the same
conventions as scikit-learn's `silhouette_samples`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import dist, fsum, hypot, isqrt

MAX_TERMS = 400_000
"""Coordinates compared (points x points x columns): 447 points in two columns. Measured in Pyodide
314 on a slow core: 0.05 s with Euclidean distances, 0.09 s with Manhattan ones.
"""

MAX_POINTS = isqrt(MAX_TERMS)
"""More are too many with any number of columns."""

LARGEST = 1e150
"""Coordinates up to here leave every sum of distances finite."""

ONE_DIRECTION = 1e-15
"""A chord up to here is the rounding of two unit vectors, 1.1e-16 in each coordinate."""

Vector = tuple[float, ...]
Distances = Callable[[Vector], list[float]]


@dataclass(frozen=True, slots=True)
class Silhouette:
    """One point. `a` is None in a cluster of one; `neighbour` is the cluster that gives b."""

    cluster: str
    neighbour: str
    a: float | None
    b: float
    s: float


@dataclass(frozen=True)
class Result:
    points: tuple[Silhouette, ...]

    @property
    def mean(self) -> float:
        return fsum(point.s for point in self.points) / len(self.points)

    def cluster_means(self) -> dict[str, float]:
        """Mean silhouette of each cluster, by its name."""
        groups: dict[str, list[float]] = {}
        for point in self.points:
            groups.setdefault(point.cluster, []).append(point.s)
        return {name: fsum(group) / len(group) for name, group in sorted(groups.items())}


def silhouettes(
    points: Sequence[Vector], clusters: Sequence[str], metric: str = "euclidean"
) -> Result:
    """The silhouette of every point; `metric` is euclidean, manhattan or cosine.

    Raises ValueError for unequal lengths, coordinates that are not finite, fewer than two clusters,
    a cluster for every point, an origin under cosine, and more work than MAX_TERMS.
    """
    _check(points, clusters, metric)
    members: dict[str, list[int]] = {}
    for i, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(i)
    distances = METRICS[metric](points)
    found = []
    for point, own in zip(points, clusters, strict=True):
        row = distances(point)
        sums = {name: fsum([row[i] for i in group]) for name, group in members.items()}
        b, neighbour = min(
            (total / len(members[name]), name) for name, total in sums.items() if name != own
        )
        others = len(members[own]) - 1
        a = sums[own] / others if others else None
        s = 0.0 if a is None or not max(a, b) else (b - a) / max(a, b)
        found.append(Silhouette(own, neighbour, a, b, s))
    return Result(tuple(found))


def _check(points: Sequence[Vector], clusters: Sequence[str], metric: str) -> None:
    if metric not in METRICS:
        raise ValueError(f"the distance {metric!r} is not one of {', '.join(METRICS)}")
    if len(points) != len(clusters):
        raise ValueError(f"{len(points)} points but {len(clusters)} clusters")
    if not points:
        raise ValueError("there are no points")
    columns = len(points[0])
    check_size(len(points), columns)
    for i, point in enumerate(points, start=1):
        if len(point) != columns:
            raise ValueError(f"point {i} has {len(point)} coordinates, the first has {columns}")
        if not all(abs(x) <= LARGEST for x in point):
            raise ValueError(f"point {i} has a coordinate that is no number up to {LARGEST:g}")
    kinds = len(set(clusters))
    if kinds < 2:
        raise ValueError("there is one cluster; a silhouette compares with the nearest other one")
    if kinds == len(points):
        raise ValueError("every point is a cluster of its own: there is nothing to compare within")


def check_size(points: int, columns: int) -> None:
    """Raises ValueError for more work than MAX_TERMS."""
    if points**2 * columns > MAX_TERMS:
        raise ValueError(
            f"{points:,} points are too many here: every point is compared with every other, "
            f"and {isqrt(MAX_TERMS // max(columns, 1))} points of {columns} columns is as far as a "
            "page answers at once. Take a random sample, which estimates the mean well"
        )


def _euclidean(points: Sequence[Vector]) -> Distances:
    return lambda point: list(map(dist, repeat(point), points))


def _manhattan(points: Sequence[Vector]) -> Distances:
    columns = list(zip(*points, strict=True))

    def distances(point: Vector) -> list[float]:
        total = [0.0] * len(points)
        for x, column in zip(point, columns, strict=True):
            total = [t + abs(x - y) for t, y in zip(total, column, strict=True)]
        return total

    return distances


def _cosine(points: Sequence[Vector]) -> Distances:
    """1 - cosine of the angle, as half the square of the chord between unit vectors: that keeps its
    digits where the angle is small. Points of one direction are at distance 0.
    """
    if not all(map(any, points)):
        at = next(i for i, point in enumerate(points, start=1) if not any(point))
        raise ValueError(f"point {at} is the origin: it has no direction for a cosine distance")
    units = list(map(_unit, points))

    def distances(point: Vector) -> list[float]:
        chords = map(dist, repeat(_unit(point)), units)
        return [chord * chord / 2 if chord > ONE_DIRECTION else 0.0 for chord in chords]

    return distances


def _unit(point: Vector) -> Vector:
    length = hypot(*point)
    return tuple(x / length for x in point)


METRICS: dict[str, Callable[[Sequence[Vector]], Distances]] = {
    "euclidean": _euclidean,
    "manhattan": _manhattan,
    "cosine": _cosine,
}


def bars(result: Result) -> list[tuple[str, int, float]]:
    """(cluster, rank within it, s) for a chart: clusters by name, the best point first."""
    ordered = sorted(result.points, key=lambda point: (point.cluster, -point.s))
    ranks: dict[str, int] = {}
    found = []
    for point in ordered:
        ranks[point.cluster] = ranks.get(point.cluster, 0) + 1
        found.append((point.cluster, ranks[point.cluster], point.s))
    return found
