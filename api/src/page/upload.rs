//! The file of a form, digested as it comes and kept nowhere.
//!
//! A browser without scripts sends a file as `multipart/form-data` only. The crate that takes such a form apart holds
//! all that stands before a part until the part begins, so a form that never comes to its file would fill memory:
//! what may wait is bounded here. The file itself never waits.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use bytes::Bytes;
use futures::StreamExt;
use sha2::{Digest, Sha256};

use crate::http::ApiError;

/// Largest file that is looked up; the digest of a larger one can be compared with `SHA256SUMS`.
pub const LARGEST_BYTES: u64 = 200 << 20;

/// Room for the form around the file: boundaries, headers of parts, other fields.
const FORM_BYTES: u64 = 64 << 10;

/// Most that may have come and not be taken apart yet. A server hands over less than half a mebibyte at once.
const MOST_WAITING_BYTES: u64 = 2 << 20;

/// So much of it makes the sender wait first, which lets the reader give out what it has.
const PAUSE_BYTES: u64 = 512 << 10;

/// Turns that the reader is given for it. One that takes none of them has no file to give out.
const MOST_PAUSES: usize = 64;

/// Longest name of a file that is shown.
const NAME_CHARACTERS: usize = 200;

/// A file that was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct UploadedFile {
    /// Its name where it came from.
    pub name: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Length.
    pub bytes: u64,
}

/// Bytes of a form on their way.
#[derive(Debug)]
struct Meter {
    /// Largest file.
    largest: u64,
    came: AtomicU64,
    taken: AtomicU64,
}

impl Meter {
    fn waiting(&self) -> u64 {
        self.came.load(Ordering::Relaxed).saturating_sub(self.taken.load(Ordering::Relaxed))
    }

    fn is_too_large(&self) -> bool {
        self.came.load(Ordering::Relaxed) > self.largest + FORM_BYTES
    }

    /// Counts what came.
    fn pass(&self, chunk: Bytes) -> io::Result<Bytes> {
        self.came.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        if self.is_too_large() || self.waiting() > MOST_WAITING_BYTES {
            return Err(io::Error::other("more than a form may hold"));
        }
        Ok(chunk)
    }

    /// Why the form could not be read.
    fn refusal(&self) -> ApiError {
        if self.is_too_large() {
            return self.too_large();
        }
        ApiError::new("invalid_parameter", "the form broke off or is malformed; expected one field named file")
    }

    fn too_large(&self) -> ApiError {
        ApiError::new("payload_too_large", format!("the file is larger than {} MiB", self.largest >> 20))
    }
}

/// Reads the form to its end; none where no file was chosen.
///
/// # Errors
///
/// `unsupported_media` for what is no form, `payload_too_large`, and `invalid_parameter` for a form that breaks off.
pub async fn read_file(request: Request, largest: u64) -> Result<Option<UploadedFile>, ApiError> {
    let meter = Arc::new(Meter { largest, came: AtomicU64::new(0), taken: AtomicU64::new(0) });
    let mut form = metered_form(request, Arc::clone(&meter)).await?;
    let mut found = None;
    while let Some(mut field) = form.next_field().await.map_err(|_| meter.refusal())? {
        let name: String = field.file_name().unwrap_or_default().chars().take(NAME_CHARACTERS).collect();
        // A browser sends the field without a name and without bytes where nobody chose a file.
        let is_file = field.name() == Some("file") && !name.is_empty() && found.is_none();
        let (mut hasher, mut bytes) = (Sha256::new(), 0);
        while let Some(chunk) = field.chunk().await.map_err(|_| meter.refusal())? {
            meter.taken.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            bytes += chunk.len() as u64;
            if bytes > largest {
                return Err(meter.too_large());
            }
            if is_file {
                hasher.update(&chunk);
            }
        }
        if is_file {
            found = Some(UploadedFile { name, sha256: hex::encode(hasher.finalize()), bytes });
        }
    }
    Ok(found)
}

