//! Components that are small and dear: each is refused by the bound that it breaks, or costs what others cost.

use airwasm::{Code, Config, Error, System};

use crate::wasm::{component, filled, function_type, functions, list, module, one_function, section};

const EMPTY: u8 = 0x40;
const BLOCK: u8 = 0x02;
const LOOP: u8 = 0x03;
const IF: u8 = 0x04;
const END: u8 = 0x0b;

pub fn refused(which: &str, bytes: Vec<u8>) -> Error {
    let system = System::open(Config::default()).expect("a system");
    let error = system.load_bytes(bytes).expect_err(which);
    assert_eq!((error.code, error.text("which")), (Code::CompileLimit, which), "{error}");
    error
}

/// Blocks of this kind within each other, with what stands before each and before each end.
fn nested(depth: usize, before: &[u8], kind: u8, inside: &[u8]) -> Vec<u8> {
    [[before, &[kind, EMPTY]].concat().repeat(depth), [inside, &[END]].concat().repeat(depth)].concat()
}

fn in_one_function(locals: u64, unit: &[u8], bytes: usize) -> Vec<u8> {
    one_function(locals, &filled(bytes, unit))
}

/// One value pushed, consumed and made anew by the operations as often as fill so many bytes.
pub fn chained(operations: &[u8], bytes: usize) -> Vec<u8> {
    one_function(1, &[vec![0x20, 0], filled(bytes, operations), vec![0x1a]].concat())
}

/// So many variables that are all in use within each of the loops.
fn variables_in_loops(variables: u8, loops: usize) -> Vec<u8> {
    let used: Vec<u8> = (0..variables).flat_map(|n| [0x20, n, 0x41, 1, 0x6a, 0x21, n]).collect();
    nested(loops, &[], LOOP, &[0x20, 0, 0x0d, 0]).iter().copied().take(2 * loops).chain(used).collect()
}

fn closed(code: &[u8], loops: usize) -> Vec<u8> {
    [code, &[0x20, 0, 0x0d, 0, END].repeat(loops)].concat()
}

/// Components that instantiate the one before twice, so many times.
fn doubled(levels: usize) -> Vec<u8> {
    let innermost = module(&[function_type(0, 0)], &[]);
    let first = component(&[(1, innermost), (2, vec![1, 0, 0, 0])]);
    (0..levels).fold(first, |inner, _| component(&[(4, inner), (5, vec![2, 0, 0, 0, 0, 0, 0])]))
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let indirect = [0x20, 0, 0x11, 0, 0];
    vec![
        ("function_bytes", in_one_function(1, &[0x01], (1 << 20) + 1)),
        ("nesting", in_one_function(1, &nested(100_000, &[], BLOCK, &[]), 1)),
        ("nesting", in_one_function(1, &nested(50_000, &[0x20, 0], IF, &[]), 1)),
        ("loop_nesting", in_one_function(1, &nested(1_000, &[], LOOP, &[0x20, 0, 0x0d, 0]), 1)),
        ("locals", functions(1_000, 49_000, &[])),
        ("loops", in_one_function(1, &[LOOP, EMPTY, END], 262_144)),
        ("indirect_calls", in_one_function(1, &indirect, 150_000)),
        ("host_checked_operations", chained(&[0xb2, 0xa8], 262_144)),
        ("host_checked_operations", chained(&[0x40, 0], 262_144)),
        ("value_bytes", in_one_function(9_000, &[0x20, 0, 0x1a], 16_384)),
        ("value_bytes", one_function(1, &[[0x20, 0].repeat(8_000), vec![0x1a; 8_000]].concat())),
        ("function_weight", chained(&[0x20, 0, 0x6d], 262_144)),
        ("function_weight", chained(&[0x28, 0, 0], 524_288)),
        ("function_weight", {
            let unit = closed(&variables_in_loops(120, 32), 32);
            in_one_function(120, &unit, 32 * unit.len())
        }),
        ("parameters", component(&[(1, module(&[function_type(1_000, 0)], &[]))])),
        ("results", component(&[(1, module(&[function_type(0, 1_000)], &[]))])),
        ("weight", functions(99_000, 300, &[])),
        ("functions", functions(100_001, 0, &[])),
        ("modules", component(&vec![(1, raw(&[])); 201])),
        ("components", component(&vec![(4, component(&[])); 201])),
        ("component_nesting", doubled(20)),
        ("instances", doubled(12)),
        ("instances", component(&[(4, component(&[])), (5, list(&vec![vec![0, 0, 0]; 1_001]))])),
        ("custom_section_bytes", component(&[(0, [vec![1, b'x'], vec![0; 33 << 20]].concat())])),
        ("custom_sections", component(&vec![(0, vec![1, b'x']); 1_001])),
        ("types", component(&[(7, list(&vec![vec![0x7f]; 20_001]))])),
        ("canonical_functions", component(&[(8, list(&vec![vec![0x03, 0]; 5_001]))])),
        ("table_elements", component(&[(1, raw(&section(4, &[1, 0x70, 0, 0x80, 0x80, 0x80, 0x10])))])),
        ("tables", component(&[(1, raw(&section(4, &list(&vec![vec![0x70, 0, 1]; 201]))))])),
        ("memories", component(&[(1, raw(&section(5, &list(&vec![vec![0, 1]; 201]))))])),
        ("component_parameters", component(&[(7, vec![1, 0x41, 0]), (10, vec![1, 0, 1, b'a', 4, 0])])),
    ]
}

