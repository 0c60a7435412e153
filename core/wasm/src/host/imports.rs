//! Each function that the host implements, with the capability families that it may ask for: one table.

/// One interface of the host.
pub(crate) struct Interface {
    /// Without a version, as in `wasi:cli/environment`.
    pub(crate) name: &'static str,
    /// What it is linked as; empty for one without a version. Of 0.2.x each links with each.
    pub(crate) versions: &'static [&'static str],
    /// Families, divided by spaces, and the functions that may ask for any of them.
    functions: &'static [(&'static str, &'static [&'static str])],
}

impl Interface {
    /// The interface of this name, without its version.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        INTERFACES.iter().find(|interface| interface.name == name)
    }

    /// Whether what imports this version is given it.
    pub(crate) fn fits(&self, version: &str) -> bool {
        self.versions.iter().any(|ours| *ours == version || is_same_track(ours, version))
    }

    /// All its functions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &'static str> {
        self.functions.iter().flat_map(|(_, functions)| functions.iter().copied())
    }

    /// What a function may ask for; `None` if there is no such function.
    pub(crate) fn families(&self, function: &str) -> Option<impl Iterator<Item = &'static str> + use<>> {
        let row = self.functions.iter().find(|(_, functions)| functions.contains(&function));
        row.map(|(families, _)| families.split_whitespace())
    }
}

/// Whether both are releases, and of one track: the same major version, or the same minor one of 0.
fn is_same_track(ours: &str, theirs: &str) -> bool {
    let track = |version: &str| {
        // What is built from it is of the same version, as it is for who links it.
        let version = version.split_once('+').map_or(version, |(version, _)| version);
        let mut parts = version.split('.').map(|part| part.parse::<u64>().ok());
        let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next()??);
        match (parts.next(), major, minor) {
            (Some(_), ..) => None,
            // Of 0.0.x none is like another.
            (None, 0, 0) => Some((0, 0, patch)),
            (None, 0, minor) => Some((0, minor, 0)),
            (None, major, _) => Some((major, 0, 0)),
        }
    };
    track(ours).is_some_and(|ours| track(theirs) == Some(ours))
}

const fn of(
    name: &'static str,
    versions: &'static [&'static str],
    functions: &'static [(&'static str, &'static [&'static str])],
) -> Interface {
    Interface { name, versions, functions }
}

const WASI: &[&str] = &["0.2.12"];

