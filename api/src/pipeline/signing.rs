//! The key that this instance signs with.

use std::path::PathBuf;
use std::sync::Arc;

use gongkai_warehouse::lake::{LakeError, pointer};
use gongkai_warehouse::publication::Signer;
use gongkai_warehouse::signing::{KeyFolder, KeyFolderError};

use crate::instance::Instance;

/// Default folder of the signing key, beside the settings.
const DEFAULT_FOLDER: &str = "./keys";

/// Password of an encrypted key.
const PASSWORD: &str = "GONGKAI_KEY_PASSWORD";

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The folder.
    #[error("signing key: {0}")]
    Folder(#[from] KeyFolderError),
    /// The warehouse.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A log that exists goes on with its key only.
    #[error(
        "{folder} holds no signing key, but the log {origin} is signed by key {expected}; name its folder with --keys"
    )]
    Missing {
        /// The folder that was looked into.
        folder: PathBuf,
        /// Name of the log.
        origin: String,
        /// Id of the key that signs it.
        expected: String,
    },
}

/// The folder that the settings name.
pub fn folder(instance: &Instance) -> KeyFolder {
    let folder = instance.config.keys.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FOLDER));
    KeyFolder::new(folder, std::env::var(PASSWORD).ok().filter(|password| !password.is_empty()))
}

/// The key that signs. Where nothing was published yet, and there is none, one is made.
pub async fn signer(instance: &Instance) -> Result<Signer, SigningError> {
    let folder = folder(instance);
    let store = instance.warehouse.store().as_ref();
    let current = pointer::read(store).await?.current;
    let key = match folder.read()? {
        Some(key) => {
            let expected = pointer::read_index(store, &current).await?.log.key();
            let is_right = expected.is_none_or(|expected| expected == key.public());
            match folder.read_next()?.filter(|next| !is_right && Some(next.public()) == expected) {
                // Cut off between the publication that made it sign and its move to its place.
                Some(next) => {
                    folder.promote(&key)?;
                    next
                }
                None => key,
            }
        }
        None => {
            let log = pointer::read_index(store, &current).await?.log;
            if let Some(expected) = log.key() {
                let (folder, expected) = (folder.path().to_owned(), expected.short_id());
                return Err(SigningError::Missing { folder, origin: log.origin, expected });
            }
            folder.read_or_create()?
        }
    };
    let origin = instance.config.publishing.origin.clone();
    let origin = origin.unwrap_or_else(|| format!("gongkai.invalid/{}", key.public().short_id()));
    Ok(Signer { key: Arc::new(key), origin })
}
