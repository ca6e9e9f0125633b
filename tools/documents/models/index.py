"""The list of models, the newest first."""

from calculators.facts.catalogue import models
from calculators.kit import Column, Link, Table
from tools.documents.models.gathered import FOLDER, TRAIL, four_bits, named, subject_of
from tools.naming import model_page
from tools.printing import Body
from tools.sheet import SHEET_META, Section, Sheet, printed


def listing() -> Body:
    """One line for each model."""
    table = []
    for model in models():
        four, sixteen = four_bits(model), named(model, "BF16")
        gguf = named(model, "GGUF Q4_K_M")
        found = subject_of(model)
        architecture = None if isinstance(found, str) else found.architecture
        table.append(
            (
                Link(model.name, model_page(model)),
                model.row.get("released") or None,
                architecture and architecture.parameters,
                architecture and architecture.active_parameters,
                sixteen and sixteen.bytes,
                four and four.bytes,
                gguf and gguf.bytes,
                four.smallest.offer.name if four and four.smallest else None,
            )
        )
    table.sort(key=lambda row: (str(row[1] or ""), row[0].text), reverse=True)
    columns = (
        Column("Model"),
        Column("Released"),
        Column("Parameters", "parameters"),
        Column("Active", "parameters"),
        Column("BF16", "bytes"),
        Column("4 bits", "bytes"),
        Column("Q4_K_M", "bytes"),
        Column("4 bits run on"),
    )
    title = "Models"
    description = (
        f"What {len(table)} open language models weigh in BF16, AWQ, GPTQ, FP8 and GGUF, counted "
        "tensor by tensor, and the smallest hardware that runs each."
    )
    sheet = Sheet(
        title,
        description,
        TRAIL[:1],
        (),
        (),
        (Section("all", "Newest first", Table(columns, tuple(table))),),
        (),
        (Link("The catalogue's own rows", "data"),),
    )
    return Body(FOLDER, title, description, printed(sheet, "../"), "Look up", 1, meta=SHEET_META)
