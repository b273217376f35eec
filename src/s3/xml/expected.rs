//! Faster ways through what an answer is expected to say next, as S3 writes it.
//!
//! None of them moves the reader unless what it passes stands there to the letter; whatever else stands there is
//! left to [`Reader::child`], so that they change what reading costs and never what is read. They are inlined
//! where names are constants, which makes of most a few comparisons without any call.

use memchr::memchr3;

use super::text::{behind, closed, leaf_at};
use super::{Raw, Reader};

/// A double quote, as S3 writes it in text.
const QUOTE: &[u8] = b"&quot;";

/// How long an MD5 is in hexadecimal digits, as most ETags are.
const MD5: usize = 32;

/// Whether all of them are letters or digits, or others that mean themselves: none is a `<`, a `&` or a carriage
/// return. Eight at once: of ASCII all from `@` on are such, and below it `0` to `;` are. Others may be called none.
#[inline(always)]
fn are_plain(bytes: &[u8; MD5]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let plain = words.map(|word| (word >> 6) | ((word >> 5) & (word >> 4) & !((word >> 3) & (word >> 2))));
    plain.fold(ONES, |all, word| all & word) == ONES
}

impl<'a> Reader<'a> {
    /// The text of the next child if that is `<name>text</name>`, which is then left.
    #[inline(always)]
    pub(in crate::s3) fn leaf(&mut self, name: &str) -> Option<Raw> {
        let content = self.content(name)?;
        let leaf = leaf_at(self.text.len() - content.len(), content, name)?;
        self.at = leaf.at + leaf.len + "</>".len() + name.len();
        Some(leaf)
    }

    /// What `read` makes of the text of the next child if that is `<name>text</name>`, which is then left.
    /// `read` is given all that follows the start tag, and says how many bytes of it were the text, none of
    /// which may be a `<`, a `&` or a carriage return.
    #[inline(always)]
    pub(in crate::s3) fn leaf_as<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a [u8]) -> Option<(T, usize)>,
    ) -> Option<T> {
        let content = self.content(name)?;
        let (value, len) = read(content)?;
        debug_assert!(memchr3(b'<', b'&', b'\r', content.get(..len)?).is_none(), "not what the text means");
        let after = closed(content.get(len..)?, name)?;
        self.at = self.text.len() - after.len();
        Some(value)
    }

    /// The text between the quotes if the next child is `<name>&quot;text&quot;</name>`, which is then left.
    #[inline(always)]
    pub(in crate::s3) fn quoted_leaf(&mut self, name: &str) -> Option<Raw> {
        let text = self.content(name)?.strip_prefix(QUOTE)?;
        let ends = |len: usize| closed(text.get(len..)?.strip_prefix(QUOTE)?, name);
        let usual = text.first_chunk().filter(|start| are_plain(start)).and_then(|_| ends(MD5));
        let (len, after) = match usual {
            Some(after) => (MD5, after),
            None => {
                let len = memchr3(b'<', b'&', b'\r', text)?;
                (len, ends(len)?)
            }
        };
        self.at = self.text.len() - after.len();
        Some(Raw { at: self.text.len() - text.len(), len, plain: true })
    }

    /// Moves behind `text` if that follows. It must be a whole child, as written.
    #[inline(always)]
    pub(in crate::s3) fn passes(&mut self, text: &str) -> bool {
        let passes = self.leaf.is_none() && self.bytes().starts_with(text.as_bytes());
        if passes {
            self.at += text.len();
        }
        passes
    }

    /// Enters the next child if that is `<name>`.
    #[inline(always)]
    pub(in crate::s3) fn opens(&mut self, name: &'static str) -> bool {
        let enters = self.content(name).is_some();
        if enters {
            self.open.push(name);
            self.at += "<>".len() + name.len();
        }
        enters
    }

    /// The end of the current element, from `from` on to behind its end tag, which was just read; to be
    /// passed by [`Reader::leaves_like`] where it comes again.
    pub(in crate::s3) fn ending(&self, from: usize) -> &'a str {
        &self.text[from..self.at]
    }

    /// Leaves the current element, which is called `name`, if it ends as another one did.
    #[inline(always)]
    pub(in crate::s3) fn leaves_like(&mut self, name: &str, ending: &str) -> bool {
        let leaves = self.open.last() == Some(&name) && self.passes(ending);
        if leaves {
            self.open.pop();
        }
        leaves
    }

    /// What follows the start tag of the next child, if that is `<name>`.
    #[inline(always)]
    fn content(&self, name: &str) -> Option<&'a [u8]> {
        if self.leaf.is_some() { None } else { behind(self.bytes(), b'<', name) }
    }

    fn bytes(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_that_may_mean_something_else_is_plain_and_all_digits_are() {
        for (place, byte) in (0..MD5).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
            let mut bytes = *b"d41d8cd98f00b204e9800998ecf8427e";
            bytes[place] = byte;
            let is_plain = are_plain(&bytes);
            assert!(!is_plain || !matches!(byte, b'<' | b'&' | b'\r'), "{byte}");
            assert!(is_plain || !byte.is_ascii_hexdigit(), "{byte}");
        }
    }
}
