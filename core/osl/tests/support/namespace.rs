//! A part of a test in a mount namespace of its own, where the system lets an ordinary user make one.

use std::process::Command;

const INSIDE: &str = "AIRSSYS_TEST_DIRECTORY";

/// The directory that the outer process has prepared, in the inner one.
pub fn directory() -> Option<String> {
    std::env::var(INSIDE).ok()
}

/// Runs the test of this name again, after the shell commands; false where the system refuses mounts.
pub fn inside(test: &str, directory: &str, commands: &str) -> bool {
    let possible = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", directory]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("{test}: no mounts here, so this part is left out");
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let script = format!("set -e; cd '{directory}'; {commands}; exec \"$0\" --exact {test} --nocapture");
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .arg(program)
        .env(INSIDE, directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
    true
}
