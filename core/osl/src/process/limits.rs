use std::time::Duration;

/// What the programs of one actor may take; how many there are at once is a matter of its
/// [`Resources`](crate::Resources); all of it has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessLimits {
    /// Starts in a second, and in a burst. 16.
    pub starts_per_second_max: u32,
    /// Bytes read from both outputs of one program, which is killed if it has more. 16 MiB.
    pub output_bytes_max: u64,
    /// Bytes of a standard input that is given whole. 4 MiB.
    pub stdin_bytes_max: usize,
    /// Between the request to end and the kill. 2 s.
    pub grace: Duration,
    /// How long one program may run before it is ended. None.
    pub run_max: Option<Duration>,
    /// The size to which the program may extend a file (`RLIMIT_FSIZE`). None.
    pub file_bytes_max: Option<u64>,
    /// Processes and threads of the host's user, all together, beyond which the program cannot fork
    /// (`RLIMIT_NPROC`). Counts what runs beside the program too, and does not bind root. None.
    pub user_tasks_max: Option<u64>,
    /// Addresses that it may have mapped (`RLIMIT_AS`). None.
    pub memory_bytes_max: Option<u64>,
    /// Whole seconds that each of its processes may compute (`RLIMIT_CPU`): then SIGXCPU, a second later SIGKILL. None.
    pub cpu_seconds_max: Option<u64>,
}

impl Default for ProcessLimits {
    fn default() -> Self {
        Self {
            starts_per_second_max: 16,
            output_bytes_max: 16 << 20,
            stdin_bytes_max: 4 << 20,
            grace: Duration::from_secs(2),
            run_max: None,
            file_bytes_max: None,
            user_tasks_max: None,
            memory_bytes_max: None,
            cpu_seconds_max: None,
        }
    }
}
