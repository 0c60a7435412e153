//! What there is not on Windows. It is compiled for Windows and has run nowhere.
#![cfg(windows)]

use airssys_osl::{Audit, AuditConfig, Capability, CapabilitySet};

fn set() -> CapabilitySet {
    CapabilitySet::new("default/a/0", Audit::open(AuditConfig::default()).unwrap())
}

#[test]
fn hostile_d15_no_grant_reaches_a_file_the_network_or_a_program_on_windows() {
    let set = set();
    let odd = ["CON", "COM\u{b9}", "a.txt::$DATA", "a. ", "PROGRA~1", "C:"];
    let odd = odd.map(|name| format!("fs.read,write,list,delete,exec \"/srv/{name}\""));
    let rest = [
        "net.connect a.example:443",
        "net.listen 127.0.0.1:80",
        "net.resolve a.example",
        "http GET https://a.example/",
        "process.run /bin/ls",
    ];
    for text in odd.iter().map(String::as_str).chain(rest) {
        for capability in Capability::parse(text).unwrap() {
            let refused = set.grant(1, capability, None).unwrap_err();
            assert!(refused.reason.starts_with("it is not supported on windows"), "{refused}");
        }
    }
    assert_eq!(set.grants(), []);
}

#[test]
fn what_needs_no_operating_system_is_granted_on_windows() {
    let set = set();
    for (id, text) in ["clock", "env HOME", "kv.read notes", "message.send tools/fetch/0", "custom.lamp on"]
        .into_iter()
        .enumerate()
    {
        let capability = Capability::parse(text).unwrap().remove(0);
        set.grant(id as u64, capability, None).unwrap();
    }
    assert_eq!(set.grants().len(), 5);
}
