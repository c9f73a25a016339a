//! The certificate of the doors for PostgreSQL and Arrow Flight SQL.
//!
//! It is loaded before anything listens: one that is named and cannot be used ends the process, and nothing is served without
//! encryption in its place.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error as RustlsError, ServerConfig};
use tonic::transport::Identity;

use crate::config::Tls;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Only one of two settings is there.
    #[error("tls.certificate and tls.key belong together; only one of them is set")]
    Half,
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds no certificate or no key.
    #[error("{path} holds no {what} in PEM")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was expected in it.
        what: &'static str,
    },
    /// The two do not go together, or are of a kind that is not supported.
    #[error("the certificate cannot be used: {0}")]
    Tls(#[from] RustlsError),
}

/// A certificate with its key, in PEM.
#[derive(Clone)]
pub struct Certificate {
    chain: Vec<u8>,
    key: Vec<u8>,
    paths: (PathBuf, PathBuf),
}

impl Certificate {
    /// Loads what the settings name; none where they name nothing.
    ///
    /// # Errors
    ///
    /// What is named and cannot be used.
    pub fn load(settings: &Tls) -> Result<Option<Self>, CertificateError> {
        let (certificate, key) = match (&settings.certificate, &settings.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => return Err(CertificateError::Half),
        };
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|source| CertificateError::Read { path: path.clone(), source })
        };
        // Two libraries are in the tree; whoever asks for none by name gets this one. It may have been chosen already.
        let _ = ring::default_provider().install_default();
        let loaded = Self { chain: read(certificate)?, key: read(key)?, paths: (certificate.clone(), key.clone()) };
        loaded.acceptor()?;
        Ok(Some(loaded))
    }

    /// Accepts encrypted connections of PostgreSQL.
    ///
    /// # Errors
    ///
    /// A certificate and a key that do not go together.
    pub fn acceptor(&self) -> Result<TlsAcceptor, CertificateError> {
        let pem = |path: &PathBuf, what| CertificateError::Pem { path: path.clone(), what };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.chain)
            .collect::<Result<_, _>>()
            .map_err(|_| pem(&self.paths.0, "certificate"))?;
        if chain.is_empty() {
            return Err(pem(&self.paths.0, "certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| pem(&self.paths.1, "private key"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // Clients of PostgreSQL 17 may begin with TLS at once and name the protocol.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// The same for Arrow Flight.
    pub fn identity(&self) -> Identity {
        Identity::from_pem(&self.chain, &self.key)
    }
}
