//! Whether ranges that were listed side by side fit together.
//!
//! A store that does not list in byte order, or does not take a listing up just behind any key, may leave keys
//! out where one range ends and the next begins. The last page of a range mostly reaches into the next one:
//! what it shows there must be what the next range began with. Where it is not, keys may have come or gone
//! meanwhile, so both sides are asked again.

use crate::s3::{Bucket, StoreError};

/// How many keys that have come in between are passed before the store is not believed.
const PASSED: usize = 64;

/// Where a range ended.
#[derive(Debug)]
pub(super) struct Border {
    /// What all keys on both sides start with.
    pub prefix: String,
    /// Its last key, or where it began if it has none.
    pub last: String,
    /// The last key that would be its own.
    pub upto: String,
    /// What its last page showed behind that; `None` if the listing was at its end.
    pub beyond: Option<String>,
}

impl Border {
    /// Asks both sides what is next.
    pub(super) async fn is_sound(&self, bucket: &Bucket) -> Result<bool, StoreError> {
        let mut last = self.last.clone();
        for _ in 0..PASSED {
            let before = self.first_behind(bucket, &last).await?;
            let other = self.first_behind(bucket, &self.upto).await?;
            let after = self.first_behind(bucket, &last).await?;
            // A key that has come since: what lies behind it is asked for from there.
            if let Some(come) = [&before, &after].into_iter().flatten().find(|key| **key <= self.upto) {
                last.clone_from(come);
                continue;
            }
            // While keys go or come at the front the answers move on together.
            return Ok(is_between(&other, &before, &after));
        }
        Ok(false)
    }

    async fn first_behind(&self, bucket: &Bucket, key: &str) -> Result<Option<String>, StoreError> {
        let mut pages = bucket.versions(&self.prefix, Some(key).filter(|key| !key.is_empty())).max_keys(1);
        while let Some(page) = pages.next().await? {
            if let Some(first) = page.entries().next() {
                return Ok(Some(first.key.to_owned()));
            }
        }
        Ok(None)
    }
}

/// Whether one lies between two others, or is one of them. Behind all keys there is nothing.
fn is_between(it: &Option<String>, one: &Option<String>, other: &Option<String>) -> bool {
    let rank = |key: &Option<String>| (key.is_none(), key.clone());
    let (it, one, other) = (rank(it), rank(one), rank(other));
    one.clone().min(other.clone()) <= it && it <= one.max(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_between_two_others_fits_and_one_that_both_skip_does_not() {
        let key = |key: &str| Some(key.to_owned());
        assert!(is_between(&key("b"), &key("a"), &key("c")));
        assert!(is_between(&key("b"), &key("c"), &key("a")));
        assert!(is_between(&key("b"), &key("b"), &key("b")));
        assert!(is_between(&None, &key("a"), &None));
        assert!(!is_between(&key("a"), &key("b"), &key("b")));
        assert!(!is_between(&None, &key("a"), &key("b")));
        assert!(!is_between(&key("a"), &None, &None));
    }
}
