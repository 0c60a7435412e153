//! An ask as the line that would allow it.

use crate::actor_pattern;
use crate::ask::Ask;
use crate::endpoint;
use crate::glob::SPECIAL;
use crate::scope::topic_pattern::TopicPattern;
use crate::scope::url::Target;
use crate::scope::{address_class, host_name};
use crate::size;
use crate::text;

/// Longest text of a program with its arguments.
const PROGRAM_BYTES_MAX: usize = 16_384;

impl Ask {
    /// The canonical text of exactly this, on one line: pasted after `- ` it is the policy line that
    /// allows it. A character that a pattern would take for a wildcard gets a backslash; of a URL
    /// neither query nor credentials are shown.
    pub fn capability_text(&self) -> String {
        let path = |path: &String| word(path, SPECIAL);
        let actor = |id: &String| word(&actor_pattern::canonical(id), &['*', '\\']);
        let item = |item: &String| word(item, &['*', ',', '\\']);
        match self {
            Ask::FsRead(p) => format!("fs.read {}", path(p)),
            Ask::FsList(p) => format!("fs.list {}", path(p)),
            Ask::FsWrite(p) => format!("fs.write {}", path(p)),
            Ask::FsDelete(p) => format!("fs.delete {}", path(p)),
            Ask::FsExec(p) => format!("fs.exec {}", path(p)),
            Ask::NetConnect(endpoint) => format!("net.connect {}", endpoint.text()),
            Ask::NetListen(endpoint) => format!("net.listen {}", endpoint.text()),
            Ask::NetResolve(host) => format!("net.resolve {}", resolved(host)),
            Ask::Http { method, url } => format!("http {} {}", item(method), shown_url(url)),
            Ask::ProcessRun { program, args, env } => program_text(program, args, env),
            Ask::Env(name) => format!("env {}", item(name)),
            Ask::KvRead(name) => format!("kv.read {}", item(name)),
            Ask::KvWrite(name) => format!("kv.write {}", item(name)),
            Ask::MessageSend(id) => format!("message.send {}", actor(id)),
            Ask::MessageRequest(id) => format!("message.request {}", actor(id)),
            Ask::MessageSpawn(id) => format!("message.spawn {}", actor(id)),
            Ask::MessagePublish(topic) => format!("message.publish {}", word(topic, &['*', '>'])),
            Ask::MessageSubscribe(topics) => format!("message.subscribe {}", subscription(topics)),
            Ask::RegionCreate { name, bytes: 0 } => format!("region.create {}", item(name)),
            Ask::RegionCreate { name, bytes } => {
                format!("region.create {} ; max={}", item(name), size::print(*bytes))
            }
            Ask::RegionRead(name) => format!("region.read {}", item(name)),
            Ask::RegionWrite(name) => format!("region.write {}", item(name)),
            Ask::Clock => "clock".to_owned(),
            Ask::Random => "random".to_owned(),
            Ask::Stdio => "stdio".to_owned(),
            Ask::Custom { name, action } => {
                format!("{} {}", word(&format!("custom.{name}"), &['*', '\\']), item(action))
            }
        }
    }
}

fn word(asked: &str, special: &[char]) -> String {
    text::word(&text::escape(&text::bounded(asked), special))
}

/// The name in lower case without its last dot, or an IPv6 address in brackets.
fn resolved(host: &str) -> String {
    match host.parse() {
        Ok(ip) => endpoint::in_url(address_class::canonical(ip)),
        Err(_) => text::word(&endpoint::shown(&host_name::fold(host))),
    }
}

/// A pattern of topics stands as it is: the grant is for all of it.
fn subscription(topics: &str) -> String {
    match TopicPattern::parse(topics) {
        Ok(pattern) => text::word(&pattern.to_string()),
        Err(_) => word(topics, &['*', '>']),
    }
}

fn program_text(program: &str, args: &[String], env: &[String]) -> String {
    let mut line = format!("process.run {}", word(program, SPECIAL));
    for arg in args {
        line.push(' ');
        line.push_str(&word(arg, SPECIAL));
        if line.len() > PROGRAM_BYTES_MAX {
            line.push(' ');
            line.push_str(text::CUT);
            return line;
        }
    }
    if !env.is_empty() {
        let mut names: Vec<&str> = env.iter().map(String::as_str).collect();
        names.sort_unstable();
        line.push_str(" ; ");
        line.push_str(&word(&format!("env={}", names.join(",")), &['*', '\\']));
    }
    line
}

