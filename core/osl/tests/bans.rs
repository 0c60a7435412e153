//! What a ban refuses, whoever grants it.

mod support;

use std::fs;

use airssys_osl::{Ask, Ban, Capability, Decision, DenialKind, Endpoint, FsError, Operation, Protocol};
use support::World;

fn bans(world: &World, texts: &[&str]) -> Vec<Ban> {
    let ban = |(line, text): (usize, &&str)| {
        let text = text.replace("{}", &world.path(""));
        let capability = Capability::parse(&text).unwrap().remove(0);
        Ban { capability, rule: format!("policy.yaml:{} {text}", line + 1).into() }
    };
    texts.iter().enumerate().map(ban).collect()
}

#[test]
fn a_ban_beats_grants_before_and_after_it_and_names_its_rule() {
    let world = World::new(&["message.request tools/*/*"]);
    let ask = |id: &str| Ask::MessageRequest(id.to_owned());
    world.set.check(&ask("tools/db/0"), "").unwrap();
    world.set.forbid(bans(&world, &["message.request tools/db/*"]));
    let denial = world.set.check(&ask("tools/db/0"), "wit").unwrap_err();
    assert_eq!((denial.kind, denial.policy_line().as_str()), (DenialKind::Forbidden, ""));
    assert_eq!(
        denial.to_string(),
        "denied: default/fetch/0 asked for message.request tools/db/0, which policy.yaml:1 message.request tools/db/* denies"
    );
    world.grant(9, "message.request tools/db/0");
    assert!(world.set.check(&ask("tools/db/0"), "").is_err(), "a grant lifts no ban");
    world.set.check(&ask("tools/other/0"), "").unwrap();
    world.set.forbid(Vec::new());
    world.set.check(&ask("tools/db/0"), "").unwrap();
    let told: Vec<_> =
        world.audit.recent().into_iter().filter(|record| record.operation == Operation::Forbid).collect();
    let told: Vec<_> = told.iter().map(|record| (record.decision, &*record.capability)).collect();
    let text = "message.request tools/db/*";
    assert_eq!(told, [(Decision::Deny, text), (Decision::Allow, text)]);
}

#[test]
fn a_new_ban_closes_what_is_open_under_grants_of_its_action_and_no_more() {
    let world = World::new(&["fs.read {}/**", "message.request db"]);
    let path = world.write("a", "text");
    let file = world.files.open(&path, "test").unwrap();
    let guard = world.set.check(&Ask::MessageRequest("db".into()), "").unwrap();
    assert_eq!(world.set.forbid(bans(&world, &["fs.read {}/private/**"])), 1);
    assert!(
        matches!(file.read_at(&mut [0; 4], 0), Err(FsError::Denied(denial)) if denial.kind == DenialKind::Revoked)
    );
    assert_eq!(guard.alive(), Ok(()));
    assert_eq!(world.read(&path).unwrap(), "text", "it may be opened again");
    let again = world.files.open(&path, "test").unwrap();
    assert_eq!(world.set.forbid(bans(&world, &["fs.read {}/private/**"])), 0, "it is no new one");
    again.read_at(&mut [0; 4], 0).unwrap();
    assert_eq!(world.set.grants().len(), 2);
    assert_eq!(world.set.revoke(1), Some(1), "the grant has kept its number");
}

#[test]
fn a_ban_whose_line_moved_is_no_new_one_but_is_told_by_its_new_line() {
    let world = World::new(&["fs.read {}/**"]);
    let path = world.write("a", "text");
    world.write("private/pay", "secret");
    world.set.forbid(bans(&world, &["fs.read {}/private/**"]));
    let file = world.files.open(&path, "test").unwrap();
    let moved = bans(&world, &["fs.write {}/b", "fs.read {}/private/**"]);
    assert_eq!(world.set.forbid(moved), 0, "only the ban of writing is new");
    file.read_at(&mut [0; 4], 0).unwrap();
    let Err(FsError::Denied(denial)) = world.read(&world.path("private/pay")) else { panic!("it is banned") };
    assert!(denial.rule.unwrap().starts_with("policy.yaml:2 "));
    let told = world.audit.recent();
    let told = told.iter().filter(|record| record.operation == Operation::Forbid);
    assert!(
        told.map(|record| record.decision).eq([Decision::Deny, Decision::Deny]),
        "one for each, none lifted"
    );
}

