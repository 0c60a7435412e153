//! What a component exports, as WIT text.

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{InterfaceId, Resolve, TypeDefKind, TypeId, TypeOwner, World, WorldItem, WorldKey};

use super::wit_text::{Functions, Text, name};
use crate::types::error::{Code, Error, Result};

/// Bytes of the text: a few that name each other are many when they are written out.
pub(super) const WIT_BYTES_MAX: usize = 256 << 10;

/// The exports of a component, which was scanned and compiled before, with all types that they need.
pub(super) fn exports(bytes: &[u8]) -> Result<String> {
    let unwritable = |why: String| {
        Error::new(Code::Unsupported, format!("its exports cannot be written as WIT: {why}"))
            .with("language", "wit")
    };
    // Somebody else's code over untrusted bytes: what it cannot cope with must not keep a component from loading.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(bytes)));
    let (resolve, world) = match decoded {
        Ok(Ok(DecodedWasm::Component(resolve, world))) => (resolve, world),
        Ok(Ok(DecodedWasm::WitPackage(..))) => return Err(unwritable("it is a package of WIT".to_owned())),
        Ok(Err(why)) => return Err(unwritable(format!("{why:#}"))),
        Err(_) => return Err(unwritable("its types are beyond the decoder".to_owned())),
    };
    let mut text = Text::new(WIT_BYTES_MAX);
    let written = Writer { resolve: &resolve, world: &resolve.worlds[world] }.all(&mut text);
    written
        .map(|()| text.finish())
        .map_err(|fmt::Error| Error::limit("wit_bytes", WIT_BYTES_MAX as u64, WIT_BYTES_MAX as u64 + 1))
}

struct Writer<'a> {
    resolve: &'a Resolve,
    world: &'a World,
}

impl Writer<'_> {
    /// The world with its exports, then the interfaces that it names, by package.
    fn all(&self, text: &mut Text) -> fmt::Result {
        text.line("package root:component;")?;
        text.line("")?;
        text.open(&format!("world {}", name(&self.world.name)))?;
        // Types of the world itself are told as imports.
        for item in self.world.imports.values() {
            if let WorldItem::Type { id, .. } = item {
                text.definition(self.resolve, *id, Functions::None)?;
            }
        }
        for (key, item) in &self.world.exports {
            self.export(text, key, item)?;
        }
        text.close()?;
        self.packages(text)
    }

    fn export(&self, text: &mut Text, key: &WorldKey, item: &WorldItem) -> fmt::Result {
        match (key, item) {
            (WorldKey::Interface(id), _) => {
                text.line(&format!("export {};", self.resolve.id_of(*id).ok_or(fmt::Error)?))
            }
            (WorldKey::Name(key), WorldItem::Interface { id, .. }) => {
                text.open(&format!("export {}: interface", name(key)))?;
                self.interface(text, *id, true)?;
                text.close()
            }
            (WorldKey::Name(key), WorldItem::Function(function)) => {
                text.function(self.resolve, &format!("export {}", name(key)), function)
            }
            (WorldKey::Name(_), WorldItem::Type { id, .. }) => {
                text.definition(self.resolve, *id, Functions::None)
            }
        }
    }

    fn packages(&self, text: &mut Text) -> fmt::Result {
        let exported = self.exported();
        let reached = self.reached(&exported);
        let mut packages: Vec<_> =
            reached.iter().filter_map(|id| self.resolve.interfaces[*id].package).collect();
        packages.sort();
        packages.dedup();
        for package in packages {
            text.line("")?;
            text.open(&format!("package {}", self.resolve.packages[package].name))?;
            for id in reached.iter().filter(|id| self.resolve.interfaces[**id].package == Some(package)) {
                let Some(named) = &self.resolve.interfaces[*id].name else { continue };
                text.open(&format!("interface {}", name(named)))?;
                self.interface(text, *id, exported.contains(id))?;
                text.close()?;
            }
            text.close()?;
        }
        Ok(())
    }

    /// The interfaces that are exported by their names.
    fn exported(&self) -> Vec<InterfaceId> {
        let by_name = |key: &WorldKey| match key {
            WorldKey::Interface(id) => Some(*id),
            WorldKey::Name(_) => None,
        };
        self.world.exports.keys().filter_map(by_name).collect()
    }

    /// These, and all whose types they use, in the order in which they are found.
    fn reached(&self, exported: &[InterfaceId]) -> Vec<InterfaceId> {
        let (mut reached, mut known) = (exported.to_vec(), exported.iter().copied().collect::<HashSet<_>>());
        let mut roots: Vec<TypeId> = Vec::new();
        for item in self.world.imports.values().chain(self.world.exports.values()) {
            match item {
                WorldItem::Type { id, .. } => roots.push(*id),
                WorldItem::Interface { id, .. } if self.resolve.interfaces[*id].name.is_none() => {
                    roots.extend(self.resolve.interfaces[*id].types.values());
                }
                _ => {}
            }
        }
        let mut add = |reached: &mut Vec<InterfaceId>, id: TypeId| {
            reached.extend(self.used(id).filter(|used| known.insert(*used)));
        };
        roots.into_iter().for_each(|id| add(&mut reached, id));
        let mut next = 0;
        while let Some(interface) = reached.get(next).copied() {
            self.resolve.interfaces[interface].types.values().for_each(|id| add(&mut reached, *id));
            next += 1;
        }
        reached
    }

    /// The interface that a type is used from.
    fn used(&self, id: TypeId) -> Option<InterfaceId> {
        let TypeDefKind::Type(wit_parser::Type::Id(other)) = self.resolve.types[id].kind else { return None };
        match (self.resolve.types[other].owner, self.resolve.types[id].owner) {
            (TypeOwner::Interface(from), to) if TypeOwner::Interface(from) != to => Some(from),
            _ => None,
        }
    }

    /// Its types; its functions only where it is exported.
    fn interface(&self, text: &mut Text, id: InterfaceId, exported: bool) -> fmt::Result {
        let interface = &self.resolve.interfaces[id];
        let functions = if exported { Functions::Of(&interface.functions) } else { Functions::None };
        for id in interface.types.values() {
            text.definition(self.resolve, *id, functions)?;
        }
        for function in functions.free() {
            text.function(self.resolve, &name(&function.name), function)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "wit_tests.rs"]
mod tests;
