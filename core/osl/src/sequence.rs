//! The one algorithm behind every pattern with `*`: of characters in a name, of names in a path.

/// Whether the whole of `items` matches, where a pattern element for which `is_run` holds stands for
/// any number of items, none included, and any other for one item that it `covers`.
///
/// Only the last run is ever retried, so each element meets each item at most once between two runs:
/// the steps are at most elements × items, without any blow-up on `*a*a*a`. Allocates nothing.
pub(crate) fn matches<P, I>(
    pattern: &[P],
    items: I,
    is_run: impl Fn(&P) -> bool,
    covers: impl Fn(&P, I::Item) -> bool,
) -> bool
where
    I: Iterator<Item: Copy> + Clone,
{
    let mut rest = items;
    let mut at = 0;
    let mut retry: Option<(usize, I)> = None;
    loop {
        let mut ahead = rest.clone();
        match (pattern.get(at), ahead.next()) {
            (Some(element), _) if is_run(element) => {
                at += 1;
                if at == pattern.len() {
                    return true;
                }
                retry = Some((at, rest.clone()));
                continue;
            }
            (None, None) => return true,
            (Some(element), Some(item)) if covers(element, item) => {
                at += 1;
                rest = ahead;
            }
            _ => {
                let Some((after, from)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                at = *after;
                rest = from.clone();
            }
        }
    }
}