#[test]
fn hostile_d3_a_hard_link_is_no_way_around_the_ban_of_a_file() {
    let world = World::new(&["fs.read,list {}/**"]);
    let pay = world.write("private/pay", "secret");
    let link = world.path("open/link");
    world.write("open/file", "text");
    fs::hard_link(&pay, &link).unwrap();
    fs::hard_link(world.path("open/file"), world.path("open/twin")).unwrap();
    world.set.forbid(bans(&world, &["fs.write {}/private/pay", "fs.list {}/open/file"]));
    assert_eq!(world.read(&link).unwrap(), "secret", "reading is not banned");
    world.set.forbid(bans(&world, &["fs.read {}/private/pay"]));
    let Err(FsError::Denied(denial)) = world.read(&link) else {
        panic!("the file is banned by another name")
    };
    assert_eq!(denial.kind, DenialKind::Forbidden);
    assert_eq!(world.read(&world.path("open/twin")).unwrap(), "text");
    // What the banned name leads to now is what counts.
    fs::remove_file(&pay).unwrap();
    fs::write(&pay, "another").unwrap();
    assert_eq!(world.read(&link).unwrap(), "secret", "nobody bans a file that has lost the name");
}

#[test]
fn hostile_e6_the_unspecified_address_is_no_way_around_a_ban_of_loopback() {
    let table = [
        ("127.0.0.0/8:*", "0.0.0.0:80", true),
        ("127.0.0.1:80", "0.0.0.0:80", true),
        ("[::1]:80", "[::]:80", true),
        ("127.0.0.0/8:*", "[::ffff:0.0.0.0]:80", true),
        ("10.0.0.0/8:*", "0.0.0.0:80", false),
        ("127.0.0.0/8:81", "0.0.0.0:80", false),
        ("127.0.0.2:80", "0.0.0.0:80", false),
    ];
    for (ban, asked, forbidden) in table {
        let world = World::new(&["net.connect 0.0.0.0:80", "net.connect [::]:80"]);
        world.set.forbid(bans(&world, &[&format!("net.connect {ban}")]));
        let ask = Ask::NetConnect(Endpoint::address(asked.parse().unwrap(), Protocol::Tcp));
        assert_eq!(world.set.check(&ask, "").is_err(), forbidden, "{ban} {asked}");
    }
}

#[test]
fn hostile_e6_who_listens_everywhere_listens_where_it_is_banned() {
    let table = [
        ("10.0.0.0/8:*", "0.0.0.0:80", true),
        ("10.0.0.1:80 ; proto=tcp", "0.0.0.0:80", true),
        ("[2001:db8::]/32:80", "[::]:80", true),
        ("[2001:db8::]/32:80", "0.0.0.0:80", false),
        ("10.0.0.0/8:81", "0.0.0.0:80", false),
        ("10.0.0.1:80 ; proto=udp", "0.0.0.0:80", false),
    ];
    for (ban, asked, forbidden) in table {
        let world = World::new(&["net.listen 0.0.0.0:80", "net.listen [::]:80"]);
        world.set.forbid(bans(&world, &[&format!("net.listen {ban}")]));
        let ask = Ask::NetListen(Endpoint::address(asked.parse().unwrap(), Protocol::Tcp));
        assert_eq!(world.set.check(&ask, "").is_err(), forbidden, "{ban} {asked}");
    }
}