async fn metered_form(request: Request, meter: Arc<Meter>) -> Result<Multipart, ApiError> {
    let (parts, body) = request.into_parts();
    let metered = body.into_data_stream().then(move |chunk| {
        let meter = Arc::clone(&meter);
        async move {
            // The form's reader takes all that is ready before it gives any of it out.
            for _ in 0..MOST_PAUSES {
                if meter.waiting() <= PAUSE_BYTES {
                    break;
                }
                tokio::task::yield_now().await;
            }
            meter.pass(chunk.map_err(io::Error::other)?)
        }
    });
    let mut request = Request::from_parts(parts, Body::from_stream(metered));
    // The meter is the limit; that of the framework is for bodies that are held in memory.
    DefaultBodyLimit::disable().apply(&mut request);
    let form = Multipart::from_request(request, &()).await;
    form.map_err(|_| ApiError::new("unsupported_media", "expected a form of type multipart/form-data"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream::{self, Stream};

    /// FIPS 180-2, B.1: the digest of `abc`.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn part(name: &str, file: &str, content: &str) -> String {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"");
        format!("--b\r\n{head}\r\nContent-Type: text/csv\r\n\r\n{content}\r\n")
    }

    fn pieces(body: &str, piece: usize) -> Vec<io::Result<Bytes>> {
        body.as_bytes().chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect()
    }

    fn request(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Request {
        axum::http::Request::builder()
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from_stream(pieces))
            .expect("a request")
    }

    /// As from a network, where the next piece is not there yet.
    async fn read(body: &str, piece: usize, largest: u64) -> Result<Option<UploadedFile>, ApiError> {
        let pieces = stream::iter(pieces(body, piece)).then(|piece| async {
            tokio::task::yield_now().await;
            piece
        });
        read_file(request(pieces), largest).await
    }

    #[tokio::test]
    async fn a_file_has_its_digest_however_it_is_cut() {
        let body = part("note", "", "x") + &part("file", "债务.csv", "abc") + "--b--\r\n";
        let expected = UploadedFile { name: "债务.csv".into(), sha256: ABC.into(), bytes: 3 };
        for piece in [1, 2, 7, 64] {
            assert_eq!(read(&body, piece, 3).await.expect("a form").as_ref(), Some(&expected), "{piece}");
        }
    }

    #[tokio::test]
    async fn a_large_file_is_given_out_while_it_comes() {
        let content = "0123456789abcde\n".repeat(1 << 18);
        let body = part("file", "a.csv", &content) + "--b--\r\n";
        // All pieces are ready at once: only the pause lets the reader give out what it has.
        let request = request(stream::iter(pieces(&body, 1 << 16)));
        let found = read_file(request, LARGEST_BYTES).await.expect("a form").expect("a file");
        assert_eq!(found.bytes, content.len() as u64);
    }

    #[tokio::test]
    async fn a_form_without_a_chosen_file_has_none() {
        let body = part("file", "", "") + "--b--\r\n";
        assert_eq!(read(&body, 10, 3).await.expect("a form"), None);
    }

    #[tokio::test]
    async fn a_file_above_the_limit_is_refused_before_it_is_read_to_its_end() {
        for content in ["abcd".to_owned(), "x".repeat(1 << 20)] {
            let body = part("file", "a.csv", &content) + "--b--\r\n";
            assert_eq!(read(&body, 64, 3).await.expect_err("too large").code, "payload_too_large");
        }
    }

    #[tokio::test]
    async fn what_never_comes_to_a_file_is_given_up_long_before_the_limit() {
        for begin in ["--", "--b\r\n", "--b\r\nContent-Disposition: "] {
            let endless = stream::repeat(Bytes::from(vec![b'x'; 1 << 16])).map(Ok);
            let request = request(stream::iter(pieces(begin, 10)).chain(endless));
            let error = read_file(request, LARGEST_BYTES).await.expect_err("no form");
            assert_eq!(error.code, "invalid_parameter", "{begin}");
        }
    }

    #[tokio::test]
    async fn a_form_that_breaks_off_is_refused() {
        let error = read(&part("file", "a.csv", "abc"), 10, 3).await.expect_err("no form");
        assert_eq!(error.code, "invalid_parameter");
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        let request = axum::http::Request::builder().body(Body::from("abc")).expect("a request");
        assert_eq!(read_file(request, 3).await.expect_err("no form").code, "unsupported_media");
    }
}
