use std::time::Duration;

/// Reads `200ms`, `60s`, `5m` or `2h`; a bare number and zero are refused.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("{text:?} is no time: write a number with ms, s, m or h, such as ttl=60s")),
    };
    let number: u64 = number.parse().map_err(|_| format!("{text:?} is no time, such as ttl=60s"))?;
    match number.checked_mul(unit_ms) {
        Some(0) => Err("a ttl of zero grants nothing: leave the grant out".into()),
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => Err(format!("{text:?} is too long a time: leave ttl out for no limit")),
    }
}

/// The canonical form: seconds where they are whole, otherwise milliseconds.
pub(crate) fn print(ttl: Duration) -> String {
    if ttl.subsec_millis() == 0 { format!("{}s", ttl.as_secs()) } else { format!("{}ms", ttl.as_millis()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(parse("1m").map(print), Ok("60s".into()));
        assert_eq!(parse("1500ms").map(print), Ok("1500ms".into()));
        assert_eq!(parse("2h").map(print), Ok("7200s".into()));
        for bad in
            ["", "60", "s", "0s", "-1s", "1.5s", "1 s", "99999999999999999h", "99999999999999999999ms", "1d"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
