//! Components made of components, and functions that pass many values: small, and dear where they are joined.

use airwasm::{Config, System};

use crate::bombs::refused;
use crate::wasm::{body, component, function_type, leb, list, module, section, sized};

const TUPLE: u8 = 0x6f;
const STRING: u8 = 0x73;
const OPTION: u8 = 0x6b;

fn named(name: &str) -> Vec<u8> {
    [vec![0], sized(name.as_bytes())].concat()
}

fn number(number: usize) -> Vec<u8> {
    leb(number as u64)
}

/// A module with a memory, an allocator and so many functions of one `i32`.
fn exporting(functions: usize) -> Vec<u8> {
    let types = [function_type(1, 0), function_type(4, 1)];
    let bodies: Vec<_> = (0..=functions)
        .map(|n| if n == 0 { sized(&[0, 0x41, 0, 0x0b]) } else { sized(&[0, 0x0b]) })
        .collect();
    let declared = list(&(0..=functions).map(|n| vec![u8::from(n == 0)]).collect::<Vec<_>>());
    let mut exports = vec![[sized(b"m"), vec![2, 0]].concat()];
    exports.extend((0..=functions).map(|n| [sized(format!("f{n}").as_bytes()), vec![0], number(n)].concat()));
    let parts =
        [(1, list(&types)), (3, declared), (5, vec![1, 0, 1]), (7, list(&exports)), (10, list(&bodies))];
    let sections: Vec<u8> = parts.iter().flat_map(|(id, content)| section(*id, content)).collect();
    [b"\0asm\x01\0\0\0".to_vec(), sections].concat()
}

/// The core aliases of its memory and functions.
fn aliased(functions: usize) -> Vec<u8> {
    let mut aliases = vec![[vec![0, 2, 1, 0], sized(b"m")].concat()];
    aliases.extend((0..=functions).map(|n| [vec![0, 0, 1, 0], sized(format!("f{n}").as_bytes())].concat()));
    list(&aliases)
}

/// The types of an optional string, of a tuple of so many, and of a function that is given one.
fn types(values: usize) -> Vec<u8> {
    let tuple = [vec![TUPLE], list(&vec![vec![0]; values])].concat();
    list(&[vec![OPTION, STRING], tuple, [vec![0x40, 1], sized(b"a"), vec![1, 1, 0]].concat()])
}

/// So many functions between two components, given so many values; the caller is there `callers` times.
fn adapters(functions: usize, values: usize, callers: usize) -> Vec<u8> {
    let names: Vec<String> = (1..=functions).map(|n| format!("f{n}")).collect();
    let lifts = (1..=functions).map(|n| [vec![0, 0], number(n), vec![3, 0, 3, 0, 4, 0, 2]].concat());
    let exports =
        names.iter().enumerate().map(|(n, name)| [named(name), vec![1], number(n), vec![0]].concat());
    let callee = component(&[
        (1, exporting(functions)),
        (2, vec![1, 0, 0, 0]),
        (6, aliased(functions)),
        (7, types(values)),
        (8, list(&lifts.collect::<Vec<_>>())),
        (11, list(&exports.collect::<Vec<_>>())),
    ]);
    let imports = names.iter().map(|name| [named(name), vec![1, 2]].concat());
    let lowers = (0..functions).map(|n| [vec![1, 0], number(n), vec![2, 1, 3, 0]].concat());
    let caller = component(&[
        (1, exporting(0)),
        (2, vec![1, 0, 0, 0]),
        (6, aliased(0)),
        (7, types(values)),
        (10, list(&imports.collect::<Vec<_>>())),
        (8, list(&lowers.collect::<Vec<_>>())),
    ]);
    let taken = names.iter().map(|name| [vec![1, 0, 0], sized(name.as_bytes())].concat());
    let given =
        names.iter().enumerate().map(|(n, name)| [sized(name.as_bytes()), vec![1], number(n)].concat());
    let given = list(&given.collect::<Vec<_>>());
    component(&[
        (4, callee),
        (4, caller),
        (5, vec![1, 0, 0, 0]),
        (6, list(&taken.collect::<Vec<_>>())),
        (5, list(&vec![[vec![0, 1], given].concat(); callers])),
    ])
}

/// A component of so many exports, so many times.
fn exporting_types(exports: usize, instances: usize) -> Vec<u8> {
    let exports = (0..exports).map(|n| [named(&format!("t{n}")), vec![3, 0, 0]].concat());
    let inner = component(&[(7, vec![1, STRING]), (11, list(&exports.collect::<Vec<_>>()))]);
    component(&[(4, inner), (5, list(&vec![vec![0, 0, 0]; instances]))])
}

