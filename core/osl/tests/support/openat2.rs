//! The same tests where the kernel refuses openat2, as older ones and many sandboxes do.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Once;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use seccompiler::{SeccompAction, SeccompFilter, apply_filter_all_threads};

const REFUSE: &str = "AIRSSYS_REFUSE_OPENAT2";
/// On every architecture.
const SYS_OPENAT2: i64 = 437;

/// In the process that `again` starts, takes openat2 away from all threads.
pub fn refuse_if_asked() {
    static DONE: Once = Once::new();
    if std::env::var_os(REFUSE).is_some() {
        DONE.call_once(refuse);
    }
}

fn refuse() {
    let filter = SeccompFilter::new(
        BTreeMap::from([(SYS_OPENAT2, vec![])]),
        SeccompAction::Allow,
        SeccompAction::Errno(Errno::NOSYS.raw_os_error() as u32),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: seccompiler::BpfProgram = filter.unwrap().try_into().unwrap();
    apply_filter_all_threads(&program).unwrap();
    assert_eq!(works(), Err(Errno::NOSYS));
}

pub fn works() -> Result<(), Errno> {
    openat2(CWD, "/", OFlags::PATH, Mode::empty(), ResolveFlags::empty()).map(drop)
}

/// Runs the hostile tests of this test program once more, without openat2.
pub fn again(tests_min: usize) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg("hostile_").env(REFUSE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let passed = text.split("test result: ok. ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    let passed: usize = passed.expect("the summary counts the tests");
    assert!(passed >= tests_min, "only {passed} tests ran: {text}");
}
