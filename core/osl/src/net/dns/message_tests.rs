use super::*;

const NAME: &str = "host.example";

/// An answer to the question for `NAME` with these records.
fn message(flags: u16, records: &[(&str, u16, Vec<u8>)]) -> Vec<u8> {
    let mut message = query(7, NAME, Family::V4);
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    message[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    for (owner, kind, data) in records {
        message.extend(wire(owner));
        message.extend([kind.to_be_bytes(), INTERNET.to_be_bytes(), [0, 0], [0, 60]].concat());
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
    }
    message
}

fn read(message: &[u8]) -> Option<Answer> {
    answer(message, 7, NAME, Family::V4)
}

fn addresses(last: &[u8]) -> Option<Answer> {
    Some(Answer::Addresses(last.iter().map(|last| [192, 0, 2, *last].into()).collect()))
}

fn alias(from: &'static str, to: &str) -> (&'static str, u16, Vec<u8>) {
    (from, CNAME, wire(to))
}

#[test]
fn only_an_answer_to_the_question_is_one() {
    let good = message(0x8180, &[("HOST.example", 1, vec![192, 0, 2, 1])]);
    assert_eq!(read(&good), addresses(&[1]));
    assert_eq!(answer(&good, 8, NAME, Family::V4), None, "another id");
    assert_eq!(answer(&good, 7, "host.example2", Family::V4), None, "another name");
    assert_eq!(answer(&good, 7, NAME, Family::V6), None, "another kind");
    assert_eq!(read(&message(0x0180, &[])), None, "a question");
    assert_eq!(read(&message(0x9180, &[])), None, "another operation");
    assert_eq!(read(&message(0x8380, &[])), Some(Answer::Truncated));
    assert_eq!(read(&message(0x8183, &[])), addresses(&[]), "no such name");
    assert_eq!(read(&message(0x8182, &[])), Some(Answer::Failed(2)));
    for end in 0..good.len() {
        assert_eq!(read(&good[..end]), None, "cut at {end}");
    }
}

#[test]
fn records_of_other_names_and_kinds_are_left_out() {
    let records = [
        ("evil.example", 1, vec![192, 0, 2, 9]),
        (NAME, 16, b"\x04text".to_vec()),
        (NAME, 1, vec![192, 0, 2, 1]),
        (NAME, 1, vec![192, 0, 2, 2]),
    ];
    assert_eq!(read(&message(0x8180, &records)), addresses(&[1, 2]));
    assert_eq!(read(&message(0x8180, &[(NAME, 1, vec![192, 0, 2])])), None, "an address of three bytes");
    assert_eq!(read(&message(0x8180, &[(NAME, 1, vec![192, 0, 2, 1, 0])])), None, "and of five");
}

#[test]
fn aliases_are_followed_so_far() {
    let names: Vec<String> = (0..12).map(|number| format!("a{number}.example")).collect();
    let chain = |length: usize| {
        let mut records = vec![(NAME, CNAME, wire(&names[0]))];
        records.extend((1..length).map(|at| (names[at - 1].as_str(), CNAME, wire(&names[at]))));
        records.push((names[length - 1].as_str(), 1, vec![192, 0, 2, 1]));
        records.reverse();
        read(&message(0x8180, &records))
    };
    assert_eq!(chain(1), addresses(&[1]));
    assert_eq!(chain(ALIASES_MAX), addresses(&[1]));
    assert_eq!(chain(ALIASES_MAX + 1), addresses(&[]));
    let circle = [alias(NAME, "b.example"), alias("b.example", NAME)];
    assert_eq!(read(&message(0x8180, &circle)), addresses(&[]));
}

#[test]
fn pointers_lead_back_and_never_in_circles() {
    let pointed = |owner: &[u8]| {
        let mut message = message(0x8180, &[]);
        message[7] = 1;
        message.extend(owner);
        message.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        read(&message)
    };
    assert_eq!(pointed(&[0xc0, 12]), addresses(&[1]), "the name in the question");
    assert_eq!(pointed(&[4, b'h', b'o', b's', b't', 0xc0, 17]), addresses(&[1]), "the end of it");
    let own = (query(7, NAME, Family::V4).len()) as u8;
    for odd in [[0xc0, own], [0xc0, own + 1], [0xff, 0xff], [0x40, 0], [0x80, 0]] {
        assert_eq!(pointed(&odd), None, "{odd:?}");
    }
    let long: Vec<u8> = [[63; 64].as_slice(); 4].concat();
    assert_eq!(pointed(&[long.as_slice(), &[0]].concat()), None, "longer than a name");
}

/// Any bytes: whatever is read of them is bounded, and of the family that was asked for.
#[test]
fn mutated_answers_are_read_or_refused() {
    let records = [alias(NAME, "b.example"), ("b.example", 1, vec![192, 0, 2, 1]), (NAME, 28, vec![1; 16])];
    let good = message(0x8180, &records);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let rounds = std::env::var("AIRSSYS_FUZZ").map_or(20_000, |text| text.parse().unwrap());
    let mut accepted = 0;
    for _ in 0..rounds {
        let mut bytes = good.clone();
        for _ in 0..=random(4) {
            // The question mostly stays, so that the records are looked at.
            let records_at = query(7, NAME, Family::V4).len();
            let from = if random(8) == 0 || bytes.len() <= records_at { 0 } else { records_at };
            let at = from + random(bytes.len() - from);
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes[at] ^= 1 << random(8),
                2 => bytes.insert(at, 0xc0),
                _ => bytes.truncate(at.max(from + 1)),
            }
        }
        for family in [Family::V4, Family::V6] {
            if let Some(Answer::Addresses(found)) = answer(&bytes, 7, NAME, family) {
                assert!(found.len() <= RECORDS_MAX);
                assert!(found.iter().all(|ip| ip.is_ipv4() == (family == Family::V4)));
                accepted += 1;
            }
        }
    }
    assert!(rounds < 1_000 || accepted > 0);
}
