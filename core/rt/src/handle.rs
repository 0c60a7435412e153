//! Numbers for what a table holds: a slot, and how often that slot was used.

use std::fmt;
use std::num::NonZeroU64;

/// The number of something in a runtime; once that is gone, the number never means anything else.
// The slot is in the low half, the generation in the high one. Generations in use are odd (see `Slots`), so that no
// handle is 0 and none matches a free slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(NonZeroU64);

impl Handle {
    /// The handle of this slot in this generation, if that is one of a slot in use.
    pub(crate) fn new(slot: u32, generation: u32) -> Option<Self> {
        Self::from_u64(u64::from(generation) << 32 | u64::from(slot))
    }

    /// The number, for those who can only keep numbers.
    pub fn to_u64(self) -> u64 {
        self.0.get()
    }

    /// The handle of this number; `None` for a number that no handle ever has.
    pub fn from_u64(number: u64) -> Option<Self> {
        let in_use = (number >> 32) % 2 == 1;
        NonZeroU64::new(number).filter(|_| in_use).map(Self)
    }

    pub(crate) fn slot(self) -> u32 {
        self.0.get() as u32
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0.get() >> 32) as u32
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({}.{})", self.slot(), self.generation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_survives_the_way_through_its_number() {
        for (slot, generation) in [(0, 1), (7, 3), (u32::MAX, u32::MAX), (u32::MAX, 1)] {
            let handle = Handle::new(slot, generation).expect("odd");
            assert_eq!((handle.slot(), handle.generation()), (slot, generation));
            assert_eq!(Handle::from_u64(handle.to_u64()), Some(handle));
        }
        assert_eq!(format!("{:?}", Handle::new(7, 3).expect("odd")), "Handle(7.3)");
    }

    #[test]
    fn hostile_i2_a_number_no_slot_in_use_can_have_is_no_handle() {
        for number in [0, 1, u64::from(u32::MAX), 2 << 32, 2 << 32 | 5, u64::MAX - (1 << 32)] {
            assert_eq!(Handle::from_u64(number), None, "{number:#x}");
        }
    }
}