/// A module of these sections.
fn raw(sections: &[u8]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0", sections].concat()
}

#[test]
fn hostile_a11_a_bomb_is_refused_by_the_bound_that_it_breaks() {
    for (which, bytes) in bombs() {
        let error = refused(which, bytes);
        let figure = |name: &str| error.detail[name].as_u64().expect("a figure");
        assert!(figure("given") > figure("allowed"), "{error}");
    }
}

#[test]
fn hostile_b10_types_within_types_are_refused_before_they_are_read() {
    for depth in [101, 1_000, 1_000_000] {
        let types = [vec![1], [0x41, 1, 1].repeat(depth), vec![0x41, 0]].concat();
        refused("nested_types", component(&[(7, types)]));
    }
}

#[test]
fn hostile_b10_types_as_deep_as_may_be_are_read() {
    let types = [vec![1], [0x41, 1, 1].repeat(99), vec![0x41, 0]].concat();
    let system = System::open(Config::default()).expect("a system");
    let error = system.load_bytes(component(&[(7, types)])).err();
    assert!(error.is_none_or(|error| error.code == Code::InvalidComponent));
}

#[test]
fn hostile_c13_custom_sections_within_the_bounds_are_not_parsed() {
    let names = ["name", ".debug_info", ".debug_abbrev", ".debug_line", "producers", "component-type"];
    let garbage = |name: &str| (0, [vec![name.len() as u8], name.into(), vec![0xff; 65_536]].concat());
    let core: Vec<u8> = names.iter().flat_map(|name| section(0, &garbage(name).1)).collect();
    let mut sections: Vec<_> = names.iter().map(|name| garbage(name)).collect();
    sections.push((1, raw(&core)));
    let system = System::open(Config::default()).expect("a system");
    system.load_bytes(component(&sections)).expect("garbage of tools is nobody's fault");
}

