"""ggml's graph allocator, as far as the size of a compute buffer needs it.

A tensor lives from the node that makes it to its last use. It takes the tightest free gap that
holds it, or grows the buffer at its end; an operation that may work in place takes over the memory
of a source nobody else needs. Gaps that nothing fits are part of the buffer's size, so the order of
nodes matters. Source: `ggml-org/llama.cpp @0c1e57098`, ggml/src/ggml-alloc.c
(`ggml_dyn_tallocr_alloc`, `ggml_gallocr_allocate_node`).
"""

from dataclasses import dataclass, field

ALIGNMENT = 128  # bytes, of CUDA buffers (ggml-cuda.cu)


@dataclass(slots=True)
class Node:
    """A tensor of `size` bytes made of `sources`; `in_place` when it may overwrite the first."""

    size: int
    sources: tuple[int, ...]
    in_place: bool = False


@dataclass
class Buffer:
    """Free gaps below `end`, by offset, and the largest size the buffer ever had."""

    end: int = 0
    peak: int = 0
    gaps: dict[int, int] = field(default_factory=dict)

    def take(self, size: int) -> int:
        """The offset of the tightest gap, or of the end."""
        fitting = [(gap, offset) for offset, gap in self.gaps.items() if gap >= size]
        if not fitting:
            offset = self.end
            self.end += size
            self.peak = max(self.peak, self.end)
            return offset
        gap, offset = min(fitting, key=lambda found: (found[0], -found[1]))
        del self.gaps[offset]
        if gap > size:
            self.gaps[offset + size] = gap - size
        return offset

    def free(self, offset: int, size: int) -> None:
        """Gives memory back; neighbouring gaps become one, one at the end shortens the buffer."""
        after = self.gaps.pop(offset + size, 0)
        size += after
        for before, gap in self.gaps.items():
            if before + gap == offset:
                del self.gaps[before]
                offset, size = before, gap + size
                break
        if offset + size == self.end:
            self.end = offset
        else:
            self.gaps[offset] = size


@dataclass
class Graph:
    """Nodes in the order in which they run."""

    nodes: list[Node] = field(default_factory=list)

    def add(self, size: int, *sources: int, in_place: bool = False) -> int:
        """A node of so many bytes; the number by which later nodes name it."""
        self.nodes.append(Node(-(-size // ALIGNMENT) * ALIGNMENT, sources, in_place))
        return len(self.nodes) - 1

    def peak(self) -> int:
        """Bytes of the buffer that runs all nodes."""
        uses = [0] * len(self.nodes)
        for node in self.nodes:
            for source in node.sources:
                uses[source] += 1
        buffer = Buffer()
        place: dict[int, int] = {}
        for number, node in enumerate(self.nodes):
            place[number] = self._place(node, uses, place, buffer)
            for source in node.sources:
                uses[source] -= 1
                if not uses[source] and source in place:
                    buffer.free(place.pop(source), self.nodes[source].size)
        return buffer.peak

    def _place(self, node: Node, uses: list[int], place: dict[int, int], buffer: Buffer) -> int:
        if node.in_place:
            source = node.sources[0]
            if uses[source] == 1 and self.nodes[source].size == node.size:
                return place.pop(source)
        return buffer.take(node.size) if node.size else buffer.end
