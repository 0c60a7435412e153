use crate::endpoint::Endpoint;

/// What somebody wants to do now: exact, no wildcards. Whatever is no valid path, id, name or URL is
/// covered by nothing, so a caller may pass on what a guest said as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    FsRead(String),
    FsList(String),
    FsWrite(String),
    FsDelete(String),
    FsExec(String),
    NetConnect(Endpoint),
    NetListen(Endpoint),
    /// A host name, or the text of an address, which needs no resolving.
    NetResolve(String),
    Http {
        method: String,
        url: String,
    },
    ProcessRun {
        /// Its absolute path.
        program: String,
        /// Without the program itself.
        args: Vec<String>,
        /// The names of the variables it is given.
        env: Vec<String>,
    },
    Env(String),
    KvRead(String),
    KvWrite(String),
    MessageSend(String),
    MessageRequest(String),
    MessagePublish(String),
    /// A topic, or a pattern of topics; only a grant of all of them covers that.
    MessageSubscribe(String),
    MessageSpawn(String),
    RegionCreate {
        name: String,
        bytes: u64,
    },
    RegionRead(String),
    RegionWrite(String),
    Clock,
    Random,
    Stdio,
    /// A capability of the host's own, `custom.NAME ACTION`.
    Custom {
        name: String,
        action: String,
    },
}
