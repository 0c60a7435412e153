use super::*;

fn parse(text: impl AsRef<[u8]>) -> Result<Option<Node>, PolicyError> {
    read(text.as_ref(), &"p.yaml".into())
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, line: u32, column: u32, says: &str) {
    let shown = String::from_utf8_lossy(text.as_ref()).chars().take(60).collect::<String>();
    let error = parse(text).expect_err(&shown);
    assert_eq!((error.line, error.column), (line, column), "{shown:?}: {error}");
    assert!(error.message.contains(says), "{shown:?}: {error}");
    assert!(!error.to_string().contains('\n'), "{error}");
}

/// How many values were made of a text until it ended or was refused.
fn nodes_of(text: &str) -> usize {
    let file = "p.yaml".into();
    let mut reader = Reader { file: &file, open: Vec::new(), root: None, nodes: 0, documents: 0 };
    for next in Parser::new_from_str_with_options(text, options()) {
        if next.map_err(drop).and_then(|(event, span)| reader.event(event, &span).map_err(drop)).is_err() {
            break;
        }
    }
    reader.nodes
}

#[test]
fn hostile_m1_a_bomb_is_refused_before_it_goes_off() {
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    refused(laughs, 1, 7, "anchors");
    assert_eq!(nodes_of(laughs), 3);
    let deep = "[".repeat(1_000_000);
    refused(&deep, 1, 65, "at most 32 levels");
    assert_eq!(nodes_of(&deep), 0);
    refused("[".repeat(33) + &"]".repeat(33), 1, 33, "at most 32 levels");
    assert!(parse("[".repeat(32) + &"]".repeat(32)).is_ok());
    let indented: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    refused(&indented, 33, 33, "at most 32 levels");
    refused("- ".repeat(100_000), 1, 65, "at most 32 levels");
    refused("? ".repeat(100_000), 1, 3, "a key is a text");
    refused("a: ".repeat(100_000), 1, 5, "this is no YAML");
    refused(vec![b'a'; FILE_BYTES_MAX + 1], 0, 0, "at most 1048576 bytes");
    let keys: String = (0..80_000).map(|key| format!("k{key}: 1\n")).collect();
    refused(&keys, 25_000, 9, "at most 50000 values");
    assert_eq!(nodes_of(&keys), NODES_MAX + 1);
    assert!(parse("a: ".to_owned() + &"x".repeat(FILE_BYTES_MAX - 3)).is_ok());
}

#[test]
fn hostile_m4_a_key_stands_once() {
    refused("a: 1\nb: 2\na: 3\n", 3, 1, "`a` stands twice");
    refused("a: 1\n\"a\": 3\n", 2, 1, "`a` stands twice");
    refused("x: {a: 1, b: {c: 1}, a: 2}\n", 1, 22, "`a` stands twice");
    assert!(parse("x: {a: 1}\ny: {a: 1}\n").is_ok());
}

#[test]
fn hostile_m6_what_yaml_has_beyond_plain_data_is_refused() {
    refused("a: &x 1\n", 1, 7, "anchors");
    refused("a: *x\n", 1, 4, "aliases");
    refused("actors: [*/*/*]\n", 1, 10, "quote a text that starts with `*`");
    refused("a: !!python/object:os.system x\n", 1, 4, "no tags");
    refused("a: !local x\n", 1, 4, "no tags");
    refused("a: ! x\n", 1, 4, "no tags");
    refused("<<: {a: 1}\n", 1, 1, "merge keys");
    refused("a: 1\n---\nb: 2\n", 2, 1, "one document");
    refused("%YAML 1.2\n---\na: 1\n", 1, 1, "irective");
    refused("[a]: 1\n", 1, 1, "a key is a text");
    refused("{a: 1}: 1\n", 1, 1, "a key is a text");
    refused("a:\n\t- b\n", 2, 2, "tabs");
    refused("a: [1\n", 1, 4, "unclosed");
    assert!(parse("---\na: 1\n...\n").is_ok(), "one document may have its markers");
}

#[test]
fn hostile_m6_bytes_that_are_no_text_are_refused_where_they_stand() {
    refused(b"a: 1\nb: \xff\n", 2, 4, "UTF-8");
    refused("a: é\0b".as_bytes(), 1, 5, "NUL");
    refused(b"\xff\xfea\0:\0", 1, 1, "UTF-8");
    refused(b"a: 1\r\nb\r\nc: \x80", 3, 4, "UTF-8");
    refused("a: 1\r\nb: *x\r\n", 2, 4, "aliases");
    refused("\u{feff}a: *x\n", 1, 4, "aliases");
    refused("a: \"é\"\nb: {é: *x}\n", 2, 8, "aliases");
    let crlf = parse("a: b\r\nc: d\r\n").unwrap().unwrap();
    let Value::Map(entries) = crlf.value else { panic!("a map") };
    assert_eq!((entries[1].mark, entries.len()), (Mark { line: 2, column: 1 }, 2));
    assert!(matches!(&entries[0].value.value, Value::Scalar { text, plain: true } if text == "b"));
}