/// A bag of so many items, taken out of another so many times.
fn bags(items: usize, times: usize) -> Vec<u8> {
    let items = (0..items).map(|n| [named(&format!("t{n}")), vec![3, 0]].concat());
    let bag = [vec![1], list(&items.collect::<Vec<_>>())].concat();
    let outer = [vec![1, 1], named("b"), vec![5, 0]].concat();
    let taken = vec![[vec![5, 0, 1], sized(b"b")].concat(); times];
    component(&[(7, vec![1, STRING]), (5, list(&[bag, outer])), (6, list(&taken))])
}

/// A function of this code, whose blocks may have the second type: 32 values.
fn passing(code: &[u8]) -> Vec<u8> {
    let types = [function_type(0, 0), function_type(0, 32)];
    component(&[(1, module(&types, &[body(1, code)]))])
}

/// Conditional branches out of a block of 32 values.
fn conditional(branches: usize) -> Vec<u8> {
    let values = [0x41, 1].repeat(32);
    passing(
        &[vec![0x02, 1], values, [0x20, 0, 0x0d, 0].repeat(branches), vec![0x0b], vec![0x1a; 32]].concat(),
    )
}

/// Tables of branches to each of so many blocks of 32 values.
fn tables(depth: usize, count: usize) -> Vec<u8> {
    let values = [0x41, 1].repeat(32);
    let targets: Vec<u8> = (1..=depth).flat_map(number).collect();
    let table = [vec![0x20, 0, 0x0e], number(depth - 1), targets].concat();
    let unit = [vec![0x02, 0x40, 0x20, 0, 0x0d, 0], values.clone(), table, vec![0x0b]].concat();
    let rest = [vec![0x0b], vec![0x1a; 32], values.clone()].concat().repeat(depth - 1);
    passing(&[[0x02, 1].repeat(depth), unit.repeat(count), values, rest, vec![0x0b], vec![0x1a; 32]].concat())
}

/// A module of so many imports, so many times.
fn importing(imports: usize, instances: usize) -> Vec<u8> {
    let exporter = exporting(imports);
    let import = |n| [sized(b"a"), sized(format!("f{n}").as_bytes()), vec![0, 0]].concat();
    let imports = list(&(1..=imports).map(import).collect::<Vec<_>>());
    let sections = [section(1, &list(&[function_type(1, 0)])), section(2, &imports)].concat();
    let importer = [b"\0asm\x01\0\0\0".to_vec(), sections].concat();
    let given = [vec![0, 1, 1], sized(b"a"), vec![0x12, 0]].concat();
    component(&[(1, exporter), (1, importer), (2, vec![1, 0, 0, 0]), (2, list(&vec![given; instances]))])
}

/// Components that each close twice over the one before.
fn closures(count: usize) -> Vec<u8> {
    let closing = |n: usize| {
        let alias = [vec![4, 2, 1], number(n)].concat();
        (4, component(&[(6, list(&vec![alias; 2]))]))
    };
    let first = std::iter::once((4, component(&[])));
    component(&first.chain((0..count).map(closing)).collect::<Vec<_>>())
}

/// Calls at the end of a function through a table.
fn tail_calls(count: usize) -> Vec<u8> {
    passing(&[0x02, 0x40, 0x20, 0, 0x0d, 0, 0x20, 0, 0x13, 0, 0, 0x0b].repeat(count))
}

#[test]
fn hostile_a11_what_few_bytes_multiply_is_refused_by_the_bound_that_it_breaks() {
    for (which, bytes) in [
        ("weight", adapters(500, 300, 1)),
        ("weight", adapters(20, 300, 50)),
        ("items", exporting_types(5_000, 200)),
        ("items", bags(5_000, 150)),
        ("items", importing(10_000, 900)),
        ("outer_components", closures(30)),
        ("function_weight", tables(4_000, 50)),
        ("function_weight", conditional(40_000)),
        ("function_weight", tail_calls(40_000)),
    ] {
        refused(which, bytes);
    }
}

#[test]
fn what_is_joined_within_the_bounds_loads() {
    let system = System::open(Config::default()).expect("a system");
    for bytes in [
        adapters(4, 20, 2),
        exporting_types(10, 3),
        bags(10, 3),
        importing(10, 3),
        closures(3),
        tables(4, 4),
        tail_calls(9),
    ] {
        system.load_bytes(bytes).expect("loads");
    }
}

/// The dearest of these that the bounds allow.
pub fn dearest() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("adapters", adapters(50, 25, 10)),
        ("adapters of long types", adapters(40, 500, 1)),
        ("exports instantiated", exporting_types(500, 490)),
        ("bags of exports", bags(500, 900)),
        ("imports instantiated", importing(500, 900)),
        ("closures", closures(8)),
        ("tables of values", tables(50, 70)),
        ("branches with values", conditional(14_000)),
        ("tail calls", tail_calls(13_000)),
    ]
}
