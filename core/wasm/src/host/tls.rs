//! Whom TLS trusts.

use std::sync::{Arc, OnceLock};

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::types::error::{Error, Result};

/// The roots that browsers trust, as they were when this was built, and those that the host names. Neither a file nor a
/// variable of the host's environment adds to them.
pub(crate) struct Trust {
    own: Vec<CertificateDer<'static>>,
    /// Made at the first use: most systems have none.
    connector: OnceLock<TlsConnector>,
}

impl Trust {
    /// Trusts the certificates of a PEM file as well.
    pub(crate) fn new(pem: &[u8]) -> Result<Self> {
        let invalid =
            |why: &dyn std::fmt::Display| Error::argument("tls_roots", format!("no certificates: {why}"));
        let own = CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<Vec<_>, _>>();
        let own = own.map_err(|why| invalid(&why))?;
        if own.is_empty() && !pem.is_empty() {
            return Err(invalid(&"none begins in it"));
        }
        let mut roots = RootCertStore::empty();
        for root in &own {
            roots.add(root.clone()).map_err(|why| invalid(&why))?;
        }
        Ok(Self { own, connector: OnceLock::new() })
    }

    pub(super) fn connector(&self) -> &TlsConnector {
        self.connector.get_or_init(|| {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            // Each was tried when it was given.
            roots.add_parsable_certificates(self.own.iter().cloned());
            let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("ring knows the versions that are safe")
                .with_root_certificates(roots)
                .with_no_client_auth();
            // All actors share it, and no server shall know one by another's session.
            config.resumption = Resumption::disabled();
            TlsConnector::from(Arc::new(config))
        })
    }
}
