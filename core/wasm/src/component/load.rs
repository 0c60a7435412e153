//! A loaded component: its code, its links, and what is known of it before it runs.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use wasmtime::component::{InstancePre, Linker};

use crate::engine::{Compiled, Engine, Onlooker, check_size};
use crate::host::{State, capabilities_of};
use crate::types::error::{Code, Error, Result};
use crate::types::info::ComponentInfo;

const HANDLER: &str = "airssys:wasm/handler@0.1.";
const LIFECYCLE: &str = "airssys:wasm/lifecycle@0.1.";

/// A component of a system. The imports that nobody implements are an error of its actors, not of its loading.
pub(crate) struct Loaded {
    pub(crate) info: ComponentInfo,
    /// The file's stem, as a name for actors that are given none.
    pub(crate) stem: String,
    pub(crate) linked: Result<InstancePre<State>>,
    pub(crate) handler: Option<String>,
    pub(crate) lifecycle: Option<String>,
}

/// The whole file, read once: what is hashed is what is compiled.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let io = |why: std::io::Error| {
        Error::new(Code::Io, format!("{}: {why}", path.display()))
            .with("errno", why.raw_os_error().unwrap_or_default())
            .with("path", path.display().to_string())
    };
    let check = |about: std::fs::Metadata| match about.is_file() {
        true => check_size(about.len()),
        false => Err(io(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file"))),
    };
    // Looked at before it is opened, because to open a FIFO waits for its other end; and after, should it change.
    check(std::fs::metadata(path).map_err(io)?)?;
    let file = File::open(path).map_err(io)?;
    check(file.metadata().map_err(io)?)?;
    let mut bytes = Vec::new();
    // One byte more than allowed is read at most, should the file grow meanwhile.
    file.take(crate::engine::COMPONENT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

impl Loaded {
    /// Compiles and links. Takes as long as it takes: never called on an actor's thread.
    pub(crate) fn new(
        engine: &Engine,
        linker: &Linker<State>,
        bytes: &[u8],
        (stem, digest): (String, String),
        onlooker: &Onlooker<'_>,
    ) -> Result<Self> {
        let compiled = engine.compile(bytes, onlooker)?;
        let info = inspect(&compiled, digest);
        let named = |prefix: &str| info.exports.iter().find(|name| name.starts_with(prefix)).cloned();
        let (handler, lifecycle) = (named(HANDLER), named(LIFECYCLE));
        Ok(Self { linked: compiled.link(linker), stem, handler, lifecycle, info })
    }
}

fn inspect(compiled: &Compiled, digest: String) -> ComponentInfo {
    let (imports, exports) = (compiled.imports(), compiled.exports());
    let mut capabilities: Vec<String> =
        imports.iter().flat_map(|name| capabilities_of(name)).map(|name| (*name).to_owned()).collect();
    capabilities.sort();
    capabilities.dedup();
    let handler = exports.iter().any(|name| name.starts_with(HANDLER));
    let lifecycle = exports.iter().any(|name| name.starts_with(LIFECYCLE));
    ComponentInfo { digest, imports, exports, capabilities, handler, lifecycle }
}
