"""Steps about regions."""

from __future__ import annotations

from scenario_place import Place
from scenario_step import Mismatch, Step


class RegionSteps(Place):
    def op_region_create(self, step: Step) -> None:
        self.system.region_create(step.need("region"), step.need("bytes"))

    def op_region_read(self, step: Step) -> None:
        name, offset, size = step.need("region"), step.pop("offset", 0), step.need("bytes")
        read = self.system.region_read(name, offset, size)
        filled = bytearray(len(read))
        self.system.region_read_into(name, offset, filled)
        if filled != read:
            raise Mismatch("the two ways to read differ")
        step.same("expect_text", read.replace(b"\0", b".").decode())

    def op_region_write(self, step: Step) -> None:
        self.system.region_write(step.need("region"), step.pop("offset", 0), step.need("text").encode())

    def op_region_remove(self, step: Step) -> None:
        self.system.region_remove(step.need("region"))

    def op_regions(self, step: Step) -> None:
        regions = self.system.regions()
        shown = (f"{region.name}[{region.bytes} {region.owner or '-'} {region.open}]" for region in regions)
        step.same("expect_regions", " ".join(shown))
