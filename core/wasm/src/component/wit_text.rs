//! WIT's types and functions as text of bounded size.

use std::fmt::{self, Write};

use wit_parser::{Function, FunctionKind, Handle, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

/// Types in types: the validator refuses what is nested more deeply.
const DEPTH_MAX: usize = 256;

#[rustfmt::skip]
const KEYWORDS: [&str; 46] = [
    "as", "async", "bool", "borrow", "char", "constructor", "enum", "error-context", "export", "f32", "f64", "flags",
    "float32", "float64", "from", "func", "future", "import", "include", "interface", "list", "map", "option", "own",
    "package", "record", "resource", "result", "s16", "s32", "s64", "s8", "static", "stream", "string", "tuple", "type",
    "u16", "u32", "u64", "u8", "use", "variant", "with", "world", "_",
];

/// A name as WIT takes it where a keyword would mean something else.
pub(super) fn name(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("%{name}") } else { name.to_owned() }
}

/// The functions of the interface whose types are written.
#[derive(Clone, Copy)]
pub(super) enum Functions<'a> {
    None,
    Of(&'a wit_parser::IndexMap<String, Function>),
}

impl<'a> Functions<'a> {
    fn all(self) -> impl Iterator<Item = &'a Function> {
        let functions = match self {
            Functions::None => None,
            Functions::Of(functions) => Some(functions.values()),
        };
        functions.into_iter().flatten()
    }

    /// Those of no resource.
    pub(super) fn free(self) -> impl Iterator<Item = &'a Function> {
        self.all().filter(|function| function.kind.resource().is_none())
    }

    fn of(self, resource: TypeId) -> impl Iterator<Item = &'a Function> {
        self.all().filter(move |function| function.kind.resource() == Some(resource))
    }
}

/// What is written so far; what would be more than its bound is an error.
pub(super) struct Text {
    written: String,
    bytes_max: usize,
    indent: usize,
}

impl Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.written.len() + part.len() > self.bytes_max {
            return Err(fmt::Error);
        }
        self.written.push_str(part);
        Ok(())
    }
}

