//! Host names: letters, digits and hyphens between dots, and nothing that an address parser might take.

use std::borrow::Cow;

const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// The name in lower case without one last dot; refused, with what to write instead, when it is not
/// made of LDH labels. Nothing is converted: a name in another script stands in its `xn--` form.
pub(crate) fn canonical(text: &str) -> Result<Cow<'_, str>, String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if !name.is_ascii() {
        return Err("a host name is ASCII: write one of another script in its xn-- form".into());
    }
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(format!("a host name has 1 to {NAME_BYTES_MAX} characters"));
    }
    if let Some(odd) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))) {
        return Err(format!("{odd:?} is in no host name: use letters, digits, `-`, and dots between labels"));
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return Err(format!("each label of a host name has 1 to {LABEL_BYTES_MAX} characters"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("no label of a host name starts or ends with `-`".into());
        }
    }
    if ends_in_number(name) {
        return Err("that is an odd spelling of an address: write it in full, such as 127.0.0.1".into());
    }
    let upper = name.bytes().any(|b| b.is_ascii_uppercase());
    Ok(if upper { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) })
}

/// The canonical name, or the text as it is, which then is covered by nothing.
pub(crate) fn fold(text: &str) -> String {
    canonical(text).map_or_else(|_| text.to_owned(), Cow::into_owned)
}

/// Whether some address parser would read it: `127.1`, `2130706433`, `0x7f.1`.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    last.bytes().all(|b| b.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}
