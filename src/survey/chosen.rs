//! Looking at chosen keys instead of the whole bucket, with its incomplete uploads.

use std::collections::VecDeque;

use futures::stream::{self, StreamExt};

use super::Survey;
use super::uploads::{UploadsAhead, merged};
use crate::plan::KeyGroup;
use crate::s3::StoreError;

/// How many keys are looked up together.
const BLOCK: usize = 4_000;

/// How many blocks at a time.
const BLOCKS_AT_ONCE: usize = 8;

/// Some of the chosen keys, looked up and decided.
#[derive(Debug, Default)]
pub struct LookedUp {
    /// What stands under them, and incomplete uploads before and between them, in byte order.
    pub groups: Vec<KeyGroup>,
    /// How many keys were looked up.
    pub asked: u64,
    /// How many of them have nothing left.
    pub gone: u64,
}

impl Survey<'_> {
    /// Hands over what stands under `keys` now, and all incomplete uploads of the bucket, decided. `keys` come
    /// in byte order, without repeats.
    ///
    /// # Errors
    /// If a key does not come, or something cannot be listed, and what `take` ends in.
    pub async fn chosen<E: From<StoreError>>(
        &self,
        keys: impl Iterator<Item = Result<String, E>>,
        mut take: impl FnMut(LookedUp) -> Result<(), E>,
    ) -> Result<(), E> {
        let decider = self.decider();
        let mut uploads = UploadsAhead::new(&self.bucket, "", None);
        let looked_up = |block: Result<Vec<String>, E>| async move {
            let block = block?;
            let keys: Vec<&str> = block.iter().map(String::as_str).collect();
            // One that is not found is left alone, and so need not be asked for again.
            let drafts = self.drafts(&keys, false).await?;
            Ok::<_, E>((keys.len(), drafts))
        };
        let mut blocks = std::pin::pin!(stream::iter(Blocks(keys)).map(looked_up).buffered(BLOCKS_AT_ONCE));
        while let Some(block) = blocks.next().await {
            let (asked, drafts) = block?;
            let gone = asked.saturating_sub(drafts.len());
            let mut open = match drafts.last() {
                Some(last) => uploads.before(Some(&last.key)).await?.into(),
                None => VecDeque::new(),
            };
            let groups = self.decide(&decider, merged(drafts, &mut open)).await;
            take(LookedUp { groups, asked: asked as u64, gone: gone as u64 })?;
        }
        let groups = self.decide(&decider, uploads.before(None).await?).await;
        take(LookedUp { groups, ..LookedUp::default() })
    }
}

/// Keys, so many together.
struct Blocks<I>(I);

impl<E, I: Iterator<Item = Result<String, E>>> Iterator for Blocks<I> {
    type Item = Result<Vec<String>, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let block: Result<Vec<String>, E> = self.0.by_ref().take(BLOCK).collect();
        match block {
            Ok(keys) if keys.is_empty() => None,
            block => Some(block),
        }
    }
}