impl Text {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { written: String::new(), bytes_max, indent: 0 }
    }

    pub(super) fn finish(self) -> String {
        self.written
    }

    fn begin(&mut self) -> fmt::Result {
        (0..self.indent).try_for_each(|_| self.write_str("  "))
    }

    pub(super) fn line(&mut self, line: &str) -> fmt::Result {
        if !line.is_empty() {
            self.begin()?;
        }
        self.write_str(line)?;
        self.write_str("\n")
    }

    pub(super) fn open(&mut self, head: &str) -> fmt::Result {
        self.begin()?;
        writeln!(self, "{head} {{")?;
        self.indent += 1;
        Ok(())
    }

    pub(super) fn close(&mut self) -> fmt::Result {
        self.indent -= 1;
        self.line("}")
    }

    /// `head: func(...) -> ...;`
    pub(super) fn function(&mut self, resolve: &Resolve, head: &str, function: &Function) -> fmt::Result {
        self.begin()?;
        write!(self, "{head}: ")?;
        if matches!(function.kind, FunctionKind::Static(_) | FunctionKind::AsyncStatic(_)) {
            self.write_str("static ")?;
        }
        self.write_str(if function.kind.is_async() { "async func" } else { "func" })?;
        self.signature(resolve, function)
    }

    fn signature(&mut self, resolve: &Resolve, function: &Function) -> fmt::Result {
        let has_self = matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
        self.write_str("(")?;
        for (index, param) in function.params.iter().skip(usize::from(has_self)).enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(self, "{comma}{}: ", name(&param.name))?;
            self.reference(resolve, &param.ty, 0)?;
        }
        self.write_str(")")?;
        if let Some(result) = function.result.as_ref().filter(|result| !is_self(resolve, function, result)) {
            self.write_str(" -> ")?;
            self.reference(resolve, result, 0)?;
        }
        self.write_str(";\n")
    }

    /// A type of the interface or world at hand, under its name; one of another as `use`.
    pub(super) fn definition(
        &mut self,
        resolve: &Resolve,
        id: TypeId,
        functions: Functions<'_>,
    ) -> fmt::Result {
        let kind = &resolve.types[id];
        let Some(named) = &kind.name else { return Err(fmt::Error) };
        let named = name(named);
        match &kind.kind {
            TypeDefKind::Resource => self.resource(resolve, id, &named, functions),
            TypeDefKind::Record(record) => self.members(resolve, &format!("record {named}"), || {
                record.fields.iter().map(|field| (field.name.as_str(), Some(&field.ty), ": ", ""))
            }),
            TypeDefKind::Variant(variant) => self.members(resolve, &format!("variant {named}"), || {
                variant.cases.iter().map(|case| (case.name.as_str(), case.ty.as_ref(), "(", ")"))
            }),
            TypeDefKind::Enum(cases) => self.members(resolve, &format!("enum {named}"), || {
                cases.cases.iter().map(|case| (case.name.as_str(), None, "", ""))
            }),
            TypeDefKind::Flags(flags) => self.members(resolve, &format!("flags {named}"), || {
                flags.flags.iter().map(|flag| (flag.name.as_str(), None, "", ""))
            }),
            TypeDefKind::Type(Type::Id(other)) if resolve.types[*other].owner != kind.owner => {
                self.used(resolve, *other, kind.owner, &named)
            }
            structural => {
                self.begin()?;
                write!(self, "type {named} = ")?;
                self.structure(resolve, structural, 0)?;
                self.write_str(";\n")
            }
        }
    }

    fn used(&mut self, resolve: &Resolve, other: TypeId, by: TypeOwner, named: &str) -> fmt::Result {
        let TypeOwner::Interface(from) = resolve.types[other].owner else { return Err(fmt::Error) };
        let package = resolve.interfaces[from].package;
        let from = match by {
            // A package that named itself would depend on itself.
            TypeOwner::Interface(by) if resolve.interfaces[by].package == package => {
                resolve.interfaces[from].name.as_deref().map(name)
            }
            _ => resolve.id_of(from),
        };
        let from = from.ok_or(fmt::Error)?;
        let original = name(resolve.types[other].name.as_ref().ok_or(fmt::Error)?);
        match original == named {
            true => self.line(&format!("use {from}.{{{original}}};")),
            false => self.line(&format!("use {from}.{{{original} as {named}}};")),
        }
    }

    fn resource(
        &mut self,
        resolve: &Resolve,
        id: TypeId,
        named: &str,
        functions: Functions<'_>,
    ) -> fmt::Result {
        if functions.of(id).next().is_none() {
            return self.line(&format!("resource {named};"));
        }
        self.open(&format!("resource {named}"))?;
        for function in functions.of(id) {
            if let FunctionKind::Constructor(_) = function.kind {
                self.begin()?;
                self.write_str("constructor")?;
                self.signature(resolve, function)?;
            } else {
                self.function(resolve, &name(function.item_name()), function)?;
            }
        }
        self.close()
    }

    /// A line for each member: its name, and its type between two texts.
    fn members<'a, I: Iterator<Item = (&'a str, Option<&'a Type>, &'a str, &'a str)>>(
        &mut self,
        resolve: &Resolve,
        head: &str,
        members: impl Fn() -> I,
    ) -> fmt::Result {
        self.open(head)?;
        for (member, kind, before, after) in members() {
            self.begin()?;
            self.write_str(&name(member))?;
            if let Some(kind) = kind {
                self.write_str(before)?;
                self.reference(resolve, kind, 0)?;
                self.write_str(after)?;
            }
            self.write_str(",\n")?;
        }
        self.close()
    }

    /// A type where it is used: its name if it has one.
    fn reference(&mut self, resolve: &Resolve, kind: &Type, depth: usize) -> fmt::Result {
        let Type::Id(id) = kind else { return self.write_str(primitive(kind)) };
        match &resolve.types[*id].name {
            Some(named) => self.write_str(&name(named)),
            None if depth == DEPTH_MAX => Err(fmt::Error),
            None => self.structure(resolve, &resolve.types[*id].kind, depth + 1),
        }
    }

    fn structure(&mut self, resolve: &Resolve, kind: &TypeDefKind, depth: usize) -> fmt::Result {
        match kind {
            TypeDefKind::Type(kind) => self.reference(resolve, kind, depth),
            TypeDefKind::Handle(Handle::Own(id)) => self.reference(resolve, &Type::Id(*id), depth),
            TypeDefKind::Handle(Handle::Borrow(id)) => {
                self.generic(resolve, "borrow", &[Some(&Type::Id(*id))], depth)
            }
            TypeDefKind::Tuple(tuple) => {
                self.generic(resolve, "tuple", &tuple.types.iter().map(Some).collect::<Vec<_>>(), depth)
            }
            TypeDefKind::Option(kind) => self.generic(resolve, "option", &[Some(kind)], depth),
            TypeDefKind::List(kind) => self.generic(resolve, "list", &[Some(kind)], depth),
            TypeDefKind::Map(key, value) => self.generic(resolve, "map", &[Some(key), Some(value)], depth),
            TypeDefKind::Future(kind) => self.generic(resolve, "future", &[kind.as_ref()], depth),
            TypeDefKind::Stream(kind) => self.generic(resolve, "stream", &[kind.as_ref()], depth),
            TypeDefKind::Result(result) => {
                self.generic(resolve, "result", &[result.ok.as_ref(), result.err.as_ref()], depth)
            }
            TypeDefKind::FixedLengthList(kind, length) => {
                self.write_str("list<")?;
                self.reference(resolve, kind, depth)?;
                write!(self, ", {length}>")
            }
            // Those that have a name are written as definitions.
            _ => Err(fmt::Error),
        }
    }

    /// `head<a, b>`; what is absent is left out at the end and `_` before.
    fn generic(
        &mut self,
        resolve: &Resolve,
        head: &str,
        kinds: &[Option<&Type>],
        depth: usize,
    ) -> fmt::Result {
        self.write_str(head)?;
        let given = kinds.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        for (index, kind) in kinds[..given].iter().enumerate() {
            self.write_str(if index == 0 { "<" } else { ", " })?;
            match kind {
                Some(kind) => self.reference(resolve, kind, depth)?,
                None => self.write_str("_")?,
            }
        }
        if given > 0 { self.write_str(">") } else { Ok(()) }
    }
}

/// Whether this result is what a constructor makes in any case.
fn is_self(resolve: &Resolve, function: &Function, result: &Type) -> bool {
    let FunctionKind::Constructor(own) = function.kind else { return false };
    let Type::Id(id) = result else { return false };
    *id == own || matches!(resolve.types[*id].kind, TypeDefKind::Handle(Handle::Own(made)) if made == own)
}

const fn primitive(kind: &Type) -> &'static str {
    match kind {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(_) => "",
    }
}
