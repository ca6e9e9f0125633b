"""Structured data (schema.org, as JSON-LD): what a search engine reads of a page."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from calculators import CALCULATORS
from calculators.kit import Calculator
from tools.printing import Body, plain

Node = Mapping[str, Any]
SITE = "Weighbridge"
CODE_LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"
FILE_TYPES = {"json": "application/json", "csv": "text/csv"}
FACTS_LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def text(*nodes: Node) -> str:
    """The nodes as JSON that may stand in a script element: no `<` that could end it."""
    graph = {"@context": "https://schema.org", "@graph": nodes}
    return json.dumps(graph, ensure_ascii=False).replace("<", "\\u003c")


def trail(site_url: str, *steps: tuple[str, str]) -> Node:
    """Where a page stands: (title, path) from the page below home to the page itself."""
    places = [(SITE, ""), *steps]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": position,
                "name": title,
                "item": address(site_url, path),
            }
            for position, (title, path) in enumerate(places, start=1)
        ],
    }


def address(site_url: str, path: str) -> str:
    """The address of a page below the site."""
    return f"{site_url}{path}/" if path else site_url


def of_body(made: Body, others: Mapping[str, Body], site_url: str) -> str:
    """All that is said of a page: what it is, and where it stands."""
    nodes: list[Node] = []
    if made.calculator:
        nodes += of_calculator(CALCULATORS[made.calculator], site_url)
    if made.variables or made.downloads:
        nodes.append(dataset(made, site_url))
    if made.schema:
        nodes.append(_term(made, others, site_url))
    if made.path:
        above = made.path.rpartition("/")[0]
        over = [(others[above].title, above)] if above in others else []
        nodes.append(trail(site_url, *over, (made.title, made.path)))
    return text(*nodes)


def of_calculator(calculator: Calculator, site_url: str) -> Iterable[Node]:
    """The application and its questions."""
    page, url = calculator.page, address(site_url, calculator.path)
    yield {
        "@type": "WebApplication",
        "name": SITE if page.at_root else page.title,
        "url": url,
        "description": plain(page.description, calculator.slug),
        "applicationCategory": "DeveloperApplication",
        "operatingSystem": "Any",
        "browserRequirements": "JavaScript and WebAssembly; without them the printed answers stay",
        "isAccessibleForFree": True,
        "license": CODE_LICENCE,
        "offers": {"@type": "Offer", "price": "0", "priceCurrency": "USD"},
        "keywords": ", ".join(page.keywords),
    }
    if page.questions:
        yield {
            "@type": "FAQPage",
            "url": url,
            "mainEntity": [
                {
                    "@type": "Question",
                    "name": item.question,
                    "acceptedAnswer": {
                        "@type": "Answer",
                        "text": plain(item.answer, calculator.slug),
                    },
                }
                for item in page.questions
            ],
        }


def dataset(made: Body, site_url: str) -> Node:
    """A page of figures, or of files to take away, as a data set."""
    files = [
        {
            "@type": "DataDownload",
            "name": path.rpartition("/")[2],
            "encodingFormat": FILE_TYPES[path.rpartition(".")[2]],
            "contentUrl": f"{site_url}{path}",
        }
        for path in made.downloads
    ]
    return {
        "@type": "Dataset",
        "name": made.title,
        "description": made.description,
        "url": address(site_url, made.path),
        "license": FACTS_LICENCE,
        "isAccessibleForFree": True,
        "creator": {"@type": "Organization", "name": SITE, "url": site_url},
        "variableMeasured": [
            {"@type": "PropertyValue", "name": label, "value": value}
            for label, value in made.variables
        ],
    } | ({"distribution": files} if files else {})


def _term(made: Body, others: Mapping[str, Body], site_url: str) -> Node:
    """A term that is defined, in its set; or the set with all its terms."""
    node = {
        "@type": made.schema,
        "@id": address(site_url, made.path),
        "url": address(site_url, made.path),
        "name": made.title,
        "description": made.description,
    }
    above = others.get(made.path.rpartition("/")[0])
    if above and above.schema:
        of = {"@type": above.schema, "@id": address(site_url, above.path), "name": above.title}
        return node | {"inDefinedTermSet": of}
    inside = [other for path, other in others.items() if path.startswith(f"{made.path}/")]
    terms = [
        {"@type": one.schema, "@id": address(site_url, one.path), "name": one.title}
        for one in inside
    ]
    return node | {"hasDefinedTerm": terms}
