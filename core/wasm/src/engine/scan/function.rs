//! The body of one function: validated, and weighed by what its compilation costs.

use wasmparser::{
    BlockType, FrameKind, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody, Operator,
    OperatorsReader, ValidatorResources, WasmModuleResources,
};

use super::Stop;
use super::bounds::{What, at_most};

/// A function costs this much before its first operation: its frame, its traps, its trampolines.
const BASE: u64 = 400;
/// Operations whose operands are checked by code of their own, and that may call the host.
const HOST_CHECKED: u64 = 24;
const LOOP: u64 = 64;
const INDIRECT_CALL: u64 = 32;
const DIVISION: u64 = 16;
/// Of memory, whose bounds are checked explicitly.
const ACCESS: u64 = 8;
const BR_TABLE_TARGETS_PER_UNIT: u64 = 8;
/// Each value that a table of branches passes to each of its targets.
const BR_TABLE_VALUE: u64 = 4;

/// What a function adds to its component.
pub(super) struct Weighed {
    pub(super) weight: u64,
    pub(super) br_table_targets: u64,
}

/// How far a body has been read.
struct Walk {
    validator: FuncValidator<ValidatorResources>,
    /// Whether each open block is a loop.
    blocks: Vec<bool>,
    open_loops: u64,
    loops: u64,
    indirect_calls: u64,
    host_checked: u64,
    values: u64,
    weighed: Weighed,
}

/// Validates a body within the bounds of one function.
pub(super) fn weigh(
    function: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
    allocations: &mut FuncValidatorAllocations,
) -> Result<Weighed, Stop> {
    let (offset, bytes) = (body.range().start, body.range().len() as u64);
    at_most(What::FunctionBytes, bytes, offset)?;
    let mut locals = 0u64;
    for group in body.get_locals_reader()? {
        locals = locals.saturating_add(u64::from(group?.0));
        at_most(What::Locals, locals, offset)?;
    }
    let mut walk = Walk::new(function.into_validator(std::mem::take(allocations)));
    let mut reader = body.get_binary_reader();
    walk.validator.read_locals(&mut reader)?;
    let locals = u64::from(walk.validator.len_locals());
    walk.weighed.weight = BASE + locals;
    let mut operators = OperatorsReader::new(reader);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        walk.validator.op(offset, &operator)?;
        walk.step(&operator, offset)?;
        let values = locals + u64::from(walk.validator.operand_stack_height());
        walk.values = walk.values.max(values);
        at_most(What::ValueBytes, walk.values.saturating_mul(bytes), offset)?;
    }
    operators.finish()?;
    *allocations = walk.validator.into_allocations();
    Ok(walk.weighed)
}

impl Walk {
    fn new(validator: FuncValidator<ValidatorResources>) -> Self {
        let weighed = Weighed { weight: 0, br_table_targets: 0 };
        let blocks = vec![false];
        Self {
            validator,
            blocks,
            open_loops: 0,
            loops: 0,
            indirect_calls: 0,
            host_checked: 0,
            values: 0,
            weighed,
        }
    }

