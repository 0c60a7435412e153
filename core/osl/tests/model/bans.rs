//! What bans mean: like grants, but nothing that the asker chooses beside the thing itself leads around them.

use airssys_osl::Protocol;

use super::{Cap, Host, Place, Want, words};

/// Whether a ban of the capability refuses what is wanted.
pub fn forbids(cap: &Cap, want: &Want) -> bool {
    match (cap, want) {
        // Whatever the name leads to.
        (Cap::Net(name, host, ports, proto, _), Want::Net(action, asked, place, port, protocol)) => {
            name == action
                && ports.contain(*port)
                && proto.is_none_or(|proto| proto == *protocol)
                && (touches(host, *asked, *place) || (*name == "net.listen" && listens_in(host, *place)))
        }
        // A request includes the connection.
        (Cap::Net("net.connect", host, ports, proto, _), Want::Http { host: asked, port, .. }) => {
            ports.contain(*port)
                && proto.is_none_or(|proto| proto == Protocol::Tcp)
                && touches(host, Some(asked), None)
        }
        // A ban to connect says nothing of names.
        (Cap::Net(..), Want::Resolve(_)) => false,
        // Whatever variables it is given.
        (Cap::Program(program, patterns, rest, _), Want::Program(asked, args, _)) => super::covers(
            &Cap::Program(program, patterns.clone(), *rest, Vec::new()),
            &Want::Program(asked, args.clone(), Vec::new()),
        ),
        // Whatever its size.
        (Cap::Region(name, own, _), Want::Region(action, region, _)) => name == action && own == region,
        // As soon as there is one topic that both mean.
        (Cap::Topic("message.subscribe", banned), Want::Topic("message.subscribe", asked)) => {
            topics(5).iter().any(|topic| words::topic(banned, topic) && words::topic(asked, topic))
        }
        _ => super::covers(cap, want),
    }
}

fn touches(host: &Host, name: Option<&str>, place: Option<Place>) -> bool {
    match host {
        Host::Name(_) | Host::Below(_) => super::reaches(host, name, None, false),
        Host::Block(start, bits) => place.is_some_and(|place| {
            let front = &super::binary(start)[..*bits as usize];
            let inside = |ip: &str| {
                super::binary(ip).len() == super::binary(start).len() && super::binary(ip).starts_with(front)
            };
            // Where the unspecified address leads.
            let loopback = match place.ip {
                "0.0.0.0" => Some("127.0.0.1"),
                "::" => Some("::1"),
                _ => None,
            };
            inside(place.ip) || place.carries.is_some_and(inside) || loopback.is_some_and(inside)
        }),
    }
}

/// Who listens on the unspecified address listens on each of its family.
fn listens_in(host: &Host, place: Option<Place>) -> bool {
    let everywhere = |place: &Place| place.ip == "0.0.0.0" || place.ip == "::";
    match host {
        Host::Block(start, _) => place
            .filter(everywhere)
            .is_some_and(|place| super::binary(start).len() == super::binary(place.ip).len()),
        _ => false,
    }
}

/// All topics of so many parts at most, of two that patterns name and one that none does.
fn topics(parts_max: usize) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    let mut start = 0;
    for _ in 0..parts_max {
        let end = all.len();
        for at in start..end {
            for part in ["a", "b", "z"] {
                let mut longer = all[at].clone();
                longer.push(part.to_owned());
                all.push(longer);
            }
        }
        start = end;
    }
    all
}
