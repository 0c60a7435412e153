//! Which names led to an address a short while ago.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long an address that a name was resolved to passes for that name.
pub(crate) const PIN: Duration = Duration::from_secs(60);
/// Pins of one actor; the oldest make room.
const PINS_MAX: usize = 1_024;

/// The lookups of one actor, oldest first.
///
/// A pin allows nothing by itself: it says by which name an address is asked for, and a live grant must
/// cover that name at that port and protocol, leading to that address.
#[derive(Default)]
pub(crate) struct Pins(VecDeque<Pin>);

struct Pin {
    name: String,
    address: IpAddr,
    until: Instant,
}

impl Pins {
    /// Remembers what the name led to at `now`.
    pub fn add(&mut self, name: &str, addresses: &[IpAddr], now: Instant) {
        self.0.retain(|pin| pin.until > now && !(pin.name == name && addresses.contains(&pin.address)));
        for address in addresses {
            if self.0.len() == PINS_MAX {
                self.0.pop_front();
            }
            self.0.push_back(Pin { name: name.to_owned(), address: *address, until: now + PIN });
        }
    }

    /// The names that led to the address, and are not too old at `now`.
    pub fn names(&self, address: IpAddr, now: Instant) -> Vec<String> {
        let live = self.0.iter().filter(|pin| pin.address == address && pin.until > now);
        live.map(|pin| pin.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn a_pin_ends_after_a_minute_and_is_renewed_by_a_lookup() {
        let start = Instant::now();
        let mut pins = Pins::default();
        pins.add("a.example", &[ip(1), ip(2)], start);
        let late = start + PIN - Duration::from_millis(1);
        assert_eq!(pins.names(ip(1), late), ["a.example"]);
        pins.add("a.example", &[ip(1)], late);
        pins.add("b.example", &[ip(1)], late);
        assert_eq!(pins.names(ip(1), start + PIN), ["a.example", "b.example"]);
        assert!(pins.names(ip(2), start + PIN).is_empty());
        assert!(pins.names(ip(3), start).is_empty());
    }

    #[test]
    fn the_oldest_pins_make_room() {
        let now = Instant::now();
        let mut pins = Pins::default();
        pins.add("first.example", &[ip(1)], now);
        for number in 0..PINS_MAX {
            pins.add(&format!("n{number}.example"), &[ip(2)], now);
        }
        assert!(pins.names(ip(1), now).is_empty());
        assert_eq!(pins.names(ip(2), now).len(), PINS_MAX);
    }
}
