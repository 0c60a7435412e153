//! A free port of a granted range.

/// Ports that are tried before the range counts as taken.
const TRIED_MAX: usize = 256;

/// The ports of a range to try one after the other, from somewhere within it; 0, which is the system's
/// choice, where the range is everything or 0 itself.
pub(crate) fn candidates(low: u16, high: u16, random: u32) -> impl Iterator<Item = u16> {
    let any = high == 0 || (low, high) == (0, u16::MAX);
    let (low, high) = if any { (0, 0) } else { (u32::from(low.max(1)), u32::from(high)) };
    let count = high - low + 1;
    (0..count).take(TRIED_MAX).map(move |step| {
        let port = low + (random % count + step) % count;
        u16::try_from(port).expect("both ends are ports")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_of_a_small_range_is_tried_once() {
        let tried = |low, high, random| candidates(low, high, random).collect::<Vec<u16>>();
        assert_eq!(tried(80, 83, 0), [80, 81, 82, 83]);
        assert_eq!(tried(80, 83, 6), [82, 83, 80, 81]);
        assert_eq!(tried(65_534, 65_535, u32::MAX), [65_535, 65_534]);
        assert_eq!(tried(0, 2, 1), [2, 1], "0 is no port of a range");
        assert_eq!(tried(0, 65_535, 7), [0]);
        assert_eq!(tried(0, 0, 7), [0]);
        assert_eq!(tried(1, 65_535, 7).len(), TRIED_MAX);
    }
}