/// The dearest of each kind that the bounds allow, and how much dearer a byte of it is than one of an ordinary guest:
/// `cargo test --release --workspace --test load -- --ignored --nocapture --test-threads 1`.
#[test]
#[ignore = "a measurement"]
fn the_dearest_within_the_bounds() {
    let unit = closed(&variables_in_loops(100, 32), 32);
    let dearest = [
        ("blocks", in_one_function(1, &nested(4_000, &[], BLOCK, &[]), 262_144)),
        ("ifs", in_one_function(1, &nested(4_000, &[0x20, 0], IF, &[]), 262_144)),
        ("loops", in_one_function(1, &[LOOP, EMPTY, END], 3_072)),
        ("deep loops", in_one_function(1, &nested(32, &[], LOOP, &[0x20, 0, 0x0d, 0]), 7_000)),
        ("variables in loops", in_one_function(100, &unit, 6 * unit.len())),
        ("indirect calls", in_one_function(1, &[0x20, 0, 0x11, 0, 0], 5_120)),
        ("conversions", chained(&[0xb2, 0xa8], 2_048)),
        ("growth", chained(&[0x40, 0], 2_048)),
        ("divisions", chained(&[0x20, 0, 0x6d], 88_000)),
        ("loads", chained(&[0x28, 0, 0], 187_000)),
        ("calls", in_one_function(1, &[0x10, 0], 499_000)),
        ("small functions", functions(50_000, 0, &[])),
        ("functions with locals", functions(19_990, 1_000, &[])),
        ("instances", doubled(8)),
        ("loops again and again", functions(100, 1, &filled(3_072, &[LOOP, EMPTY, END]))),
        (
            "conversions again",
            functions(100, 1, &[vec![0x20, 0], filled(2_048, &[0xb2, 0xa8]), vec![0x1a]].concat()),
        ),
    ];
    let ordinary =
        measure("an ordinary guest", std::fs::read(airwasm_tests::guest("reader")).expect("built"));
    for (what, bytes) in dearest.into_iter().chain(crate::linked::dearest()) {
        let (time, memory) = measure(what, bytes);
        println!("    {:.1} times the time, {:.1} times the memory", time / ordinary.0, memory / ordinary.1);
    }
}

/// What a whole component of the dearest functions takes, as many as the bound of weight allows.
#[test]
#[ignore = "a measurement"]
fn the_dearest_as_heavy_as_may_be() {
    let unit = closed(&variables_in_loops(100, 32), 32);
    let chain = |operations: &[u8], bytes| [vec![0x20, 0], filled(bytes, operations), vec![0x1a]].concat();
    for (what, locals, body) in [
        ("variables in loops", 100, filled(6 * unit.len(), &unit)),
        ("loops", 1, filled(3_072, &[LOOP, EMPTY, END])),
        ("conversions", 1, chain(&[0xb2, 0xa8], 2_048)),
        ("divisions", 1, chain(&[0x20, 0, 0x6d], 88_000)),
        ("indirect calls", 1, filled(5_120, &[0x20, 0, 0x11, 0, 0])),
    ] {
        let too_many = functions((60 << 20) / body.len(), locals, &body);
        let size = too_many.len();
        let offset = refused("weight", too_many).detail["offset"].as_u64().expect("where it was too much");
        let count = (60 << 20) / body.len() * offset as usize / size - 3;
        println!("{count} functions");
        measure(what, functions(count, locals, &body));
    }
}

/// Nanoseconds and bytes of memory a byte.
fn measure(what: &str, bytes: Vec<u8>) -> (f64, f64) {
    let system = System::open(Config::default()).expect("a system");
    let size = bytes.len() as f64;
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = resident("VmRSS:");
    let begun = computed();
    let outcome = system.load_bytes(bytes).map_or_else(|error| error.to_string(), |_| "loads".to_owned());
    let (time, memory) = (computed() - begun, resident("VmHWM:") - before);
    println!("{what}: {size} bytes, {time:.2} s, {:.0} MB, {outcome}", memory / 1e6);
    (time * 1e9 / size, memory / size)
}

/// Seconds that this process has computed; the kernel counts hundredths.
pub fn computed() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("fields");
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn resident(which: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(which)).expect("a figure");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<f64>().ok()).expect("a number")
        * 1024.0
}
