/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// One that is open to be read or written; to describe, list or move one takes none.
    File,
    /// A name that is being looked up counts as one.
    Socket,
    /// Counts until nothing that the program started is left.
    Process,
}

/// What one actor may have open at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    pub files_max: usize,
    pub sockets_max: usize,
    pub processes_max: usize,
}

impl Default for ResourceLimits {
    /// 64 files, 64 sockets, 4 programs.
    fn default() -> Self {
        Self { files_max: 64, sockets_max: 64, processes_max: 4 }
    }
}

/// What all actors of a system may have open at once. Its descriptors, five for each program and up to three for each
/// socket, should be fewer than the process may have (`RLIMIT_NOFILE`), or the operating system refuses first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemLimits {
    pub files_max: usize,
    pub sockets_max: usize,
    pub processes_max: usize,
    /// Starts of programs in a second, and in a burst.
    pub starts_per_second_max: u32,
}

impl Default for SystemLimits {
    /// 1,024 files, 1,024 sockets, 64 programs, 256 starts in a second.
    fn default() -> Self {
        Self { files_max: 1_024, sockets_max: 1_024, processes_max: 64, starts_per_second_max: 256 }
    }
}

impl Resource {
    pub(super) const ALL: [Resource; 3] = [Resource::File, Resource::Socket, Resource::Process];
}

impl ResourceLimits {
    pub(super) fn of(&self, resource: Resource) -> usize {
        match resource {
            Resource::File => self.files_max,
            Resource::Socket => self.sockets_max,
            Resource::Process => self.processes_max,
        }
    }
}
