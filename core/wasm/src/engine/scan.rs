//! The pre-scan: one walk over untrusted bytes that validates them within bounds, before the compiler sees them.
//!
//! What a compilation costs is estimated as *weight*: about a kilobyte and two microseconds a unit. Its bounds and
//! those of counts whose cost grows faster than the bytes stand in `scan/bounds.rs`, with what real components have.
//!
//! Measured by `the_dearest_within_the_bounds` in `tests/runners/rust/load/bombs.rs`, against an ordinary guest in the
//! same run: a byte of one function costs at most 38 times the time (variables in nested loops) and 32 times the memory
//! (conversions of floats) of an ordinary one. What is instantiated again costs what its weight and items say, whatever
//! its bytes: 6 KB that make 500 adapters take 10 s, where 170 KB of an ordinary guest take 0.4 s.

mod bounds;
mod composition;
mod function;

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ComponentTypeRef,
    FuncValidatorAllocations, Instance, Parser, Payload, ValidPayload, Validator, WasmFeatures,
};

use self::bounds::{Used, What, at_most};
use self::composition::{Made, items, weight};
use crate::types::error::Error;

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

/// Validates a component within the bounds, and counts its functions.
pub(super) fn scan(bytes: &[u8], features: WasmFeatures) -> Result<u64, Stop> {
    let mut validator = Validator::new_with_features(features);
    let mut allocations = FuncValidatorAllocations::default();
    let mut scan = Scan { bytes, used: Used::new(), open: Vec::new(), largest: Made::ONE, imports: 0 };
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        scan.check(&payload)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload)? {
            let offset = body.range().start;
            let weighed = function::weigh(function, &body, &mut allocations)?;
            scan.used.add(What::Weight, weighed.weight, offset)?;
            scan.used.add(What::BrTableTargets, weighed.br_table_targets, offset)?;
        }
        scan.count_made(&validator, &payload)?;
    }
    Ok(scan.used.of(What::Functions))
}

struct Scan<'a> {
    bytes: &'a [u8],
    used: Used,
    /// What one instance of each open component or module makes, and how many instances it has.
    open: Vec<(Made, u32)>,
    /// The most of those that are complete: which of them an instantiation means is not looked up.
    largest: Made,
    /// The most imports of a module.
    imports: u64,
}

impl Scan<'_> {
    fn check(&mut self, payload: &Payload<'_>) -> Result<(), Stop> {
        let used = &mut self.used;
        match payload {
            Payload::Version { range, .. } => {
                self.open.push((Made::ONE, 0));
                at_most(What::ComponentNesting, self.open.len() as u64, range.start)?;
            }
            Payload::End(_) => {
                let (made, _) = self.open.pop().unwrap_or((Made::ONE, 0));
                self.largest = self.largest.most(made);
            }
            Payload::FunctionSection(all) => {
                used.add(What::Functions, all.count().into(), all.range().start)?
            }
            Payload::MemorySection(all) => used.add(What::Memories, all.count().into(), all.range().start)?,
            Payload::GlobalSection(all) => used.add(What::Globals, all.count().into(), all.range().start)?,
            Payload::ExportSection(all) => used.add(What::Exports, all.count().into(), all.range().start)?,
            Payload::ImportSection(all) => {
                used.add(What::Imports, all.count().into(), all.range().start)?;
                self.imports = self.imports.max(all.count().into());
            }
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
            Payload::CoreTypeSection(all) => used.add(What::Types, all.count().into(), all.range().start)?,
            Payload::ComponentExportSection(all) => {
                used.add(What::Exports, all.count().into(), all.range().start)?;
                self.make(Made { instances: 0, items: all.count().into(), weight: 0 }, all.range().start)?;
            }
            Payload::ComponentCanonicalSection(all) => {
                used.add(What::CanonicalFunctions, all.count().into(), all.range().start)?;
            }
            Payload::CustomSection(section) => {
                used.add(What::CustomSections, 1, section.range().start)?;
                used.add(What::CustomSectionBytes, section.data().len() as u64, section.range().start)?;
            }
            Payload::InstanceSection(all) => {
                for instance in all.clone() {
                    let items = match instance? {
                        Instance::Instantiate { .. } => self.imports,
                        Instance::FromExports(exports) => exports.len() as u64,
                    };
                    self.make(Made { items, ..Made::ONE }, all.range().start)?;
                }
            }
            Payload::ComponentInstanceSection(all) => {
                self.make(self.largest.times(all.count().into()), all.range().start)?;
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
            Payload::ComponentAliasSection(all) => {
                self.used.add(What::Aliases, all.count().into(), all.range().start)?;
                for alias in all.clone() {
                    let what = match alias? {
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, .. } => {
                            What::OuterComponents
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                            What::Components
                        }
                        _ => continue,
                    };
                    self.used.add(what, 1, all.range().start)?;
                }
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

    /// Adds what a section makes in each instance of the innermost component.
    fn make(&mut self, more: Made, offset: usize) -> Result<(), Stop> {
        let Some((own, _)) = self.open.last_mut() else { return Ok(()) };
        *own = own.plus(more);
        at_most(What::Instances, own.instances, offset)?;
        self.used.add(What::Items, more.items, offset)?;
        Ok(self.used.add(What::Weight, more.weight, offset)?)
    }

    /// Adds what only a validated section tells: what the new instances hold, and what functions pass.
    fn count_made(&mut self, validator: &Validator, payload: &Payload<'_>) -> Result<(), Stop> {
        let Some(types) = validator.types(0) else { return Ok(()) };
        match payload {
            Payload::ComponentImportSection(_)
            | Payload::ComponentAliasSection(_)
            | Payload::ComponentInstanceSection(_)
            | Payload::ComponentExportSection(_) => {
                let Some((_, seen)) = self.open.last_mut() else { return Ok(()) };
                let first = std::mem::replace(seen, types.component_instance_count());
                for index in first..types.component_instance_count() {
                    let items = items(&types, types.component_instance_at(index));
                    self.make(Made { instances: 0, items, weight: 0 }, payload_start(payload))?;
                }
            }
            Payload::ComponentCanonicalSection(all) => {
                for function in all.clone() {
                    let weight = weight(&types, &function?);
                    self.make(Made { instances: 0, items: 0, weight }, all.range().start)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn payload_start(payload: &Payload<'_>) -> usize {
    payload.as_section().map_or(0, |(_, range)| range.start)
}

/// How deep types within types go, at most: one that is declared inside another begins with one of two pairs of
/// bytes. They are counted, not read, because the parser reads them by recursion without a bound.
fn nested_types(section: &[u8]) -> u64 {
    section.windows(2).filter(|pair| matches!(pair, [0x01, 0x41 | 0x42])).count() as u64
}
