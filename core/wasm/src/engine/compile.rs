//! From untrusted bytes to compiled code, or to the error that says what is wrong with them.

use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload, WasmFeatures};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};

use super::artifact;
use super::cache::Cache;
use super::helper::broken;
use super::scan::{Stop, scan};
use super::{Engine, Profile};
use crate::types::error::{Code, Error, Result};

/// Bytes of one component file.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 64 << 20;

const HOW_TO_MAKE: &str = "make a component of it: rustc --target wasm32-wasip2, or wasm-tools component new";

/// Who waits for a compilation: told how far it is, with the number of its functions, and asked whether it has given up.
pub(crate) struct Onlooker<'a> {
    pub enter: &'a dyn Fn(&'static str, u64),
    pub is_given_up: &'a dyn Fn() -> bool,
}

/// Compiled code, shared by every instance of it.
#[derive(Clone)]
pub(crate) struct Compiled {
    inner: Component,
    engine: Engine,
}

/// The digest of a component's bytes, as `sha256:<hex>`.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hex = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("sha256:{hex}")
}

impl Engine {
    /// Scans and compiles, or finds what an earlier one has compiled. Takes as long as it takes: never called on an
    /// actor's thread.
    pub(crate) fn compile(&self, bytes: &[u8], onlooker: &Onlooker<'_>) -> Result<Compiled> {
        check_size(bytes.len() as u64)?;
        check_kind(bytes)?;
        let inner = match &self.cache {
            None => self.compile_anew(bytes, onlooker)?.0,
            Some(cache) => {
                let name = Cache::name(bytes, self.settings_digest());
                match artifact::cached(&self.inner, cache, &name) {
                    Some(found) => found,
                    None => self.compile_into(cache, &name, bytes, onlooker)?,
                }
            }
        };
        Ok(Compiled { inner, engine: self.clone() })
    }

    /// The component, and its code where that came as bytes.
    fn compile_anew(&self, bytes: &[u8], onlooker: &Onlooker<'_>) -> Result<(Component, Option<Vec<u8>>)> {
        let functions = self.scan(bytes)?;
        (onlooker.enter)("scanned", functions);
        (onlooker.enter)("compiling", functions);
        let Some(helper) = &self.helper else {
            let compiled = Component::from_binary(&self.inner, bytes);
            return compiled.map(|compiled| (compiled, None)).map_err(|why| not_compiled(&why));
        };
        let code = helper.compile(self, bytes, onlooker.is_given_up)?;
        match artifact::compiled(&self.inner, &code) {
            Ok(compiled) => Ok((compiled, Some(code))),
            Err(why) => Err(broken(format!("what it made is no code of this engine: {why:#}"))),
        }
    }

    fn compile_into(
        &self,
        cache: &Cache,
        name: &str,
        bytes: &[u8],
        onlooker: &Onlooker<'_>,
    ) -> Result<Component> {
        let (compiled, code) = self.compile_anew(bytes, onlooker)?;
        let kept = match code.map_or_else(|| compiled.serialize(), Ok) {
            Ok(code) => cache.write(name, &code).map_err(|why| why.to_string()),
            Err(why) => Err(format!("{why:#}")),
        };
        // What cannot be kept is compiled again.
        if let Err(why) = kept {
            tracing::warn!(target: "airwasm", why, "compiled code was not kept");
        }
        Ok(compiled)
    }

    /// Whether it is valid, and not too dear to compile; gives how many functions it has.
    fn scan(&self, bytes: &[u8]) -> Result<u64> {
        let features = features();
        let concurrent = features | WasmFeatures::CM_ASYNC;
        let wanted = if self.settings.profile == Profile::Full { concurrent } else { features };
        match scan(bytes, wanted) {
            Ok(functions) => Ok(functions),
            Err(Stop::Limit(error)) => Err(error),
            Err(Stop::Invalid(_))
                if self.settings.profile == Profile::Hardened && scan(bytes, concurrent).is_ok() =>
            {
                let text =
                    "the component uses asynchronous exports or imports: open the system with profile full";
                Err(Error::new(Code::ProfileRequired, text).with("profile", "full"))
            }
            Err(Stop::Invalid(why)) => Err(invalid(why.message(), why.offset() as u64)),
        }
    }
}

