//! What instances of components make: it is made again wherever one is instantiated, so few bytes may make much.

use wasmparser::component_types::{
    ComponentDefinedType, ComponentEntityType, ComponentFuncType, ComponentInstanceTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{CanonicalFunction, PrimitiveValType};

/// A canonical function costs this much: an adapter between two components, or a trampoline.
const CANONICAL_FUNCTION: u64 = 400;
/// Each value that an adapter copies.
const VALUE: u64 = 40;
/// Text that it translates between encodings, or a loop over a list.
const SEQUENCE: u64 = 600;
/// A component that is an item is copied with all that it closes over.
const COMPONENT_ITEMS: u64 = 1_000;

/// What one instance makes.
#[derive(Clone, Copy)]
pub(super) struct Made {
    /// Instances: itself, and those within.
    pub(super) instances: u64,
    /// Names of the instances that it defines or is given, which are copied with each.
    pub(super) items: u64,
    /// Of its adapters.
    pub(super) weight: u64,
}

impl Made {
    pub(super) const ONE: Self = Self { instances: 1, items: 0, weight: 0 };

    pub(super) fn most(self, other: Self) -> Self {
        Self {
            instances: self.instances.max(other.instances),
            items: self.items.max(other.items),
            weight: self.weight.max(other.weight),
        }
    }

    pub(super) fn times(self, count: u64) -> Self {
        Self {
            instances: self.instances.saturating_mul(count),
            items: self.items.saturating_mul(count),
            weight: self.weight.saturating_mul(count),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            instances: self.instances.saturating_add(other.instances),
            items: self.items.saturating_add(other.items),
            weight: self.weight.saturating_add(other.weight),
        }
    }
}

/// The items of an instance, with those of the instances among them. The validator bounds how many and how deep.
pub(super) fn items(types: &TypesRef<'_>, instance: ComponentInstanceTypeId) -> u64 {
    let exports = types[instance].exports.values();
    exports.fold(1, |sum: u64, item| {
        sum.saturating_add(match item.ty {
            ComponentEntityType::Instance(inner) => items(types, inner),
            ComponentEntityType::Component(_) => COMPONENT_ITEMS,
            _ => 1,
        })
    })
}

/// What a canonical function costs, with all that an adapter for it passes.
pub(super) fn weight(types: &TypesRef<'_>, function: &CanonicalFunction) -> u64 {
    // Only what is lowered may need an adapter.
    let CanonicalFunction::Lower { func_index, .. } = function else { return CANONICAL_FUNCTION };
    let found = types.component_function_at(*func_index);
    let ComponentFuncType { params, result, .. } = &types[found];
    let values = params.iter().map(|(_, value)| value).chain(result);
    CANONICAL_FUNCTION.saturating_add(sum(types, values))
}

fn sum<'a>(types: &TypesRef<'_>, values: impl IntoIterator<Item = &'a ComponentValType>) -> u64 {
    values.into_iter().fold(0, |sum: u64, value| sum.saturating_add(value_weight(types, value)))
}

fn value_weight(types: &TypesRef<'_>, value: &ComponentValType) -> u64 {
    use ComponentDefinedType::*;
    let id = match value {
        ComponentValType::Primitive(PrimitiveValType::String) => return SEQUENCE,
        ComponentValType::Primitive(_) => return VALUE,
        ComponentValType::Type(id) => *id,
    };
    let inside = match &types[id] {
        Primitive(PrimitiveValType::String) => SEQUENCE,
        Primitive(_) | Own(_) | Borrow(_) | Future { .. } | Stream { .. } => 0,
        Record(record) => sum(types, record.fields.values()),
        Variant(variant) => (VALUE * variant.cases.len() as u64)
            .saturating_add(sum(types, variant.cases.values().filter_map(|case| case.ty.as_ref()))),
        List { element, .. } => SEQUENCE.saturating_add(value_weight(types, element)),
        Map { key, value, .. } => SEQUENCE.saturating_add(sum(types, [key, value])),
        FixedLengthList { element, length, .. } => {
            value_weight(types, element).saturating_mul(u64::from(*length))
        }
        Tuple(tuple) => sum(types, tuple.types.iter()),
        Flags(names) | Enum(names) => VALUE * names.len() as u64,
        Option { ty, .. } => value_weight(types, ty),
        Result { ok, err, .. } => sum(types, ok.iter().chain(err)),
    };
    inside.saturating_add(VALUE)
}
