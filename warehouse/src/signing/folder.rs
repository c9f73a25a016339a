//! Where the signing key lies: a folder of the machine that publishes, never in the warehouse, a bucket or a backup.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};

use super::SigningKey;

/// The private key: PKCS #8, which openssl reads.
const PRIVATE: &str = "signing.pem";
/// The key that is to take its place.
const NEXT: &str = "signing.pem.next";

/// Why the signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// The folder or a file of it.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read the key.
    #[error("{path} can be read by others than its owner (mode {mode:o}); expected 600")]
    Exposed {
        /// Where.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is no key, or the password is not its own.
    #[error("{path} is no Ed25519 key in PKCS #8 that this password opens; expected what `gongkai` wrote there")]
    Key {
        /// Where.
        path: PathBuf,
    },
    /// A key is there already.
    #[error("{path} exists; a signing key is never written over")]
    Exists {
        /// Where.
        path: PathBuf,
    },
}

/// A folder with the signing key in it.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    folder: PathBuf,
    password: Option<String>,
}

impl KeyFolder {
    /// A folder that may not be there yet. With a password, keys are written and read encrypted.
    pub fn new(folder: PathBuf, password: Option<String>) -> Self {
        Self { folder, password }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn io(path: &Path) -> impl FnOnce(io::Error) -> KeyFolderError {
        let path = path.to_owned();
        move |source| KeyFolderError::Io { path, source }
    }

    /// The signing key, where there is one.
    pub fn read(&self) -> Result<Option<SigningKey>, KeyFolderError> {
        self.read_file(PRIVATE)
    }

    /// The key that is to sign next, where there is one.
    pub fn read_next(&self) -> Result<Option<SigningKey>, KeyFolderError> {
        self.read_file(NEXT)
    }

    fn read_file(&self, name: &str) -> Result<Option<SigningKey>, KeyFolderError> {
        let path = self.folder.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyFolderError::Io { path, source }),
        };
        let mode = fs::metadata(&path).map_err(Self::io(&path))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFolderError::Exposed { path, mode });
        }
        let key = match &self.password {
            Some(password) => KeypairBytes::from_pkcs8_encrypted_pem(&text, password),
            None => KeypairBytes::from_pkcs8_pem(&text),
        };
        let key = key.map_err(|_| KeyFolderError::Key { path })?;
        Ok(Some(SigningKey::from_seed(&key.secret_key)))
    }

    /// The signing key; a new one where there is none.
    pub fn read_or_create(&self) -> Result<SigningKey, KeyFolderError> {
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        match self.write(&SigningKey::generate(), PRIVATE) {
            // Another process was faster: its key is the one.
            Ok(()) | Err(KeyFolderError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
        self.read()?.ok_or_else(|| KeyFolderError::Key { path: self.folder.join(PRIVATE) })
    }

    /// Keeps a key that is to sign next, under another name: it takes the place of the old one by [`Self::promote`].
    pub fn write_next(&self, key: &SigningKey) -> Result<(), KeyFolderError> {
        let path = self.folder.join(NEXT);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(KeyFolderError::Io { path, source: error }),
            _ => self.write(key, NEXT),
        }
    }

    /// Puts the next key in the place of the old one, which is kept beside it under its id.
    pub fn promote(&self, old: &SigningKey) -> Result<(), KeyFolderError> {
        let (path, next) = (self.folder.join(PRIVATE), self.folder.join(NEXT));
        let kept = self.folder.join(format!("{PRIVATE}.{}", old.public().short_id()));
        if !kept.exists() {
            fs::hard_link(&path, &kept).map_err(Self::io(&kept))?;
        }
        fs::rename(&next, &path).map_err(Self::io(&next))?;
        sync(&self.folder)
    }

    fn write(&self, key: &SigningKey, name: &str) -> Result<(), KeyFolderError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(Self::io(&self.folder))?;
        let path = self.folder.join(name);
        // Version 1, without the public key: OpenSSL 3.0 cannot read version 2.
        let bytes = KeypairBytes { secret_key: key.0.to_bytes(), public_key: None };
        let pem = match &self.password {
            Some(password) => bytes.to_pkcs8_encrypted_pem(rand_core::OsRng, password, LineEnding::LF),
            None => bytes.to_pkcs8_pem(LineEnding::LF),
        };
        let pem = pem.map_err(|_| KeyFolderError::Key { path: path.clone() })?;
        // Written beside its place and then named, so that whoever sees a key sees all of it.
        let staged = self.folder.join(format!(".{name}.{}", std::process::id()));
        let written = (|| {
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
            file.write_all(pem.as_bytes())?;
            file.sync_all()?;
            fs::hard_link(&staged, &path)
        })();
        let _ = fs::remove_file(&staged);
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyFolderError::Exists { path }),
            Err(source) => Err(KeyFolderError::Io { path, source }),
            Ok(()) => sync(&self.folder),
        }
    }
}

fn sync(folder: &Path) -> Result<(), KeyFolderError> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(KeyFolder::io(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_others_cannot_read_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for password in [None, Some("opens it".to_owned())] {
            let keys = KeyFolder::new(folder.path().join(format!("{}", password.is_some())), password.clone());
            let made = keys.read_or_create().expect("makes");
            assert_eq!(keys.read_or_create().expect("reads").public(), made.public());
            let path = keys.path().join(PRIVATE);
            let wrong = KeyFolder::new(keys.path().to_owned(), Some("does not".to_owned()));
            assert!(matches!(wrong.read(), Err(KeyFolderError::Key { .. })));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("sets");
            assert!(matches!(keys.read(), Err(KeyFolderError::Exposed { mode: 0o640, .. })));
        }
    }

    #[test]
    fn the_next_key_takes_the_place_and_the_old_one_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys = KeyFolder::new(folder.path().to_owned(), None);
        let (old, next) = (keys.read_or_create().expect("makes"), SigningKey::generate());
        keys.write_next(&next).expect("writes");
        assert_eq!(keys.read().expect("reads").map(|key| key.public()), Some(old.public()));
        keys.promote(&old).expect("promotes");
        assert_eq!(keys.read().expect("reads").map(|key| key.public()), Some(next.public()));
        assert!(folder.path().join(format!("{PRIVATE}.{}", old.public().short_id())).exists());
    }
}
