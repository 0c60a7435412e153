//! Binary components by hand: the bytes of hostile ones.

pub fn leb(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        match number {
            0 => return [bytes, vec![low]].concat(),
            _ => bytes.push(low | 0x80),
        }
    }
}

pub fn sized(bytes: &[u8]) -> Vec<u8> {
    [leb(bytes.len() as u64), bytes.to_vec()].concat()
}

pub fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], sized(content)].concat()
}

pub fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [leb(items.len() as u64), items.concat()].concat()
}

/// A function type of so many `i32`.
pub fn function_type(parameters: usize, results: usize) -> Vec<u8> {
    let values = |count: usize| [leb(count as u64), vec![0x7f; count]].concat();
    [vec![0x60], values(parameters), values(results)].concat()
}

/// A body with so many locals of `i32`.
pub fn body(locals: u64, code: &[u8]) -> Vec<u8> {
    sized(&[vec![1], leb(locals), vec![0x7f], code.to_vec(), vec![0x0b]].concat())
}

/// A module whose functions have the first type, with one table and one memory.
pub fn module(types: &[Vec<u8>], bodies: &[Vec<u8>]) -> Vec<u8> {
    let functions = list(&vec![vec![0]; bodies.len()]);
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    let parts = [(1, list(types)), (3, functions), (4, vec![1, 0x70, 0, 1]), (5, vec![1, 0, 1])];
    bytes.extend(parts.iter().flat_map(|(id, content)| section(*id, content)));
    bytes.extend(section(10, &list(bodies)));
    bytes
}

/// A component of these sections.
pub fn component(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend(sections.iter().flat_map(|(id, content)| section(*id, content)));
    bytes
}

/// A component of one module of one function, given no values and no results.
pub fn one_function(locals: u64, code: &[u8]) -> Vec<u8> {
    functions(1, locals, code)
}

/// The same function so many times.
pub fn functions(count: usize, locals: u64, code: &[u8]) -> Vec<u8> {
    component(&[(1, module(&[function_type(0, 0)], &vec![body(locals, code); count]))])
}

/// The operations so often that they fill so many bytes.
pub fn filled(bytes: usize, operations: &[u8]) -> Vec<u8> {
    operations.repeat((bytes / operations.len()).max(1))
}
