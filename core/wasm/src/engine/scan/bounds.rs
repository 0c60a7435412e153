//! The bounds of a component as data, and how much of each has been used.

use crate::types::error::{Code, Error, Result};

/// What is counted, in the order of [`BOUNDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    // Of one function.
    FunctionBytes,
    Nesting,
    LoopNesting,
    Locals,
    Loops,
    IndirectCalls,
    HostChecked,
    ValueBytes,
    FunctionWeight,
    // Of one type.
    Parameters,
    Results,
    NestedTypes,
    ComponentNesting,
    // Of the whole component.
    Weight,
    BrTableTargets,
    Modules,
    Components,
    Types,
    Imports,
    Exports,
    Instances,
    Items,
    OuterComponents,
    Aliases,
    CanonicalFunctions,
    ComponentParameters,
    Functions,
    Tables,
    TableElements,
    Memories,
    Globals,
    ElementSegments,
    Elements,
    DataSegments,
    CustomSections,
    CustomSectionBytes,
}

const KINDS: usize = What::CustomSectionBytes as usize + 1;

/// The name in an error's `which`, and the most. Beside it the most that was found in CPython (18 MB, by
/// componentize-py) and SpiderMonkey (14 MB, by componentize-js).
#[rustfmt::skip]
const BOUNDS: [(&str, u64); KINDS] = [
    ("function_bytes", 1 << 20),           // 426,843
    ("nesting", 4_096),                    // 782
    ("loop_nesting", 32),                  // 6
    ("locals", 10_000),                    // 273
    ("loops", 1_024),                      // 392; their cost grows with their square
    ("indirect_calls", 1_024),             // 120; so does that of these
    ("host_checked_operations", 1_024),    // 126; 26 KB each while they are compiled
    ("value_bytes", 32 << 20),             // 14,197,938: bytes of a function times its values
    ("function_weight", 500_000),          // 342,531
    ("parameters", 100),                   // 18
    ("results", 32),                       // 1
    ("nested_types", 100),                 // 3; each takes more than 2 KB of stack
    ("component_nesting", 16),             // 2
    ("weight", 28_000_000),                // 17,747,681; two microseconds each at worst: 56 s of the 60
    ("br_table_targets", 500_000),         // 44,447
    ("modules", 200),                      // 14
    ("components", 200),                   // 1
    ("types", 20_000),                     // 1,213
    ("imports", 20_000),                   // 2,293
    ("exports", 50_000),                   // 4,206
    ("instances", 1_000),                  // 64
    ("items", 500_000),                    // 275; of `composition.rs`, 400 bytes each
    ("outer_components", 16),              // 0; what closes over them is copied with all of them
    ("aliases", 50_000),                   // 1,335
    ("canonical_functions", 5_000),        // 188
    ("component_parameters", 0),           // 0
    ("functions", 100_000),                // 13,351
    ("tables", 200),                       // 2
    ("table_elements", 1_000_000),         // 7,938
    ("memories", 200),                     // 1
    ("globals", 50_000),                   // 874
    ("element_segments", 10_000),          // 7
    ("elements", 1_000_000),               // 7,937
    ("data_segments", 50_000),             // 10,000
    ("custom_sections", 1_000),            // 24
    ("custom_section_bytes", 32 << 20),    // 414,804
];

/// How much of each bound has been used.
pub(super) struct Used([u64; KINDS]);

impl Used {
    pub(super) fn new() -> Self {
        Self([0; KINDS])
    }

    pub(super) fn of(&self, what: What) -> u64 {
        self.0[what as usize]
    }

    /// Counts `more`; `COMPILE_LIMIT` if that is too much.
    pub(super) fn add(&mut self, what: What, more: u64, offset: usize) -> Result<()> {
        let used = &mut self.0[what as usize];
        *used = used.saturating_add(more);
        at_most(what, *used, offset)
    }
}

/// `COMPILE_LIMIT` if `given` is over the bound.
pub(super) fn at_most(what: What, given: u64, offset: usize) -> Result<()> {
    let (which, allowed) = BOUNDS[what as usize];
    if given <= allowed {
        return Ok(());
    }
    let text = format!(
        "the component is too dear to compile: {which} allowed {allowed}, given {given} (at offset {offset})"
    );
    Err(Error::new(Code::CompileLimit, text)
        .with("which", which)
        .with("allowed", allowed)
        .with("given", given)
        .with("offset", offset as u64))
}
