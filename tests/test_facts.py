"""Every number has a source and a date, and ids are spelled once."""

import json
from collections import Counter
from pathlib import Path

import pytest

from calculators import facts
from calculators.facts.catalogue import Gpu, Model, find_gpu, find_model, gpus, models
from calculators.kit import Refused

FILES = sorted(path.stem for path in Path(facts.__file__).parent.glob("*.json"))


@pytest.mark.parametrize("name", FILES)
def test_every_row_has_a_source_and_a_date(name: str) -> None:
    assert facts.rows(name)  # the loader refuses rows without either


@pytest.mark.parametrize("name", FILES)
def test_every_citation_is_used(name: str) -> None:
    path = Path(facts.__file__).with_name(f"{name}.json")
    file = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(file["rows"])
    unused = [key for key in file.get("sources", {}) if json.dumps(key) not in text]
    assert not unused


@pytest.mark.parametrize("name", [name for name in FILES if "id" in facts.rows(name)[0]])
def test_ids_are_unique(name: str) -> None:
    # A constant of an engine changes with its version: one row per version.
    keys = Counter((row["id"], row.get("from")) for row in facts.rows(name))
    repeated = [key for key, count in keys.items() if count > 1]
    assert not repeated


@pytest.mark.parametrize(
    "row",
    [{"x": 1, "date": "2026"}, {"x": 1, "source": ""}, {"x": 1, "source": "a", "date": "May"}],
)
def test_the_loader_refuses(row: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    class File:
        def joinpath(self, name: str) -> "File":
            return self

        def read_text(self, encoding: str) -> str:
            return json.dumps({"rows": [row]})

    monkeypatch.setattr(facts, "files", lambda package: File())
    with pytest.raises(facts.BadFact):
        facts.rows.__wrapped__("anything")


@pytest.mark.parametrize("model", models(), ids=lambda model: model.id)
def test_a_model_is_found_by_its_names(model: Model) -> None:
    assert find_model(model.id) == model
    assert find_model(model.id.upper()) == model


@pytest.mark.parametrize("gpu", gpus(), ids=lambda gpu: gpu.id)
def test_a_gpu_is_found_by_its_names(gpu: Gpu) -> None:
    assert find_gpu(gpu.id) == gpu
    assert find_gpu(gpu.name) == gpu


SPELLINGS = [
    ("llama-3.1-8b", "meta-llama/Llama-3.1-8B"),
    ("Llama 3.1 8B", "meta-llama/Llama-3.1-8B"),
    ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B"),
    ("unsloth/Meta-Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B"),
    ("Llama-2-70b-chat-hf", "meta-llama/Llama-2-70b-hf"),
    ("mistral-7b-v0.1", "mistralai/Mistral-7B-v0.1"),
]


@pytest.mark.parametrize(("text", "expected"), SPELLINGS)
def test_spellings(text: str, expected: str) -> None:
    assert find_model(text).id == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no-such-model-9x", "not in the catalogue"),
        ("{", "not valid JSON"),
        ("[1]", "not in the catalogue"),
        ('{"a": NaN}', "not valid JSON"),
        ("{" + '"a":{' * 60_000, "longer than any real one"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "not valid JSON"),
    ],
)
def test_what_is_no_model_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        find_model(text)
