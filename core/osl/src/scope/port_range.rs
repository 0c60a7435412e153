use std::fmt;

/// A port, a range of ports, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PortRange {
    low: u16,
    high: u16,
}

impl PortRange {
    /// Reads `443`, `8080-8090` or `*`. Port 0 is "any free one", of use only to who listens.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no port: write a number to 65535, a range such as 8080-8090, or *");
        // Only digits, and no zero before them: other programs read such a number as octal.
        let number = |digits: &str| digits.parse().ok().filter(|port: &u16| port.to_string() == digits);
        if text == "*" {
            return Ok(Self { low: 0, high: u16::MAX });
        }
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        let (low, high) = (number(low).ok_or_else(wrong)?, number(high).ok_or_else(wrong)?);
        if low > high {
            return Err(format!("the range {text} is empty: write {high}-{low}"));
        }
        Ok(Self { low, high })
    }

    pub fn contains(&self, port: u16) -> bool {
        (self.low..=self.high).contains(&port)
    }

    pub fn includes(&self, other: &PortRange) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// The first and the last of them.
    pub fn bounds(&self) -> (u16, u16) {
        (self.low, self.high)
    }

    pub fn exact(&self) -> Option<u16> {
        (self.low == self.high).then_some(self.low)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (0, u16::MAX) => f.write_str("*"),
            (low, high) if low == high => write!(f, "{low}"),
            (low, high) => write!(f, "{low}-{high}"),
        }
    }
}
