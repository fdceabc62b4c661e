//! Whose certificates are believed.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Whose certificates are believed: Mozilla's list, and authorities of one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    own: Vec<CertificateDer<'static>>,
}

/// Why certificates cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no certificate in the text, or one is damaged.
    #[error("no certificates in PEM form")]
    NoPem,
    /// TLS refuses a certificate as an authority, or to be set up at all.
    #[error("cannot be trusted: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Trusted {
    /// Mozilla's list, and the authorities in this PEM text.
    ///
    /// # Errors
    /// When there is none in it, or one cannot be an authority.
    pub fn with_authorities(pem: &[u8]) -> Result<Self, TrustError> {
        let own: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let own = own.map_err(|_| TrustError::NoPem)?;
        if own.is_empty() {
            return Err(TrustError::NoPem);
        }
        let trusted = Self { own };
        trusted.roots()?;
        Ok(trusted)
    }

    fn roots(&self) -> Result<RootCertStore, TrustError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in &self.own {
            roots.add(certificate.clone())?;
        }
        Ok(roots)
    }

    /// TLS 1.2 and 1.3, with ring.
    pub(super) fn client_config(&self) -> Result<ClientConfig, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(config)
    }
}
