//! Names asked of name servers by nobody but this process: not of the host's C library, whose answers its
//! environment and files change.

mod message;
mod resolv_conf;
mod resolver;

pub use resolver::DnsResolver;
