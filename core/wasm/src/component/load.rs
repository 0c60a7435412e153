//! A loaded component: its code, its links, and what is known of it before it runs.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use wasmtime::component::{InstancePre, Linker};

use super::{missing, nearest, wit};
use crate::engine::{Engine, Item, Onlooker, check_size};
use crate::host::State;
use crate::host::imports::Interface;
use crate::types::error::{Code, Error, Result};
use crate::types::info::ComponentInfo;

const HANDLER: &str = "airssys:wasm/handler@0.1.";
const HANDLER_NOW: &str = "airssys:wasm/handler@0.1.0";
const LIFECYCLE: &str = "airssys:wasm/lifecycle@0.1.";
const HTTP: &str = "wasi:http/incoming-handler@0.2.";

/// A component of a system. The imports that nobody implements are an error of its actors, not of its loading.
pub(crate) struct Loaded {
    pub(crate) info: ComponentInfo,
    /// The file's stem, as a name for actors that are given none.
    pub(crate) stem: String,
    pub(crate) linked: Result<InstancePre<State>>,
    /// Capability families that it may ask for, each with the first function that may.
    pub(crate) wants: Vec<(&'static str, String)>,
    /// Its exports as WIT.
    pub(crate) wit: Result<String>,
    pub(crate) handler: Option<String>,
    pub(crate) lifecycle: Option<String>,
    /// Of a component without a handler, the export that may have been meant as one.
    nearly_handler: Option<String>,
    pub(crate) http: Option<String>,
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
        let (imports, exports) = (compiled.imports(), compiled.exports());
        let linked = compiled.link(linker).map_err(|why| missing::fault(&imports, &why));
        let linked = linked.and_then(|linked| check_handler(&exports).map(|()| linked));
        let wants = wants(&imports);
        let info = inspect(digest, imports, exports, &wants);
        let named = |prefix: &str| info.exports.iter().find(|name| name.starts_with(prefix)).cloned();
        let (handler, lifecycle, http) = (named(HANDLER), named(LIFECYCLE), named(HTTP));
        let nearly_handler = match handler {
            None => nearest::to(HANDLER_NOW, info.exports.iter().map(String::as_str)).map(str::to_owned),
            Some(_) => None,
        };
        let wit = wit::exports(bytes);
        Ok(Self { info, stem, linked, wants, wit, handler, lifecycle, nearly_handler, http })
    }

    /// `EXPORT_MISSING` unless it can be asked by http.
    pub(crate) fn check_http(&self) -> Result<()> {
        if self.http.is_some() {
            return Ok(());
        }
        let text = "the component does not export wasi:http/incoming-handler@0.2, so it serves no http";
        Err(Error::new(Code::ExportMissing, text).with("export", "wasi:http/incoming-handler@0.2.0"))
    }

    /// That it takes no messages, with what it exports in a handler's place.
    pub(crate) fn no_handler(&self) -> Error {
        let text = "the component does not export airssys:wasm/handler, so it takes no messages";
        let error = Error::new(Code::ExportMissing, text).with("export", HANDLER_NOW);
        match &self.nearly_handler {
            Some(nearest) => {
                let text = format!("{text}; it exports {nearest}, this version calls {HANDLER_NOW}");
                Error { message: text, ..error }.with("nearest", nearest.as_str())
            }
            None => error,
        }
    }
}

impl Loaded {
    /// `IMPORT_MISSING` if it may ask for a family of which none of the capabilities is.
    pub(crate) fn check_wants<'a>(&self, capabilities: impl Iterator<Item = &'a str>) -> Result<()> {
        let given: HashSet<&str> = capabilities.filter_map(|text| text.split_whitespace().next()).collect();
        let lacks = || self.wants.iter().filter(|(family, _)| !given.contains(family));
        let Some((_, first)) = lacks().next() else { return Ok(()) };
        let told: Vec<String> = lacks().map(|(family, function)| format!("{family} ({function})")).collect();
        let text = format!("link: strict: nothing grants what the imports may ask for: {}", told.join(", "));
        let families: Vec<&str> = lacks().map(|(family, _)| *family).collect();
        let import = first.split('#').next().unwrap_or_default();
        Err(Error::new(Code::ImportMissing, text).with("import", import).with("capabilities", families))
    }
}

/// The families that the imported functions may ask for, in order, each with the first that may.
fn wants(imports: &[Item]) -> Vec<(&'static str, String)> {
    let mut wants = Vec::new();
    for import in imports {
        let (name, version) = import.name.split_once('@').unwrap_or((&import.name, ""));
        let Some(interface) = Interface::find(name).filter(|interface| interface.fits(version)) else {
            continue;
        };
        for function in &import.functions {
            let families = interface.families(function).into_iter().flatten();
            wants.extend(families.map(|family| (family, format!("{name}#{function}"))));
        }
    }
    // Stable: of one family the first stays first.
    wants.sort_by_key(|(family, _)| *family);
    wants.dedup_by_key(|(family, _)| *family);
    wants
}

/// `EXPORT_MISSING` if there is a handler that lacks its function: a component that takes no messages has none at all.
fn check_handler(exports: &[Item]) -> Result<()> {
    let Some(handler) = exports.iter().find(|export| export.name.starts_with(HANDLER)) else { return Ok(()) };
    let functions = || handler.functions.iter().map(String::as_str);
    if functions().any(|function| function == "handle") {
        return Ok(());
    }
    let path = format!("{}#handle", handler.name);
    let text = format!("the export {} has no function handle", handler.name);
    Err(match nearest::to("handle", functions()) {
        Some(nearest) => Error::new(Code::ExportMissing, format!("{text}, the nearest is {nearest}"))
            .with("export", path)
            .with("nearest", nearest),
        None => Error::new(Code::ExportMissing, text).with("export", path),
    })
}

fn inspect(
    digest: String,
    imports: Vec<Item>,
    exports: Vec<Item>,
    wants: &[(&'static str, String)],
) -> ComponentInfo {
    let mut capabilities: Vec<String> = wants.iter().map(|(family, _)| (*family).to_owned()).collect();
    if exports.iter().any(|export| export.name.starts_with(HTTP)) {
        capabilities.push("net.listen".to_owned());
        capabilities.sort();
        capabilities.dedup();
    }
    let imports = imports.into_iter().map(|import| import.name).collect();
    let exports: Vec<String> = exports.into_iter().map(|export| export.name).collect();
    let handler = exports.iter().any(|name| name.starts_with(HANDLER));
    let lifecycle = exports.iter().any(|name| name.starts_with(LIFECYCLE));
    ComponentInfo { digest, imports, exports, capabilities, handler, lifecycle }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(name: &str, functions: &[&str]) -> Item {
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        Item { name: name.to_owned(), functions, is_needed: true }
    }

    #[test]
    fn what_a_component_may_ask_for_is_decided_by_its_functions() {
        let families = |functions: &[&str]| {
            let wants = wants(&[import("wasi:filesystem/types@0.2.3", functions)]);
            wants.into_iter().map(|(family, _)| family).collect::<Vec<_>>()
        };
        assert_eq!(families(&["[method]descriptor.read-via-stream"]), ["fs.read"]);
        assert_eq!(families(&["[method]descriptor.get-type"]), [""; 0]);
        assert_eq!(
            families(&["[method]descriptor.unlink-file-at", "[method]descriptor.read"]),
            ["fs.delete", "fs.read"]
        );
        // Nobody's, or of a version that does not link: nothing is asked for.
        assert!(
            wants(&[import("a:b/c", &["open-at"]), import("wasi:cli/stdout@0.3.0", &["get-stdout"])])
                .is_empty()
        );
    }
}