/// Code of wasmtime's for a component that was scanned, by `Engine::precompile_component`.
pub(super) fn precompile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>> {
    engine.inner.precompile_component(bytes).map_err(|why| not_compiled(&why))
}

fn not_compiled(why: &wasmtime::Error) -> Error {
    Error::new(Code::InvalidComponent, format!("the component cannot be compiled: {why:#}"))
}

/// What the engine accepts, said again for the validator because it tells the offset of a fault.
fn features() -> WasmFeatures {
    let off = WasmFeatures::GC
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::THREADS
        | WasmFeatures::MEMORY64
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::STACK_SWITCHING
        | WasmFeatures::CM_ASYNC;
    (WasmFeatures::default() | WasmFeatures::MULTI_MEMORY | WasmFeatures::COMPONENT_MODEL) - off
}

pub(crate) fn check_size(bytes: u64) -> Result<()> {
    if bytes <= COMPONENT_BYTES_MAX {
        return Ok(());
    }
    let text = format!("the component has {bytes} bytes, allowed are {COMPONENT_BYTES_MAX}");
    Err(Error::new(Code::CompileLimit, text).with("allowed", COMPONENT_BYTES_MAX).with("used", bytes))
}

/// Tells text, core modules and other files from components by their first bytes.
fn check_kind(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        return Err(invalid("the file is empty", 0));
    }
    if bytes.trim_ascii_start().starts_with(b"(") {
        return Err(invalid("this is the text format: only binary components are loaded", 0));
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => Ok(()),
        Some(Ok(Payload::Version { encoding: Encoding::Module, .. })) => {
            let text = format!("this is a core module, a component is needed; {HOW_TO_MAKE}");
            Err(Error::new(Code::CoreModule, text).with("how", HOW_TO_MAKE))
        }
        Some(Err(why)) => Err(invalid(&format!("not WebAssembly: {}", why.message()), why.offset() as u64)),
        _ => Err(invalid("not WebAssembly", 0)),
    }
}

fn invalid(what: &str, offset: u64) -> Error {
    Error::new(Code::InvalidComponent, format!("invalid component: {what} (at offset {offset})"))
        .with("offset", offset)
}

/// What a component imports or exports by one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// With its version, as in `wasi:cli/environment@0.2.3`.
    pub name: String,
    /// Of an interface, its functions.
    pub functions: Vec<String>,
    /// Whether there is more to it than types, which need nobody who implements them.
    pub is_needed: bool,
}

impl Item {
    fn new(name: &str, item: &ComponentItem, engine: &Engine) -> Self {
        let (mut functions, mut is_needed) = (Vec::new(), !matches!(item, ComponentItem::Type(_)));
        if let ComponentItem::ComponentInstance(instance) = item {
            is_needed = false;
            for (name, item) in instance.exports(&engine.inner) {
                let is_function = matches!(item.ty, ComponentItem::ComponentFunc(_));
                is_needed |= is_function || matches!(item.ty, ComponentItem::Resource(_));
                functions.extend(is_function.then(|| name.to_owned()));
            }
        }
        Self { name: name.to_owned(), functions, is_needed }
    }
}

impl Compiled {
    /// What it imports.
    pub(crate) fn imports(&self) -> Vec<Item> {
        let kind = self.inner.component_type();
        let imports = kind.imports(&self.engine.inner);
        imports.map(|(name, item)| Item::new(name, &item.ty, &self.engine)).collect()
    }

    /// What it exports.
    pub(crate) fn exports(&self) -> Vec<Item> {
        let kind = self.inner.component_type();
        let exports = kind.exports(&self.engine.inner);
        exports.map(|(name, item)| Item::new(name, &item.ty, &self.engine)).collect()
    }

    /// Joins its imports to what the linker has, or says in wasmtime's words what does not fit.
    pub(crate) fn link<T: 'static>(&self, linker: &Linker<T>) -> std::result::Result<InstancePre<T>, String> {
        linker.instantiate_pre(&self.inner).map_err(|why| format!("{why:#}"))
    }
}
