//! Which requests reach a guest: those that say one thing to everybody.

use std::net::SocketAddr;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, StatusCode, Uri, Version};

/// The request in origin form with one host, or the status that refuses it. `local` is the host of a peer so old that it
/// names none.
pub(super) fn admit<B>(mut request: Request<B>, local: SocketAddr) -> Result<Request<B>, StatusCode> {
    if request.method() == Method::CONNECT {
        return Err(StatusCode::NOT_IMPLEMENTED);
    }
    let host = host(&request, local)?;
    if let Some(named) = request.uri().authority() {
        // The host that the line names and the one beside it are one, or nobody knows who was meant.
        let is_http = request.uri().scheme() == Some(&Scheme::HTTP);
        if !is_http || !named.as_str().eq_ignore_ascii_case(host.as_str()) {
            return Err(StatusCode::BAD_REQUEST);
        }
    }
    let target = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let is_all = target.as_str() == "*" && request.method() == Method::OPTIONS;
    if !is_all && !target.as_str().starts_with('/') {
        return Err(StatusCode::BAD_REQUEST);
    }
    *request.uri_mut() = Uri::from(target);
    let value = HeaderValue::from_str(host.as_str()).map_err(|_| StatusCode::BAD_REQUEST)?;
    request.headers_mut().insert(HOST, value);
    Ok(request)
}

fn host<B>(request: &Request<B>, local: SocketAddr) -> Result<Authority, StatusCode> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < Version::HTTP_11 => return local_host(local),
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    };
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    host.filter(|host| !host.as_str().contains('@')).ok_or(StatusCode::BAD_REQUEST)
}

fn local_host(local: SocketAddr) -> Result<Authority, StatusCode> {
    local.to_string().parse().map_err(|_| StatusCode::BAD_REQUEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(target: &str, hosts: &[&str]) -> Result<String, u16> {
        let request = Request::builder().method("GET").uri(target);
        let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
        let local = SocketAddr::from(([127, 0, 0, 1], 80));
        let admitted = admit(request.body(()).expect("a request"), local);
        let shown = |it: Request<()>| format!("{} {}", it.headers()[HOST].to_str().expect("text"), it.uri());
        admitted.map(shown).map_err(|status| status.as_u16())
    }

    #[test]
    fn a_request_comes_in_origin_form_with_its_host() {
        assert_eq!(admitted("/a?b=c", &["h:1"]), Ok("h:1 /a?b=c".to_owned()));
        assert_eq!(admitted("http://H:1/a", &["h:1"]), Ok("h:1 /a".to_owned()));
        assert_eq!(admitted("http://h", &["h"]), Ok("h /".to_owned()));
    }

    #[test]
    fn hostile_e10_a_request_that_names_two_hosts_or_none_is_refused() {
        for (target, hosts) in [
            ("/", &[] as &[&str]),
            ("/", &["a", "b"]),
            ("/", &["a", "a"]),
            ("/", &["a b"]),
            ("/", &[""]),
            ("/", &["user@a"]),
            ("http://a/", &["b"]),
            ("http://a:80/", &["a"]),
            ("https://a/", &["a"]),
            ("http://user@a/", &["a"]),
            ("a:80", &["a:80"]),
            ("*", &["a"]),
        ] {
            assert_eq!(admitted(target, hosts), Err(400), "{target} {hosts:?}");
        }
    }
}