#[test]
fn hostile_e10_parameters_of_a_path_are_no_way_around_its_ban() {
    let world = World::new(&["http GET https://a.example/**"]);
    world
        .set
        .forbid(bans(&world, &["http * https://a.example/admin/**", r#"http GET "https://a.example/x;y""#]));
    for (path, forbidden) in [
        ("admin", true),
        ("admin;", true),
        ("admin;a=b/pay", true),
        ("admin%3ba/pay;c", true),
        ("x;y", true),
        ("x", false),
        ("open;admin/x", false),
        ("administrator;x", false),
        ("open/admin;x", false),
        ("open?admin;x", false),
    ] {
        let ask = Ask::Http { method: "GET".into(), url: format!("https://a.example/{path}") };
        assert_eq!(world.set.check(&ask, "").is_err(), forbidden, "{path}");
    }
}

#[test]
fn a_ban_to_connect_refuses_a_request_that_includes_the_connection() {
    let table = [
        ("net.connect 169.254.0.0/16:*", "http://169.254.169.254/latest", true),
        ("net.connect 169.254.0.0/16:80", "http://169.254.169.254/latest", true),
        ("net.connect 169.254.0.0/16:443", "http://169.254.169.254/latest", false),
        ("net.connect 169.254.0.0/16:443", "https://169.254.169.254/latest", true),
        ("net.connect 169.254.0.0/16:* ; proto=tcp", "http://169.254.169.254/", true),
        ("net.connect 169.254.0.0/16:* ; proto=udp", "http://169.254.169.254/", false),
        ("net.connect 169.254.0.0/16:*", "http://[::ffff:169.254.169.254]/", true),
        ("net.connect 169.254.0.0/16:*", "http://[64:ff9b::a9fe:a9fe]/", true),
        ("net.connect 127.0.0.0/8:*", "http://0.0.0.0/", true),
        ("http GET http://127.0.0.1/**", "http://0.0.0.0/", true),
        ("net.connect [::1]:8080", "http://[::]:8080/", true),
        ("net.connect api.example:*", "https://API.Example./v1", true),
        ("net.connect *.example:443", "https://api.example/v1", true),
        ("net.connect *.example:443", "https://example/v1", false),
        ("net.connect api.example:8443", "https://api.example:8443/?q", true),
        ("net.connect api.example:8443", "https://api.example/", false),
        ("net.listen 169.254.0.0/16:*", "http://169.254.169.254/", false),
        ("net.resolve api.example", "https://api.example/", false),
    ];
    for (ban, url, forbidden) in table {
        let world = World::empty();
        let authority = url.split('/').nth(2).unwrap();
        let scheme = url.split(':').next().unwrap();
        world.grant(1, &format!("http GET {scheme}://{authority}/**"));
        let ask = Ask::Http { method: "GET".into(), url: url.into() };
        let guard = world.set.check(&ask, "").unwrap();
        world.set.forbid(bans(&world, &[ban]));
        let denial = world.set.check(&ask, "").err();
        assert_eq!(denial.is_some(), forbidden, "{ban} {url}");
        assert!(denial.is_none_or(|denial| denial.rule == Some(format!("policy.yaml:1 {ban}").into())));
        let ends = ban.starts_with("net.connect") || ban.starts_with("http");
        assert_eq!(guard.alive().is_err(), ends, "{ban}: what is open is made anew");
    }
}

#[test]
fn hostile_d3_no_link_leads_around_a_ban() {
    let world = World::new(&["fs.read,list,write {}/**"]);
    world.write("private/pay", "secret");
    let open = world.write("open", "text");
    world.link("private/pay", "in");
    world.link("private", "way");
    world.set.forbid(bans(&world, &["fs.read {}/private/**", "fs.write {}/private/**"]));
    for path in ["private/pay", "in", "way/pay", "private/../private/pay", "way/../private/pay"] {
        let denied = world.read(&world.path(path));
        assert!(
            matches!(denied, Err(FsError::Denied(denial)) if denial.kind == DenialKind::Forbidden),
            "{path}"
        );
    }
    for path in ["way/new", "private/new", "in"] {
        let denied = world.files.write_all(&world.path(path), b"x", "test");
        assert!(matches!(denied, Err(FsError::Denied(_))), "{path}");
    }
    assert_eq!(fs::read_dir(world.path("private")).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(world.path("private/pay")).unwrap(), "secret");
    assert_eq!(world.read(&open).unwrap(), "text");
}

#[test]
fn hostile_d8_no_directory_is_moved_around_a_ban() {
    let world = World::new(&["fs.read,write,delete,list {}/**"]);
    world.write("data/private/pay", "secret");
    world.write("data/other", "text");
    world.set.forbid(bans(&world, &["fs.read {}/data/private/**"]));
    let moved = world.files.rename(&world.path("data"), &world.path("elsewhere"), "test");
    assert!(matches!(moved, Err(FsError::Denied(denial)) if denial.kind == DenialKind::Forbidden));
    let moved = world.files.rename(&world.path("data/private"), &world.path("elsewhere"), "test");
    assert!(matches!(moved, Err(FsError::Denied(_))));
    world.files.rename(&world.path("data/other"), &world.path("elsewhere"), "test").unwrap();
    assert!(matches!(world.read(&world.path("data/private/pay")), Err(FsError::Denied(_))));
}

#[test]
fn a_ban_of_the_baseline_takes_it_away() {
    let world = World::new(&["clock", "random"]);
    let guard = world.set.check(&Ask::Clock, "").unwrap();
    world.set.forbid(bans(&world, &["clock"]));
    assert_eq!(guard.alive(), Err(DenialKind::Revoked));
    assert!(world.set.check(&Ask::Clock, "").is_err());
    world.set.check(&Ask::Random, "").unwrap();
}

/// Whether the ban, and nothing else, refuses it.
fn forbidden<T>(done: Result<T, FsError>) -> bool {
    matches!(done, Err(FsError::Denied(denial)) if denial.kind == DenialKind::Forbidden)
}

#[test]
fn hostile_d3_a_ban_holds_where_a_grant_begins_behind_a_link() {
    let world = World::empty();
    world.write("run/private/pay", "secret");
    let open = world.write("run/open", "text");
    world.link("run", "var");
    world.grant_from(1, "fs.read,list,write,delete {}/var/**");
    world.set.forbid(bans(
        &world,
        &["fs.read {}/run/private/**", "fs.write {}/run/private/**", "fs.list {}/run/private/**"],
    ));
    let path = |name: &str| world.path(&format!("var/{name}"));
    assert!(forbidden(world.read(&path("private/pay"))));
    assert!(forbidden(world.files.list(&path("private"), "test")));
    assert!(forbidden(world.files.metadata(&path("private/pay"), true, "test")));
    assert!(forbidden(world.files.write_all(&path("private/new"), b"x", "test")));
    assert!(forbidden(world.files.rename(&path("private"), &path("elsewhere"), "test")));
    assert_eq!(fs::read_dir(world.path("run/private")).unwrap().count(), 1);
    assert_eq!(world.read(&path("open")).unwrap(), "text");
    assert_eq!(fs::read_to_string(open).unwrap(), "text");
}

#[test]
fn hostile_d3_a_ban_of_a_path_through_a_link_holds_for_what_it_leads_to() {
    let world = World::new(&["fs.read,list {}/**"]);
    let pay = world.write("run/private/pay", "secret");
    let key = world.write("run/key", "secret");
    let open = world.write("run/open", "text");
    world.link("run", "var");
    world.link("run/key", "current");
    world.set.forbid(bans(
        &world,
        &["fs.read {}/var/private/**", "fs.read {}/var/later/**", "fs.read {}/current"],
    ));
    let later = world.write("run/later/pay", "secret");
    for path in [&pay, &key, &later] {
        assert!(forbidden(world.read(path)), "{path}");
    }
    assert_eq!(world.read(&open).unwrap(), "text");
    world.set.forbid(Vec::new());
    assert_eq!(world.read(&pay).unwrap(), "secret");
}

#[test]
fn a_ban_of_reading_refuses_what_a_link_tells_of_the_file_under_a_grant_of_listing() {
    let world = World::new(&["fs.list {}/**"]);
    let pay = world.write("private/pay", "secret");
    world.link("private/pay", "in");
    world.set.forbid(bans(&world, &["fs.read {}/private/**"]));
    for path in [pay, world.path("in")] {
        assert!(forbidden(world.files.metadata(&path, true, "test")), "{path}");
    }
}

#[test]
fn what_describes_a_file_is_banned_by_either_way_to_do_so_and_the_other_use_is_not() {
    let world = World::new(&["fs.read,list {}/**"]);
    let pay = world.write("private/pay", "secret");
    let forbidden = |done: Result<(), FsError>| matches!(done, Err(FsError::Denied(denial)) if denial.kind == DenialKind::Forbidden);
    let describe = || world.files.metadata(&pay, true, "").map(drop);
    let list = || world.files.list(&world.path("private"), "").map(drop);
    describe().unwrap();
    world.set.forbid(bans(&world, &["fs.list {}/private/**"]));
    assert!(forbidden(describe()) && forbidden(list()));
    assert_eq!(world.read(&pay).unwrap(), "secret");
    world.set.forbid(bans(&world, &["fs.read {}/private/**"]));
    assert!(forbidden(describe()) && forbidden(world.read(&pay).map(drop)));
    list().unwrap();
}
