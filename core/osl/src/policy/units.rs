//! Numbers of a policy: times carry their unit, counts have none.

/// Reads `200ms`; a bare number is refused.
pub(super) fn millis(text: &str) -> Result<u64, String> {
    const EXAMPLE: &str = "write a whole number with ms, s, m or h, such as 200ms";
    let (number, unit) = split(text);
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("{text:?} is no time: {EXAMPLE}")),
    };
    product(number, unit).ok_or_else(|| format!("{text:?} is no time: {EXAMPLE}"))
}

/// Reads `5000`.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match split(text) {
        (number, "") => product(number, 1),
        _ => None,
    }
    .ok_or_else(|| format!("{text:?} is no count: write a whole number alone, such as 500"))
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn product(number: &str, unit: u64) -> Option<u64> {
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required_and_exact() {
        assert_eq!(millis("200ms"), Ok(200));
        assert_eq!(millis("2h"), Ok(7_200_000));
        assert_eq!(count("5000"), Ok(5_000));
        for bad in ["", "200", "200 ms", "1d", "1e3ms", "+1ms", "99999999999999999999h"] {
            assert!(millis(bad).is_err(), "{bad}");
        }
        for bad in ["", "5k", "5_000", "-5", "5.0", "99999999999999999999"] {
            assert!(count(bad).is_err(), "{bad}");
        }
    }
}
