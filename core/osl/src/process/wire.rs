//! What host and keeper tell each other: eight bytes each, so that none comes in parts.

use super::exit::ProcessExit;
use super::order::Order;

pub(super) const BYTES: usize = 8;

/// From the keeper to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    Started,
    /// Nothing runs; the number of the error.
    Failed(Stage, i32),
    Exited(ProcessExit),
}

/// What failed before the program ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Prepare,
    Directory,
    Execute,
}

impl Order {
    pub fn encode(self) -> [u8; BYTES] {
        match self {
            Order::End => bytes(0, 0, 0),
            Order::Kill => bytes(1, 0, 0),
            Order::Signal(signal) => bytes(2, 0, signal),
        }
    }

    pub fn decode(bytes: [u8; BYTES]) -> Option<Self> {
        match (bytes[0], number(bytes)) {
            (0, _) => Some(Order::End),
            (1, _) => Some(Order::Kill),
            (2, signal) => Some(Order::Signal(signal)),
            _ => None,
        }
    }
}

impl Report {
    pub fn encode(self) -> [u8; BYTES] {
        match self {
            Report::Started => bytes(0, 0, 0),
            Report::Failed(stage, error) => bytes(1, stage as u8, error),
            Report::Exited(ProcessExit::Code(code)) => bytes(2, 0, code),
            Report::Exited(ProcessExit::Signal(signal)) => bytes(3, 0, signal),
            Report::Exited(ProcessExit::Lost) => bytes(4, 0, 0),
        }
    }

    pub fn decode(bytes: [u8; BYTES]) -> Option<Self> {
        let stage = [Stage::Prepare, Stage::Directory, Stage::Execute].get(usize::from(bytes[1]));
        Some(match (bytes[0], number(bytes)) {
            (0, _) => Report::Started,
            (1, error) => Report::Failed(*stage?, error),
            (2, code) => Report::Exited(ProcessExit::Code(code)),
            (3, signal) => Report::Exited(ProcessExit::Signal(signal)),
            (4, _) => Report::Exited(ProcessExit::Lost),
            _ => return None,
        })
    }
}

fn bytes(tag: u8, stage: u8, number: i32) -> [u8; BYTES] {
    let [a, b, c, d] = number.to_le_bytes();
    [tag, stage, 0, 0, a, b, c, d]
}

fn number(bytes: [u8; BYTES]) -> i32 {
    let [.., a, b, c, d] = bytes;
    i32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        for order in [Order::End, Order::Kill, Order::Signal(15)] {
            assert_eq!(Order::decode(order.encode()), Some(order));
        }
        let exits = [ProcessExit::Code(255), ProcessExit::Signal(9), ProcessExit::Lost].map(Report::Exited);
        let stages = [Stage::Prepare, Stage::Directory, Stage::Execute];
        let failures = stages.map(|stage| Report::Failed(stage, 13));
        for report in exits.into_iter().chain(failures).chain([Report::Started]) {
            assert_eq!(Report::decode(report.encode()), Some(report));
        }
        assert_eq!((Order::decode([9; BYTES]), Report::decode([9; BYTES])), (None, None));
    }
}