/// All that is linked.
#[rustfmt::skip]
pub(crate) const INTERFACES: &[Interface] = &[
    // What is asked for or handed on is whatever the guest names.
    of("airssys:wasm/capability", &["0.1.0"], &[
        ("", &["list", "ask", "take-back"]),
        ("message.send", &["hand-on"]),
    ]),
    of("airssys:wasm/messaging", &["0.1.0"], &[
        ("", &["self-id"]),
        ("message.send", &["send"]),
        ("message.request", &["request"]),
    ]),
    of("airssys:wasm/process", &["0.1.0"], &[
        ("process.run fs.exec", &["run"]),
        ("", &[
            "[method]child.read", "[method]child.write", "[method]child.close-stdin", "[method]child.wait",
            "[method]child.kill",
        ]),
    ]),
    of("airssys:wasm/regions", &["0.1.0"], &[
        ("region.create", &["create"]),
        ("region.read region.write", &["open"]),
        ("region.read", &["[method]region.read", "[method]region.load"]),
        ("region.write", &["[method]region.write", "[method]region.store"]),
        ("region.read region.write", &["[method]region.compare-exchange", "[method]region.add"]),
        ("", &["[method]region.size", "remove"]),
    ]),
    of("wasi:cli/environment", WASI, &[("env", &["get-environment"]), ("", &["get-arguments", "initial-cwd"])]),
    of("wasi:cli/exit", WASI, &[("", &["exit", "exit-with-code"])]),
    of("wasi:cli/stdin", WASI, &[("", &["get-stdin"])]),
    of("wasi:cli/stdout", WASI, &[("stdio", &["get-stdout"])]),
    of("wasi:cli/stderr", WASI, &[("stdio", &["get-stderr"])]),
    of("wasi:cli/terminal-input", WASI, &[]),
    of("wasi:cli/terminal-output", WASI, &[]),
    of("wasi:cli/terminal-stdin", WASI, &[("", &["get-terminal-stdin"])]),
    of("wasi:cli/terminal-stdout", WASI, &[("", &["get-terminal-stdout"])]),
    of("wasi:cli/terminal-stderr", WASI, &[("", &["get-terminal-stderr"])]),
    of("wasi:clocks/monotonic-clock", WASI, &[
        ("clock", &["now", "subscribe-instant", "subscribe-duration"]),
        ("", &["resolution"]),
    ]),
    of("wasi:clocks/wall-clock", WASI, &[("clock", &["now"]), ("", &["resolution"])]),
    of("wasi:config/store", &["0.2.0-rc.1"], &[("", &["get", "get-all"])]),
    of("wasi:filesystem/preopens", WASI, &[("", &["get-directories"])]),
    of("wasi:filesystem/types", WASI, &[
        ("", &[
            "[method]descriptor.advise", "[method]descriptor.get-flags", "[method]descriptor.get-type",
            "[method]descriptor.is-same-object", "[method]descriptor.sync", "[method]descriptor.sync-data",
            "[method]directory-entry-stream.read-directory-entry", "filesystem-error-code",
            // Refused whatever is granted.
            "[method]descriptor.link-at", "[method]descriptor.symlink-at",
        ]),
        ("fs.read", &["[method]descriptor.read", "[method]descriptor.read-via-stream"]),
        ("fs.list", &["[method]descriptor.read-directory"]),
        ("fs.read fs.list", &[
            "[method]descriptor.metadata-hash", "[method]descriptor.metadata-hash-at", "[method]descriptor.readlink-at",
            "[method]descriptor.stat", "[method]descriptor.stat-at",
        ]),
        // It opens directories too, and creates and cuts files.
        ("fs.read fs.write fs.list", &["[method]descriptor.open-at"]),
        ("fs.write", &[
            "[method]descriptor.append-via-stream", "[method]descriptor.create-directory-at",
            "[method]descriptor.set-size", "[method]descriptor.set-times", "[method]descriptor.set-times-at",
            "[method]descriptor.write", "[method]descriptor.write-via-stream",
        ]),
        ("fs.delete", &["[method]descriptor.remove-directory-at", "[method]descriptor.unlink-file-at"]),
        ("fs.read fs.write fs.delete", &["[method]descriptor.rename-at"]),
    ]),
    of("wasi:http/outgoing-handler", WASI, &[("http", &["handle"])]),
    // What is built and read here goes nowhere by itself.
    of("wasi:http/types", WASI, &[("", &[
        "[constructor]fields", "[static]fields.from-list", "[method]fields.get", "[method]fields.has",
        "[method]fields.set", "[method]fields.delete", "[method]fields.append", "[method]fields.entries",
        "[method]fields.clone", "[method]incoming-request.method", "[method]incoming-request.path-with-query",
        "[method]incoming-request.scheme", "[method]incoming-request.authority", "[method]incoming-request.headers",
        "[method]incoming-request.consume", "[constructor]outgoing-request", "[method]outgoing-request.body",
        "[method]outgoing-request.method", "[method]outgoing-request.set-method",
        "[method]outgoing-request.path-with-query", "[method]outgoing-request.set-path-with-query",
        "[method]outgoing-request.scheme", "[method]outgoing-request.set-scheme",
        "[method]outgoing-request.authority", "[method]outgoing-request.set-authority",
        "[method]outgoing-request.headers", "[constructor]request-options",
        "[method]request-options.connect-timeout", "[method]request-options.set-connect-timeout",
        "[method]request-options.first-byte-timeout", "[method]request-options.set-first-byte-timeout",
        "[method]request-options.between-bytes-timeout", "[method]request-options.set-between-bytes-timeout",
        "[static]response-outparam.set", "[method]incoming-response.status", "[method]incoming-response.headers",
        "[method]incoming-response.consume", "[method]incoming-body.stream", "[static]incoming-body.finish",
        "[method]future-trailers.subscribe", "[method]future-trailers.get", "[constructor]outgoing-response",
        "[method]outgoing-response.status-code", "[method]outgoing-response.set-status-code",
        "[method]outgoing-response.headers", "[method]outgoing-response.body", "[method]outgoing-body.write",
        "[static]outgoing-body.finish", "[method]future-incoming-response.subscribe",
        "[method]future-incoming-response.get", "http-error-code",
    ])]),
    of("wasi:io/error", WASI, &[("", &["[method]error.to-debug-string"])]),
    of("wasi:io/poll", WASI, &[("", &["[method]pollable.ready", "[method]pollable.block", "poll"])]),
    of("wasi:io/streams", WASI, &[("", &[
        "[method]input-stream.read", "[method]input-stream.blocking-read", "[method]input-stream.skip",
        "[method]input-stream.blocking-skip", "[method]input-stream.subscribe", "[method]output-stream.check-write",
        "[method]output-stream.write", "[method]output-stream.blocking-write-and-flush",
        "[method]output-stream.flush", "[method]output-stream.blocking-flush", "[method]output-stream.subscribe",
        "[method]output-stream.write-zeroes", "[method]output-stream.blocking-write-zeroes-and-flush",
        "[method]output-stream.splice", "[method]output-stream.blocking-splice",
    ])]),
    of("wasi:keyvalue/atomics", &["0.2.0-draft"], &[("kv.read kv.write", &["increment"])]),
    of("wasi:keyvalue/batch", &["0.2.0-draft"], &[
        ("kv.read", &["get-many"]),
        ("kv.write", &["set-many", "delete-many"]),
    ]),
    of("wasi:keyvalue/store", &["0.2.0-draft"], &[
        ("", &["open"]),
        ("kv.read", &["[method]bucket.get", "[method]bucket.exists", "[method]bucket.list-keys"]),
        ("kv.write", &["[method]bucket.set", "[method]bucket.delete"]),
    ]),
    of("wasi:logging/logging", &["", "0.1.0-draft"], &[("stdio", &["log"])]),
    of("wasi:random/insecure", WASI, &[("random", &["get-insecure-random-bytes", "get-insecure-random-u64"])]),
    of("wasi:random/insecure-seed", WASI, &[("random", &["insecure-seed"])]),
    of("wasi:random/random", WASI, &[("random", &["get-random-bytes", "get-random-u64"])]),
    of("wasi:sockets/instance-network", WASI, &[("", &["instance-network"])]),
    of("wasi:sockets/ip-name-lookup", WASI, &[
        ("net.resolve", &["resolve-addresses"]),
        ("", &[
            "[method]resolve-address-stream.resolve-next-address", "[method]resolve-address-stream.subscribe",
        ]),
    ]),
    of("wasi:sockets/network", WASI, &[]),
    of("wasi:sockets/tcp", WASI, &[
        ("net.connect", &["[method]tcp-socket.start-connect"]),
        ("net.listen", &["[method]tcp-socket.start-bind", "[method]tcp-socket.start-listen"]),
        ("", &[
            "[method]tcp-socket.finish-bind", "[method]tcp-socket.finish-connect", "[method]tcp-socket.finish-listen",
            "[method]tcp-socket.accept", "[method]tcp-socket.local-address", "[method]tcp-socket.remote-address",
            "[method]tcp-socket.is-listening", "[method]tcp-socket.address-family",
            "[method]tcp-socket.set-listen-backlog-size", "[method]tcp-socket.keep-alive-enabled",
            "[method]tcp-socket.set-keep-alive-enabled", "[method]tcp-socket.keep-alive-idle-time",
            "[method]tcp-socket.set-keep-alive-idle-time", "[method]tcp-socket.keep-alive-interval",
            "[method]tcp-socket.set-keep-alive-interval", "[method]tcp-socket.keep-alive-count",
            "[method]tcp-socket.set-keep-alive-count", "[method]tcp-socket.hop-limit",
            "[method]tcp-socket.set-hop-limit", "[method]tcp-socket.receive-buffer-size",
            "[method]tcp-socket.set-receive-buffer-size", "[method]tcp-socket.send-buffer-size",
            "[method]tcp-socket.set-send-buffer-size", "[method]tcp-socket.subscribe", "[method]tcp-socket.shutdown",
        ]),
    ]),
    of("wasi:sockets/tcp-create-socket", WASI, &[("", &["create-tcp-socket"])]),
    of("wasi:sockets/udp", WASI, &[
        ("net.listen", &["[method]udp-socket.start-bind"]),
        ("net.connect", &["[method]udp-socket.stream", "[method]outgoing-datagram-stream.send"]),
        ("", &[
            "[method]udp-socket.finish-bind", "[method]udp-socket.local-address", "[method]udp-socket.remote-address",
            "[method]udp-socket.address-family", "[method]udp-socket.unicast-hop-limit",
            "[method]udp-socket.set-unicast-hop-limit", "[method]udp-socket.receive-buffer-size",
            "[method]udp-socket.set-receive-buffer-size", "[method]udp-socket.send-buffer-size",
            "[method]udp-socket.set-send-buffer-size", "[method]udp-socket.subscribe",
            "[method]incoming-datagram-stream.receive", "[method]incoming-datagram-stream.subscribe",
            "[method]outgoing-datagram-stream.check-send", "[method]outgoing-datagram-stream.subscribe",
        ]),
    ]),
    of("wasi:sockets/udp-create-socket", WASI, &[("", &["create-udp-socket"])]),
];

#[cfg(test)]
#[path = "imports_tests.rs"]
mod tests;
