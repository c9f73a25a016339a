//! Names and contents of tiles, as C2SP tlog-tiles lays them out.

use tlog_tiles::Hash;

use super::{LeafError, LogError};

/// Hashes of a full tile, and entries of a full bundle.
pub(super) const WIDTH: u64 = 256;

const HASH_BYTES: usize = 32;

/// What kind of tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Hashes(u8),
    Entries,
}

/// A tile's place in the tree, and how much of it there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileName {
    kind: Kind,
    number: u64,
    pub(super) width: u64,
}

impl TileName {
    fn new(kind: Kind, number: u64, size_of_level: u64) -> Self {
        Self { kind, number, width: (size_of_level - number * WIDTH).min(WIDTH) }
    }

    /// The bundle of entries of that number in a log of so many leaves.
    pub(super) fn entries(number: u64, size: u64) -> Self {
        Self::new(Kind::Entries, number, size)
    }

    /// The unfinished bundle at the end of a log, where its last one is not full.
    pub(super) fn last_entries(size: u64) -> Option<Self> {
        (!size.is_multiple_of(WIDTH)).then(|| Self::entries(size / WIDTH, size))
    }

    /// All tiles of a level in a log of so many leaves.
    pub(super) fn all_of_level(level: u8, size: u64) -> impl Iterator<Item = Self> {
        let size = size >> (8 * u32::from(level));
        (0..size.div_ceil(WIDTH)).map(move |number| Self::new(Kind::Hashes(level), number, size))
    }

    /// All bundles of entries in a log of so many leaves.
    pub fn all_entries(size: u64) -> impl Iterator<Item = Self> {
        (0..size.div_ceil(WIDTH)).map(move |number| Self::entries(number, size))
    }

    /// All tiles of hashes in a log of so many leaves.
    pub fn all_hashes(size: u64) -> impl Iterator<Item = Self> {
        (0..8).take_while(move |level| size >> (8 * level) > 0).flat_map(move |level| Self::all_of_level(level, size))
    }

    /// Tiles of hashes that a log gains when it grows.
    pub(super) fn changed(before: u64, after: u64) -> Vec<Self> {
        tlog_tiles::Tile::new_tiles(8, before, after)
            .into_iter()
            .map(|tile| Self {
                kind: Kind::Hashes(tile.level()),
                number: tile.level_index(),
                width: u64::from(tile.width()),
            })
            .collect()
    }

    /// Level of hashes; none of entries.
    pub(super) fn level(&self) -> Option<u8> {
        match self.kind {
            Kind::Hashes(level) => Some(level),
            Kind::Entries => None,
        }
    }

    /// Index of the first hash of its level.
    pub(super) fn start(&self) -> u64 {
        self.number * WIDTH
    }

    /// Index of the first entry of a bundle, or hash of a tile.
    pub fn first(&self) -> usize {
        usize::try_from(self.start()).unwrap_or(usize::MAX)
    }

    /// Entries or hashes in it.
    pub fn count(&self) -> usize {
        self.width as usize
    }

    /// Leaves that a log must have for this tile to be part of it.
    pub fn leaves(&self) -> u64 {
        let level = u32::from(self.level().unwrap_or(0));
        // A name from outside may claim any number; what overflows is beyond every log.
        (self.number.saturating_mul(WIDTH).saturating_add(self.width)).saturating_mul(WIDTH.saturating_pow(level))
    }

    /// Path below the log's folder: `tile/0/001.p/7`, `tile/entries/x001/x234/067`.
    pub fn path(&self) -> String {
        let mut number = format!("{:03}", self.number % 1000);
        let mut rest = self.number / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let level = self.level().map_or_else(|| "entries".to_owned(), |level| level.to_string());
        let part = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{level}/{number}{part}")
    }

    /// Reads a path, which must be the one that [`Self::path`] gives.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse::<u64>().ok().filter(|width| (1..WIDTH).contains(width))?),
            None => (rest, WIDTH),
        };
        let mut value: u64 = 0;
        for part in number.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            value = value.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let kind = match level {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok().filter(|level| *level < 8)?),
        };
        let name = Self { kind, number: value, width };
        (name.path() == path).then_some(name)
    }

    /// The hashes of a tile's bytes.
    pub(super) fn hashes(&self, path: &str, bytes: &[u8]) -> Result<Vec<Hash>, LogError> {
        let expected = self.width as usize * HASH_BYTES;
        if bytes.len() != expected {
            return Err(LogError::TileLength { path: path.to_owned(), found: bytes.len(), expected });
        }
        let (chunks, _) = bytes.as_chunks::<HASH_BYTES>();
        Ok(chunks.iter().map(|chunk| Hash(*chunk)).collect())
    }
}

/// Appends an entry to a bundle: its length in two bytes, then the entry.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), LeafError> {
    let length = u16::try_from(entry.len()).map_err(|_| LeafError::Length { bytes: entry.len() })?;
    bundle.extend(length.to_be_bytes());
    bundle.extend(entry);
    Ok(())
}

/// The entries of a bundle's bytes, exactly as many as its name says.
pub fn entries_of<'a>(name: &TileName, path: &str, mut bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, LogError> {
    let wrong = || LogError::Entries { path: path.to_owned(), expected: name.width };
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(wrong)?;
        entries.push(entry);
        bytes = rest;
    }
    if !bytes.is_empty() || entries.len() as u64 != name.width {
        return Err(wrong());
    }
    Ok(entries)
}
