//! How a system is opened.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a system may be told when it is opened; everything absent is the core's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The policy file, as [`System::policy_load`](crate::System::policy_load) takes it.
    pub policy: Option<PathBuf>,
    /// How often to look whether the policy loaded last has changed, to load it again then; absent, only when asked to.
    pub policy_watch: Option<Duration>,
    /// The file that audit records are appended to; without it the last 1,000 are kept in memory.
    pub audit: Option<PathBuf>,
    /// How the audit is kept.
    pub audit_options: AuditOptions,
    /// The folder for compiled code, made if there is none; without it nothing is kept. It must be this user's alone,
    /// and no guest of any system may write into it or make it: who knows its secret is believed. At most 1 GiB is
    /// kept, the oldest goes first, and what was changed is compiled again.
    pub cache_dir: Option<PathBuf>,
    /// `hardened` (the default: no component-model concurrency) or `full`.
    pub profile: Option<String>,
    /// The file of the key-value store, made if there is none; without it there is no store. It is this user's alone, no
    /// grant of files reaches it, and nobody else can have it open.
    pub kv: Option<PathBuf>,
    /// Whether fuel is counted, so that a [`Budget`](crate::Budget) may bound it; all guests run slower then, a
    /// tight loop at half its speed.
    pub fuel: bool,
    /// Compiles in a process of its own; absent, on threads of this one.
    pub compile_helper: Option<CompileHelper>,
    /// How guests reach the network.
    pub network: NetworkOptions,
}

/// The process that compiles: it has no environment, no file or socket of the host, and no more time and memory than this.
///
/// What it answers is trusted as much as the compiler of this process is, so it must be a program of the host's author: one
/// whose `main` is [`compile_helper`](crate::compile_helper) of the same version, such as `airwasm-compile`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompileHelper {
    /// The absolute path of the program, and its arguments.
    pub command: Vec<String>,
    /// Addresses that it may use; 2 GiB. Its answer is no longer than that.
    pub memory_bytes: Option<u64>,
    /// Time of a processor for one component, in whole seconds, rounded up; 60 s. It may take ten times that if it waits.
    pub cpu: Option<Duration>,
}

/// How guests reach the network, where they may; everything absent is the core's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkOptions {
    /// The name servers to ask, in this order; empty, those of `/etc/resolv.conf`.
    pub name_servers: Vec<SocketAddr>,
    /// A PEM file of certificates that https trusts besides the roots that browsers trust.
    pub tls_roots: Option<PathBuf>,
}

/// How the audit is kept; everything absent is the core's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditOptions {
    /// What is written: `default`, which counts allowed messages, keys, clocks, random numbers and stdio and sums them up;
    /// `denials`; or `all`.
    pub level: Option<String>,
    /// What happens to decisions while the file cannot be written: `open` lets them go on and counts what is lost, the
    /// default; `closed` denies everything.
    pub on_failure: Option<String>,
    /// What happens to a record while too many wait to be written: `block`, the default; or `count`, which leaves it out.
    pub on_full: Option<String>,
    /// Bytes at which the file is renamed to `.1`, that to `.2`, and so on; never, if absent.
    pub rotate_bytes: Option<u64>,
    /// Renamed files that stay; 8.
    pub rotate_files: Option<u64>,
    /// How often what was only counted is written; 60 s.
    pub summary_interval: Option<Duration>,
    /// Writes the records to the standard error stream as well.
    pub stderr: bool,
}
