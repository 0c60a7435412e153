use wit_parser::Resolve;

use super::*;

/// The file, of a resolved world, as exports of it: each interface of it, and its types.
fn written(source: &str, world: &str) -> String {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("a.wit", source).expect("WIT");
    let world = resolve.select_world(&[package], Some(world)).expect("a world");
    let mut text = Text::new(WIT_BYTES_MAX);
    Writer { resolve: &resolve, world: &resolve.worlds[world] }.all(&mut text).expect("within the bound");
    text.finish()
}

const SOURCE: &str = "package a:b@1.2.0;

interface types {
  record point { x: s32, y: option<list<u8>> }
  type %list = list<point>;
  resource %stream;
}

interface shapes {
  use types.{point as dot, %list, %stream};
  variant shape { none, circle(f64), line(tuple<dot, dot>) }
  enum color { red, %record }
  flags marks { a, b }
  resource pen {
    constructor(color: color);
    draw: func(shape: shape) -> result<_, string>;
    merge: static func(a: pen, b: borrow<pen>) -> pen;
  }
  points: func(of: %list, %from: borrow<%stream>) -> result<%list, color>;
  none: func() -> result;
}

world all {
  use types.{point};
  export shapes;
  export direct: func(at: point) -> u32;
  export inline: interface {
    type id = u64;
    get: func(a: id, b: char) -> future<string>;
  }
}
";

#[test]
fn what_is_written_reads_as_the_same_again() {
    let once = written(SOURCE, "all");
    assert_eq!(once, written(&once, "all"), "{once}");
    for line in [
        "export a:b/shapes@1.2.0;",
        "export direct: func(at: point) -> u32;",
        "use types.{point as dot};",
        "use a:b/types@1.2.0.{point};",
        "points: func(of: %list, %from: borrow<%stream>) -> result<%list, color>;",
        "merge: static func(a: pen, b: borrow<pen>) -> pen;",
        "constructor(color: color);",
    ] {
        assert!(once.contains(line), "{line} in {once}");
    }
}

#[test]
fn a_text_that_would_be_more_than_its_bound_is_an_error() {
    let mut text = Text::new(4);
    assert!(text.line("abc").is_ok());
    assert!(text.line("d").is_err());
    let error = exports(b"\0asm\x0d\0\x01\0\xff").expect_err("not a component");
    assert_eq!(error.code, Code::Unsupported);
}
