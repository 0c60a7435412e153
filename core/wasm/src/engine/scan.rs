//! The pre-scan: one walk over untrusted bytes that validates them within bounds, before the compiler sees them.
//!
//! What a compilation costs is estimated as *weight*: about a kilobyte and two microseconds a unit. Its bounds and
//! those of counts whose cost grows faster than the bytes stand in `scan/bounds.rs`, with what real components have.
//!
//! Measured by `the_dearest_within_the_bounds` in `tests/runners/rust/load/bombs.rs`, against an ordinary guest in the
//! same run: a byte costs at most 19 times the time (variables in nested loops) and 84 times the memory (conversions of
//! floats) of an ordinary one; what costs much in total is 5 times (divisions, loads; 0.9 GB for 262 KB of loads).

mod bounds;
mod function;

use wasmparser::{
    BinaryReaderError, ComponentTypeRef, FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator,
    WasmFeatures,
};

use self::bounds::{Used, What, at_most};
use crate::types::error::Error;

/// A canonical function costs this much: an adapter between two components, or a trampoline.
const CANONICAL_FUNCTION: u64 = 400;

/// Why a scan ended early.
pub(super) enum Stop {
    /// A bound.
    Limit(Error),
    /// The bytes are not valid.
    Invalid(BinaryReaderError),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Limit(error)
    }
}

impl From<BinaryReaderError> for Stop {
    fn from(why: BinaryReaderError) -> Self {
        Self::Invalid(why)
    }
}

/// Validates a component within the bounds.
pub(super) fn scan(bytes: &[u8], features: WasmFeatures) -> Result<(), Stop> {
    let mut validator = Validator::new_with_features(features);
    let mut allocations = FuncValidatorAllocations::default();
    let mut scan = Scan { bytes, used: Used::new(), open: Vec::new(), largest: 1 };
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        scan.check(&payload)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload)? {
            let offset = body.range().start;
            let weighed = function::weigh(function, &body, &mut allocations)?;
            scan.used.add(What::Weight, weighed.weight, offset)?;
            scan.used.add(What::BrTableTargets, weighed.br_table_targets, offset)?;
        }
    }
    Ok(())
}

struct Scan<'a> {
    bytes: &'a [u8],
    used: Used,
    /// Instances that one instance of each open component or module makes.
    open: Vec<u64>,
    /// The most of those that are complete: which of them an instantiation means is not looked up.
    largest: u64,
}

impl Scan<'_> {
    fn check(&mut self, payload: &Payload<'_>) -> Result<(), Stop> {
        let used = &mut self.used;
        match payload {
            Payload::Version { range, .. } => {
                self.open.push(1);
                at_most(What::ComponentNesting, self.open.len() as u64, range.start)?;
            }
            Payload::End(_) => self.largest = self.largest.max(self.open.pop().unwrap_or_default()),
            Payload::FunctionSection(all) => {
                used.add(What::Functions, all.count().into(), all.range().start)?
            }
            Payload::MemorySection(all) => used.add(What::Memories, all.count().into(), all.range().start)?,
            Payload::GlobalSection(all) => used.add(What::Globals, all.count().into(), all.range().start)?,
            Payload::ExportSection(all) => used.add(What::Exports, all.count().into(), all.range().start)?,
            Payload::ImportSection(all) => used.add(What::Imports, all.count().into(), all.range().start)?,
            Payload::TagSection(all) => used.add(What::Types, all.count().into(), all.range().start)?,
            Payload::DataSection(all) => {
                used.add(What::DataSegments, all.count().into(), all.range().start)?
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                used.add(What::Modules, 1, unchecked_range.start)?
            }
            Payload::ComponentSection { unchecked_range, .. } => {
                used.add(What::Components, 1, unchecked_range.start)?;
            }
            Payload::ComponentAliasSection(all) => {
                used.add(What::Aliases, all.count().into(), all.range().start)?;
            }
            Payload::CoreTypeSection(all) => used.add(What::Types, all.count().into(), all.range().start)?,
            Payload::ComponentExportSection(all) => {
                used.add(What::Exports, all.count().into(), all.range().start)?;
            }
            Payload::ComponentCanonicalSection(all) => {
                used.add(What::CanonicalFunctions, all.count().into(), all.range().start)?;
                used.add(What::Weight, u64::from(all.count()) * CANONICAL_FUNCTION, all.range().start)?;
            }
            Payload::CustomSection(section) => {
                used.add(What::CustomSections, 1, section.range().start)?;
                used.add(What::CustomSectionBytes, section.data().len() as u64, section.range().start)?;
            }
            Payload::InstanceSection(all) => self.instances(all.count(), 1, all.range().start)?,
            Payload::ComponentInstanceSection(all) => {
                self.instances(all.count(), self.largest, all.range().start)?;
            }
            other => self.look_inside(other)?,
        }
        Ok(())
    }

    /// Those of sections whose items have bounds of their own.
    fn look_inside(&mut self, payload: &Payload<'_>) -> Result<(), Stop> {
        match payload {
            Payload::TypeSection(all) => {
                self.used.add(What::Types, all.count().into(), all.range().start)?;
                for group in all.clone().into_iter_with_offsets() {
                    let (offset, group) = group?;
                    for found in group.types() {
                        if let wasmparser::CompositeInnerType::Func(found) = &found.composite_type.inner {
                            at_most(What::Parameters, found.params().len() as u64, offset)?;
                            at_most(What::Results, found.results().len() as u64, offset)?;
                        }
                    }
                }
            }
            Payload::TableSection(all) => {
                self.used.add(What::Tables, all.count().into(), all.range().start)?;
                for table in all.clone() {
                    self.used.add(What::TableElements, table?.ty.initial, all.range().start)?;
                }
            }
            Payload::ElementSection(all) => {
                self.used.add(What::ElementSegments, all.count().into(), all.range().start)?;
                for segment in all.clone() {
                    let count = match segment?.items {
                        wasmparser::ElementItems::Functions(items) => items.count(),
                        wasmparser::ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.used.add(What::Elements, count.into(), all.range().start)?;
                }
            }
            Payload::ComponentTypeSection(all) => {
                self.used.add(What::Types, all.count().into(), all.range().start)?;
                at_most(What::NestedTypes, nested_types(&self.bytes[all.range()]), all.range().start)?;
            }
            Payload::ComponentImportSection(all) => {
                self.used.add(What::Imports, all.count().into(), all.range().start)?;
                for import in all.clone() {
                    // What it instantiates would be known only where it is instantiated.
                    if let ComponentTypeRef::Component(_) = import?.ty {
                        self.used.add(What::ComponentParameters, 1, all.range().start)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds `count` instances of what has itself `each` at most.
    fn instances(&mut self, count: u32, each: u64, offset: usize) -> Result<(), Stop> {
        let Some(own) = self.open.last_mut() else { return Ok(()) };
        *own = own.saturating_add(u64::from(count).saturating_mul(each));
        Ok(at_most(What::Instances, *own, offset)?)
    }
}

/// How deep types within types go, at most: one that is declared inside another begins with one of two pairs of
/// bytes. They are counted, not read, because the parser reads them by recursion without a bound.
fn nested_types(section: &[u8]) -> u64 {
    section.windows(2).filter(|pair| matches!(pair, [0x01, 0x41 | 0x42])).count() as u64
}
