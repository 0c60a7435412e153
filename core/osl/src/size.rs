//! Sizes in texts: a number with its unit.

const UNITS: &[(&str, u64)] = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads `10MiB`, `512KiB`, `1GiB` or `100B` as bytes; a bare number and zero are refused.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let no_size = || format!("{text:?} is no size: write a number with B, KiB, MiB or GiB, such as 10MiB");
    let (_, unit_bytes) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(no_size)?;
    let number: u64 = number.parse().map_err(|_| no_size())?;
    match number.checked_mul(*unit_bytes) {
        Some(0) => Err("a size of zero grants nothing: leave the grant out".into()),
        Some(bytes) => Ok(bytes),
        None => Err(format!("{text:?} is too large a size: leave it out for no limit")),
    }
}

/// The canonical form: the largest unit in which it is whole.
pub(crate) fn print(bytes: u64) -> String {
    let (unit, unit_bytes) =
        UNITS.iter().find(|(_, unit)| bytes.is_multiple_of(*unit)).expect("every number is whole in bytes");
    format!("{}{unit}", bytes / unit_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        for (text, canonical) in
            [("10MiB", "10MiB"), ("1024KiB", "1MiB"), ("1025B", "1025B"), ("3072B", "3KiB")]
        {
            assert_eq!(parse(text).map(print), Ok(canonical.into()), "{text}");
        }
        for bad in
            ["", "10", "MiB", "0B", "-1B", "1.5MiB", "1 MiB", "10MB", "10mib", "99999999999GiB", "1e3B"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
