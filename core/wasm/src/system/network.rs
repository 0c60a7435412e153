//! What guests reach the network with.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use airssys_osl::DnsResolver;

use crate::host::{Outside, Trust};
use crate::types::config::NetworkOptions;
use crate::types::error::{Code, Error, Result};

/// Bytes of a file of certificates.
const ROOTS_BYTES_MAX: u64 = 1 << 20;

pub(super) fn outside(options: NetworkOptions) -> Result<Outside> {
    let resolver = match options.name_servers.is_empty() {
        true => DnsResolver::system(),
        false => DnsResolver::new(options.name_servers),
    };
    let roots = options.tls_roots.map_or(Ok(Vec::new()), |path| read(&path))?;
    Ok(Outside::new(Arc::new(resolver), Trust::new(&roots)?))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut roots = Vec::new();
    let read = File::open(path).and_then(|file| file.take(ROOTS_BYTES_MAX).read_to_end(&mut roots));
    read.map_err(|why| Error::new(Code::Io, format!("tls_roots {}: {why}", path.display())))?;
    Ok(roots)
}