    fn step(&mut self, operator: &Operator<'_>, offset: usize) -> Result<(), Stop> {
        self.weighed.weight += match operator {
            Operator::Block { blockty } | Operator::If { blockty } => self.open(*blockty, false, offset)?,
            Operator::Loop { blockty } => self.open(*blockty, true, offset)?,
            Operator::End => {
                self.open_loops -= u64::from(self.blocks.pop() == Some(true));
                1
            }
            // Each loop around it may need a value of its own for the variable.
            Operator::LocalGet { .. } | Operator::LocalSet { .. } | Operator::LocalTee { .. } => {
                1 + 2 * self.open_loops
            }
            Operator::BrTable { targets } => {
                self.weighed.br_table_targets += u64::from(targets.len());
                let each = u64::from(targets.len()).saturating_mul(self.passed(targets.default()));
                1 + u64::from(targets.len()) / BR_TABLE_TARGETS_PER_UNIT + BR_TABLE_VALUE * each
            }
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                1 + self.passed(*relative_depth)
            }
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                2 + self.values_of(self.validator.resources().type_index_of_function(*function_index))
            }
            Operator::CallIndirect { type_index, .. } => {
                self.indirect_calls += 1;
                at_most(What::IndirectCalls, self.indirect_calls, offset)?;
                INDIRECT_CALL + self.values_of(Some(*type_index))
            }
            // Its cost does not grow with their square.
            Operator::ReturnCallIndirect { type_index, .. } => {
                INDIRECT_CALL + self.values_of(Some(*type_index))
            }
            other => self.plain(other, offset)?,
        };
        at_most(What::FunctionWeight, self.weighed.weight, offset)?;
        Ok(())
    }

    fn open(&mut self, kind: BlockType, is_loop: bool, offset: usize) -> Result<u64, Stop> {
        self.blocks.push(is_loop);
        at_most(What::Nesting, self.blocks.len() as u64, offset)?;
        let (parameters, results) = self.arity(kind);
        let values = parameters + results;
        if !is_loop {
            return Ok(1 + values);
        }
        self.open_loops += 1;
        at_most(What::LoopNesting, self.open_loops, offset)?;
        self.loops += 1;
        at_most(What::Loops, self.loops, offset)?;
        Ok(LOOP + values)
    }

    /// How many values a call passes and gets back.
    fn values_of(&self, type_index: Option<u32>) -> u64 {
        type_index.map_or(0, |index| {
            let (parameters, results) = self.arity(BlockType::FuncType(index));
            parameters + results
        })
    }

    /// How many values go into a block or function, and how many come out.
    fn arity(&self, kind: BlockType) -> (u64, u64) {
        match kind {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => {
                let found = self.validator.resources().sub_type_at(index);
                found.map_or((0, 0), |found| {
                    let found = found.unwrap_func();
                    (found.params().len() as u64, found.results().len() as u64)
                })
            }
        }
    }

    /// How many values a branch passes to what is so many blocks outside.
    fn passed(&self, depth: u32) -> u64 {
        self.validator.get_control_frame(depth as usize).map_or(0, |frame| {
            let (parameters, results) = self.arity(frame.block_type);
            if frame.kind == FrameKind::Loop { parameters } else { results }
        })
    }

    fn plain(&mut self, operator: &Operator<'_>, offset: usize) -> Result<u64, Stop> {
        use Operator::*;
        Ok(match operator {
            I32TruncF32S
            | I32TruncF32U
            | I32TruncF64S
            | I32TruncF64U
            | I64TruncF32S
            | I64TruncF32U
            | I64TruncF64S
            | I64TruncF64U
            | MemoryGrow { .. }
            | MemoryCopy { .. }
            | MemoryFill { .. }
            | MemoryInit { .. }
            | DataDrop { .. }
            | ElemDrop { .. }
            | TableGet { .. }
            | TableSet { .. }
            | TableGrow { .. }
            | TableFill { .. }
            | TableCopy { .. }
            | TableInit { .. }
            | RefFunc { .. } => {
                self.host_checked += 1;
                at_most(What::HostChecked, self.host_checked, offset)?;
                HOST_CHECKED
            }
            I32DivS | I32DivU | I32RemS | I32RemU | I64DivS | I64DivU | I64RemS | I64RemU => DIVISION,
            other => match is_access(other) {
                true => ACCESS,
                false => 1,
            },
        })
    }
}

/// Whether it loads or stores.
fn is_access(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        I32Load { .. }
            | I64Load { .. }
            | F32Load { .. }
            | F64Load { .. }
            | I32Load8S { .. }
            | I32Load8U { .. }
            | I32Load16S { .. }
            | I32Load16U { .. }
            | I64Load8S { .. }
            | I64Load8U { .. }
            | I64Load16S { .. }
            | I64Load16U { .. }
            | I64Load32S { .. }
            | I64Load32U { .. }
            | I32Store { .. }
            | I64Store { .. }
            | F32Store { .. }
            | F64Store { .. }
            | I32Store8 { .. }
            | I32Store16 { .. }
            | I64Store8 { .. }
            | I64Store16 { .. }
            | I64Store32 { .. }
            | V128Load { .. }
            | V128Load8x8S { .. }
            | V128Load8x8U { .. }
            | V128Load16x4S { .. }
            | V128Load16x4U { .. }
            | V128Load32x2S { .. }
            | V128Load32x2U { .. }
            | V128Load8Splat { .. }
            | V128Load16Splat { .. }
            | V128Load32Splat { .. }
            | V128Load64Splat { .. }
            | V128Load32Zero { .. }
            | V128Load64Zero { .. }
            | V128Store { .. }
            | V128Load8Lane { .. }
            | V128Load16Lane { .. }
            | V128Load32Lane { .. }
            | V128Load64Lane { .. }
            | V128Store8Lane { .. }
            | V128Store16Lane { .. }
            | V128Store32Lane { .. }
            | V128Store64Lane { .. }
    )
}
