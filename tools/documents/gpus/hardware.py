"""The sections of an accelerator's page about the card: its memory, its arithmetic."""

from calculators.common.plan import Machine
from calculators.facts import Row
from calculators.kit import Breakdown, Column, Segment, Table
from tools.documents.gpus.gathered import marketed
from tools.sheet import Section

KEPT_BACK = "Kept back by driver, firmware and ECC"


def memory(on: Machine | None) -> tuple[Section, ...]:
    """What of the box's bytes a program can use; nothing where the card has no memory."""
    if on is None:
        return ()
    device = on.device
    kept = max(0, device.marketed_bytes - device.usable_bytes)
    bar = Breakdown(
        (
            Segment("Usable by CUDA, HIP or Metal", device.usable_bytes, "weights"),
            Segment(KEPT_BACK, kept, "runtime"),
        ),
        "bytes",
        basis=device.basis,
    )
    said = f"{marketed(on)} on the box are GiB to the driver: {device.marketed_bytes:,} bytes."
    if device.basis == "modelled":
        said += " Nobody's read-out of this card is known here: the reserve is the usual one."
    return (Section("memory", "Memory, real and on the box", bar, said),)


def rates(row: Row) -> Section:
    """Nominal and measured rates by dtype."""
    dense = row.get("dense_tflops") or {}
    gemm = row.get("measured_gemm_tflops") or {}
    table = tuple(
        (kind.upper(), dense.get(kind), gemm.get(kind)) for kind in dict.fromkeys((*dense, *gemm))
    )
    columns = (
        Column("Products in"),
        Column("Nominal, dense", "TFLOPS"),
        Column("Measured in large products", "TFLOPS"),
    )
    said = row.get("tflops_basis", "")
    streamed = row.get("measured_streaming_fraction")
    if streamed:
        said += f" Measured streaming reaches {100 * streamed:.0f} % of the nominal bandwidth."
    return Section("rates", "Arithmetic", Table(columns, table), said[:1].upper() + said[1:])
