use crate::actor_pattern;
use crate::path_pattern;
use crate::text;

/// What somebody wants to do now: exact, no wildcards. More can be asked than can be granted yet, so
/// that each denial names what was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    FsRead(String),
    FsList(String),
    FsWrite(String),
    FsDelete(String),
    MessageSend(String),
    MessageRequest(String),
    Clock,
    Random,
    Stdio,
    /// `address:port`.
    NetConnect(String),
    /// `address:port`.
    NetListen(String),
    NetResolve(String),
    Http {
        method: String,
        url: String,
    },
    Env(String),
}

/// Longest word of a text that came from a guest; the mark makes a cut one no valid pattern.
const WORD_BYTES_MAX: usize = 8_192;
const CUT: &str = "[cut]";

impl Ask {
    /// The canonical text of exactly this, on one line: pasted after `- ` it is the policy line that
    /// allows it. A character that a pattern would take for a wildcard gets a backslash; of a URL
    /// neither query nor credentials are shown.
    pub fn capability_text(&self) -> String {
        let path = |path: &String| word(path, path_pattern::SPECIAL);
        let actor = |id: &String| word(&actor_pattern::canonical(id), &['*', '\\']);
        let address = |address: &String| word(address, &['*', '\\']);
        let item = |item: &String| word(item, &['*', ',', '\\']);
        match self {
            Ask::FsRead(p) => format!("fs.read {}", path(p)),
            Ask::FsList(p) => format!("fs.list {}", path(p)),
            Ask::FsWrite(p) => format!("fs.write {}", path(p)),
            Ask::FsDelete(p) => format!("fs.delete {}", path(p)),
            Ask::MessageSend(id) => format!("message.send {}", actor(id)),
            Ask::MessageRequest(id) => format!("message.request {}", actor(id)),
            Ask::Clock => "clock".to_owned(),
            Ask::Random => "random".to_owned(),
            Ask::Stdio => "stdio".to_owned(),
            Ask::NetConnect(a) => format!("net.connect {}", address(a)),
            Ask::NetListen(a) => format!("net.listen {}", address(a)),
            Ask::NetResolve(host) => format!("net.resolve {}", address(host)),
            Ask::Http { method, url } => {
                format!("http {} {}", item(method), word(&without_secrets(url), &['*', '\\']))
            }
            Ask::Env(name) => format!("env {}", item(name)),
        }
    }
}

fn word(asked: &str, special: &[char]) -> String {
    if asked.len() <= WORD_BYTES_MAX {
        return text::word(&text::escape(asked, special));
    }
    let end = asked.floor_char_boundary(WORD_BYTES_MAX);
    text::word(&format!("{}{CUT}", text::escape(&asked[..end], special)))
}

/// The URL up to its query, without `user:password@`.
fn without_secrets(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let shown = &url[..end];
    let Some((scheme, rest)) = shown.split_once("://") else { return shown.to_owned() };
    let authority = rest.find(['/', '\\']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => shown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capability;

    #[test]
    fn texts_name_exactly_what_was_asked() {
        let s = |text: &str| text.to_owned();
        let table = [
            (Ask::FsRead(s("/etc/passwd")), "fs.read /etc/passwd"),
            (Ask::FsRead(s("/a b")), r#"fs.read "/a b""#),
            (Ask::FsRead(s("/a\n- fs.read /**")), r#"fs.read "/a\n- fs.read /\\*\\*""#),
            (Ask::FsWrite(s("/p/[id]")), r"fs.write /p/\[id\]"),
            (Ask::FsDelete(s("/p:")), r#"fs.delete "/p\u003a""#),
            (Ask::MessageSend(s("db")), "message.send default/db/0"),
            (Ask::MessageRequest(s("tools/*/*")), r"message.request tools/\*/\*"),
            (Ask::Clock, "clock"),
            (Ask::NetConnect(s("1.2.3.4:80")), "net.connect 1.2.3.4:80"),
            (Ask::NetConnect(s("[::1]:80")), "net.connect [::1]:80"),
            (Ask::NetListen(s("0.0.0.0:*")), r"net.listen 0.0.0.0:\*"),
            (Ask::NetResolve(s("a.example")), "net.resolve a.example"),
            (Ask::Env(s("A,B*")), r"env A\,B\*"),
            (
                Ask::Http { method: s("GET"), url: s("https://u:p@a.example/x?token=1#f") },
                "http GET https://a.example/x",
            ),
        ];
        for (ask, want) in table {
            assert_eq!(ask.capability_text(), want);
        }
    }

    #[test]
    fn a_line_for_an_impossible_ask_is_refused_when_pasted() {
        for ask in [
            Ask::MessageRequest("tools/*/*".to_owned()),
            Ask::MessageSend("a b".to_owned()),
            Ask::FsRead("/../x".to_owned()),
            Ask::FsRead(format!("/{}", "a/".repeat(5_000))),
            Ask::FsRead(String::new()),
        ] {
            let line = ask.capability_text();
            assert!(line.len() < 10_000 && Capability::parse(&line).is_err(), "{line}");
        }
    }
}