/// The URL in its canonical form, or as it was asked for; without its query and `user:password@`.
fn shown_url(url: &str) -> String {
    let shown = without_secrets(url);
    match Target::parse(&shown) {
        Ok(target) => text::word(&target.to_string()),
        Err(_) => word(&shown, &['*', '\\']),
    }
}

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
    use std::net::SocketAddr;

    use super::*;
    use crate::Protocol::{self, Tcp, Udp};
    use crate::{Capability, Endpoint};

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn at(text: &str, protocol: Protocol) -> Endpoint {
        Endpoint::address(socket(text), protocol)
    }

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
            (Ask::FsExec(s("/opt/bin/x")), "fs.exec /opt/bin/x"),
            (Ask::NetConnect(at("1.2.3.4:80", Tcp)), "net.connect 1.2.3.4:80 ; proto=tcp"),
            (Ask::NetConnect(at("[::1]:80", Udp)), "net.connect [::1]:80 ; proto=udp"),
            (Ask::NetConnect(at("[::ffff:1.2.3.4]:80", Tcp)), "net.connect 1.2.3.4:80 ; proto=tcp"),
            (Ask::NetConnect(Endpoint::named("A.Example.", 80, Tcp)), "net.connect a.example:80 ; proto=tcp"),
            (
                Ask::NetConnect(Endpoint::named("*.example", 80, Tcp)),
                r"net.connect \*.example:80 ; proto=tcp",
            ),
            (
                Ask::NetConnect(Endpoint::resolved("a.example", socket("10.0.0.1:80"), Tcp)),
                "net.connect a.example:80 ; private=yes ; proto=tcp",
            ),
            (
                Ask::NetConnect(Endpoint::resolved("a.example", socket("0.0.0.0:80"), Tcp)),
                "net.connect 0.0.0.0:80 ; proto=tcp",
            ),
            (Ask::NetListen(at("0.0.0.0:0", Tcp)), "net.listen 0.0.0.0:0 ; proto=tcp"),
            (Ask::NetResolve(s("a.example")), "net.resolve a.example"),
            (Ask::NetResolve(s("::1")), "net.resolve [::1]"),
            (Ask::Env(s("A,B*")), r"env A\,B\*"),
            (Ask::KvWrite(s("notes")), "kv.write notes"),
            (Ask::MessagePublish(s("news.*")), r"message.publish news.\*"),
            (Ask::MessageSubscribe(s("news.>")), "message.subscribe news.**"),
            (Ask::RegionCreate { name: s("r"), bytes: 1 << 20 }, "region.create r ; max=1MiB"),
            (Ask::Custom { name: s("billing"), action: s("charge") }, "custom.billing charge"),
            (
                Ask::ProcessRun { program: s("/bin/echo"), args: vec![s("a b"), s("*"), s("")], env: vec![] },
                r#"process.run /bin/echo "a b" \* """#,
            ),
            (
                Ask::ProcessRun { program: s("/bin/echo"), args: vec![], env: vec![s("TZ"), s("LANG")] },
                "process.run /bin/echo ; env=LANG,TZ",
            ),
            (
                Ask::Http { method: s("GET"), url: s("HTTPS://u:p@A.example:443/%7ex/../y*?token=1#f") },
                "http GET https://a.example/y%2A",
            ),
            (
                Ask::Http { method: s("GET"), url: s("https://a.example/x\\y") },
                r"http GET https://a.example/x\\y",
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
            Ask::NetResolve("127.1".to_owned()),
            Ask::NetResolve("*.example".to_owned()),
            Ask::NetResolve("a".repeat(9_000)),
            Ask::NetConnect(Endpoint::named("a.example:1 ; private=yes", 80, Tcp)),
            Ask::NetConnect(Endpoint::named("a".repeat(9_000).as_str(), 80, Tcp)),
            Ask::Http { method: "*".to_owned(), url: "https://a.example/".to_owned() },
            Ask::Http { method: "GET,PUT".to_owned(), url: "https://a.example/".to_owned() },
            Ask::Http { method: "GET".to_owned(), url: "https://a.example/a/..%2f".to_owned() },
            Ask::Http { method: "GET".to_owned(), url: format!("https://a.example/{}", "[".repeat(9_000)) },
            Ask::Env("A,B".to_owned()),
            Ask::Env("A*".to_owned()),
            Ask::KvRead("*".to_owned()),
            Ask::MessagePublish("news.**".to_owned()),
            Ask::MessageSubscribe("a..b".to_owned()),
            Ask::Custom { name: "a b".to_owned(), action: "x".to_owned() },
            Ask::Custom { name: "billing".to_owned(), action: "a,b".to_owned() },
            Ask::ProcessRun { program: "ls".to_owned(), args: vec![], env: vec![] },
            Ask::ProcessRun { program: "/bin/ls".to_owned(), args: vec![], env: vec!["A B".to_owned()] },
            Ask::ProcessRun {
                program: "/bin/ls".to_owned(),
                args: vec![],
                env: vec!["LD_PRELOAD".to_owned()],
            },
            Ask::ProcessRun {
                program: "/bin/ls".to_owned(),
                args: vec!["a".repeat(1_000); 100],
                env: vec![],
            },
        ] {
            let line = ask.capability_text();
            assert!(line.len() < 30_000 && Capability::parse(&line).is_err(), "{line}");
        }
    }
}
